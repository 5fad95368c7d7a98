//! x
use clap::Args;
#[derive(Debug, Args)]
pub(super) struct Arguments {}
pub(super) fn run(_arguments: &Arguments) -> u8 {
    super::UNUSABLE
}
