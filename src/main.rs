//! `sylvan`: parses the arguments, does what they say, and turns an error into an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    sylvan::cli::main()
}
