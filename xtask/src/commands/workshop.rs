//! The commands that another program runs: those that open the solutions. Nobody waits for its compilation before they
//! need one of them.

use crate::{exit::Exit, grade::build::cargo};
use anyhow::Context as _;
use std::{env, os::unix::process::CommandExt as _, path::Path, process::Command};

const PACKAGE: &str = "workshop";

/// Becomes that program, with what was typed. It is that of the course that this one was compiled in, so that both are of
/// one version.
pub fn run() -> anyhow::Result<Exit> {
    let is_there = env::current_exe()?.with_file_name(PACKAGE).exists();
    if !is_there {
        anstream::eprintln!("This command is compiled first. That takes some seconds, and only this once.");
    }
    let mut command = Command::new(cargo());
    command.args(["run", "--quiet", "--package", PACKAGE, "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml"));
    command.arg("--").args(env::args_os().skip(1));
    // In its place, not beside it: Ctrl-C and the exit code then are that program's.
    Err(command.exec()).context("cargo cannot be started")
}
