//! The `paravent-verify` binary: checks bundles and logs, and does nothing else.

fn main() -> std::process::ExitCode {
    paravent::cli::verify::alone(std::env::args_os())
}
