//! `sylvan`: parses the arguments, does what they say, and turns an error into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    sylvan::cli::main()
}
