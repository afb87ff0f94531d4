//! The `bedplate` program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(bedplate::cli::run(std::env::args_os()) as u8)
}
