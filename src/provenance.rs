//! From what this program was built, for whoever has to say later what answered: `--version` and the metrics tell it.

/// The version of the package ([Semantic Versioning](https://semver.org/)).
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit, 12 hexadecimal digits, with `-modified` behind them if files differed from it; `unknown` where it was
/// built without git and nobody set `PARAVENT_COMMIT`.
pub const COMMIT: &str = env!("PARAVENT_COMMIT");

/// How it was built: Cargo's kind of profile (`debug` or `release`) and the target's triple.
pub const BUILD: &str = env!("PARAVENT_BUILD");

/// All three, as `--version` prints them behind the program's name.
pub const LINE: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("PARAVENT_COMMIT"),
    ", ",
    env!("PARAVENT_BUILD"),
    ")"
);
