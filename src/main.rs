//! The `paravent` binary: all of it is in the library.

fn main() -> std::process::ExitCode {
    paravent::cli::run(std::env::args_os())
}
