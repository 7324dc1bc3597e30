//! What one test may take of the machine, so that a program which eats without end harms nobody else.
//!
//! The limits hold for a test's process and for all that it starts. Of builds nothing is limited but their time.
#![allow(unsafe_code)]

use std::{io, os::unix::process::CommandExt as _, process::Command};

/// The longest file, in bytes. A test's output goes to files as well.
const FILE: libc::rlim_t = 256 << 20;

/// The most memory, in bytes: many times what the suites take, threads' stacks included. Linux alone counts it so.
#[cfg(target_os = "linux")]
const DATA: libc::rlim_t = 2 << 30;

/// Said of a test that wrote more.
pub const WROTE_TOO_MUCH: &str = "The test wrote more than 256 MiB, to its output or to another file, and was stopped. Something writes without end.";

/// Said of a test whose memory could not be had.
pub const TOOK_TOO_MUCH: &str = if cfg!(target_os = "linux") {
    "The test asked for more than 2 GiB of memory, which is all that a test gets. Something grows without end."
} else {
    "The test asked for more memory than there is. Something grows without end."
};

/// How the standard library says that memory could not be had, before it aborts.
pub const NO_MEMORY: (&str, &str) = ("memory allocation of ", " bytes failed");

/// The signal that ends a process which writes too much.
pub const WRITES_TOO_MUCH: i32 = libc::SIGXFSZ;

/// Lowers a limit of this process. One that is lower already stays, and one that cannot be set is none: a right program
/// does not need it.
// A macro, since systems do not agree on the type of a limit's name.
macro_rules! lower {
    ($of:expr, $to:expr) => {{
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit($of, &raw mut limit) == 0 {
            limit.rlim_max = limit.rlim_max.min($to);
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit($of, &raw const limit);
        }
    }};
}

/// Limits what a command may take.
pub fn on(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec only such calls are allowed as signal handlers may make. `signal` is one; the two
    // that `lower` makes are system calls and touch no memory but its own.
    unsafe {
        command.pre_exec(|| {
            // A program that dies in a dump of its memory dies slowly.
            lower!(libc::RLIMIT_CORE, 0);
            lower!(libc::RLIMIT_FSIZE, FILE);
            // Who is started by a Python program may ignore it, and then a test that writes too much fails otherwise.
            libc::signal(WRITES_TOO_MUCH, libc::SIG_DFL);
            #[cfg(target_os = "linux")]
            lower!(libc::RLIMIT_DATA, DATA);
            io::Result::Ok(())
        })
    }
}

/// Whether a process has these limits or lower ones, as the children of a test have and the grader has not.
#[cfg(target_os = "linux")]
pub fn are_on(process: i32) -> bool {
    let text = |process: &str| std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    are_in(&text(&process.to_string())) && !are_in(&text("self"))
}

#[cfg(target_os = "linux")]
fn are_in(text: &str) -> bool {
    // `Max data size             2147483648           2147483648           bytes`
    let at_most = |name: &str, most: libc::rlim_t| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let limit = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<libc::rlim_t>().ok());
        limit.is_some_and(|limit| limit <= most)
    };
    at_most("Max file size", FILE) && at_most("Max data size", DATA)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_command_and_its_children_have_them_and_this_process_has_not() {
        assert!(!are_on(std::process::id() as i32));
        let mut command = Command::new("sh");
        let output = on(command.args(["-c", "cat /proc/self/limits | cat"])).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(are_in(&text), "{text}");
        assert!(!are_in(&text.replace("2147483648", "unlimited")), "{text}");
        assert!(are_in(&text.replace("2147483648", "1024")), "who has lowered them still has them");
    }
}
