//! The grader as a program: some things are proven by starting it as a learner does.

use anyhow::Context as _;
use std::{env, path::PathBuf};
use xtask::exit::Stop;

/// Where it lies. `cargo xtask` has just compiled it, and has then become this program, out of the same folder.
pub fn path() -> anyhow::Result<PathBuf> {
    let path =
        env::current_exe().context("this program does not know where it lies")?.with_file_name("xtask");
    if path.exists() {
        return Ok(path);
    }
    let what = format!("the grader is not compiled: there is no {}", path.display());
    Err(Stop::usage(what, "Start this command by `cargo xtask`.").into())
}
