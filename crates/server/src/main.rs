//! The program `scrip`: so far its command line. Rules live in `scrip-domain`; what is here reads
//! arguments and files, gives commands, and shows what came of them.

mod bench;
mod cli;
mod failure;
mod key_file;
mod portable;
mod replay;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
