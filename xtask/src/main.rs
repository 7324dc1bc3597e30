//! `cargo xtask`. Everything is in the library beside this file.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
