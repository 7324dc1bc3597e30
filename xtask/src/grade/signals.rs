//! What the grader asks of the system and the standard library does not. With `limits.rs` the only unsafe code of the
//! grader.
#![allow(unsafe_code)]

use std::{
    io,
    os::{
        fd::AsRawFd as _,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::Command,
};

/// From now on the grader ends quietly when nobody reads what it prints, as in `cargo xtask list | head -1`.
/// The standard library would have it panic.
pub fn end_with_the_reader() {
    // SAFETY: sets a number in a table of the kernel's; no code of ours runs in a signal handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Sends all of this over a connection. Where nobody reads it any more that is an error and, unlike with a pipe, no
/// signal.
pub fn send(to: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: reads `bytes`, which are there, from their first to their last.
        match unsafe { libc::send(to.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), NO_SIGNAL) } {
            sent @ 0.. => bytes = &bytes[sent as usize..],
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
/// On macOS the standard library has set `SO_NOSIGPIPE` for each connection.
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: i32 = 0;

/// Kills every process of a group. A group that is gone already is fine.
pub fn kill_group(group: u32) {
    let Ok(group) = i32::try_from(group) else { return };
    // 0 and 1 would mean the grader's own group, and every process there is.
    if group > 1 {
        // SAFETY: `kill` takes two numbers and touches no memory of this process.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

/// Kills a process. Says whether it was there and could be killed.
#[cfg(target_os = "linux")]
pub fn kill(process: i32) -> bool {
    // SAFETY: as above; 1 is the system's own, and less than that means many.
    process > 1 && unsafe { libc::kill(process, libc::SIGKILL) } == 0
}

/// From now on a process whose parent ends becomes this one's child, if it descends from this one.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // SAFETY: sets a flag of this process in the kernel. A kernel that cannot leaves everything as it was.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
    }
}

/// Whether a child has ended. It is gone then: nobody else may wait for it.
#[cfg(target_os = "linux")]
pub fn is_over(child: i32) -> bool {
    // SAFETY: asks for no status, so there is nothing that it could write to.
    child > 1 && unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::WNOHANG) } == child
}

/// Open files beyond the first three, up to this number, do not go on to a program that lives on by itself. Whoever has
/// started the grader may wait until somebody closes such a one: a lock, or a pipe of a CI system.
const LAST_FILE: i32 = 1024;

/// Has a command run in a session of its own: closing the terminal does not end it, nor does it hold anything open.
pub fn in_a_session_of_its_own(command: &mut Command) -> &mut Command {
    // SAFETY: `setsid` takes nothing and touches no memory of this process.
    let begin = || match unsafe { libc::setsid() } {
        -1 => Err(io::Error::last_os_error()),
        _ => {
            for file in 3..LAST_FILE {
                // SAFETY: takes three numbers. There may be no such file, and then there is nothing to do.
                unsafe { libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC) };
            }
            Ok(())
        }
    };
    // SAFETY: between fork and exec only such calls are allowed as signal handlers may make. `setsid` and `fcntl` are; they and
    // the reading of an error touch no memory that another thread may have left locked.
    unsafe { command.pre_exec(begin) }
}

/// Asks a process to end.
pub fn terminate(process: i32) {
    if process > 1 {
        // SAFETY: as above.
        unsafe { libc::kill(process, libc::SIGTERM) };
    }
}

/// Whether a process of this id is there, of whatever owner.
pub fn is_alive(process: i32) -> bool {
    // SAFETY: as above; the signal 0 is never delivered.
    let sent = process > 0 && unsafe { libc::kill(process, 0) } == 0;
    sent || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_an_impossible_one_is_not() {
        assert!(is_alive(std::process::id() as i32));
        assert!(!is_alive(i32::MAX));
        assert!(!is_alive(0));
    }
}
