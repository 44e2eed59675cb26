//! Benchmarks.
use crate::failure::Failure;
#[derive(Debug, clap::Subcommand)]
pub enum Bench {}
impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        match self {}
    }
}
