//! Reads files that code under test could have put something else in the place of: a pipe, which nobody ends, or a link
//! to what has no end.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The last bytes of a file, at most so many. Nothing where there is no plain file.
pub fn end_of(path: &Path, most: u64) -> Vec<u8> {
    read(path, |length| (length.saturating_sub(most), most))
}

/// The first bytes of a file, at most so many. Nothing where there is no plain file.
pub fn beginning_of(path: &Path, most: u64) -> Vec<u8> {
    read(path, |_| (0, most))
}

/// Reads what `part` picks by the file's length: from where, and how many bytes.
fn read(path: &Path, part: impl Fn(u64) -> (u64, u64)) -> Vec<u8> {
    let read = || {
        // Neither does it wait for a pipe to be opened at its other end, nor does it follow a link.
        let mut file: File =
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)?;
        let told = file.metadata()?;
        let mut bytes = Vec::new();
        if told.is_file() {
            let (from, most) = part(told.len());
            file.seek(SeekFrom::Start(from))?;
            file.take(most).read_to_end(&mut bytes)?;
        }
        std::io::Result::Ok(bytes)
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink, process::Command};

    #[test]
    fn a_part_of_a_plain_file_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("plain"), "0123456789").unwrap();
        assert_eq!(end_of(&at("plain"), 3), b"789");
        assert_eq!(end_of(&at("plain"), 30), b"0123456789");
        assert_eq!(beginning_of(&at("plain"), 3), b"012");
        symlink("/dev/zero", at("link")).unwrap();
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        fs::create_dir(at("folder")).unwrap();
        for name in ["link", "pipe", "folder", "none"] {
            assert_eq!(beginning_of(&at(name), 3), b"", "{name}");
        }
    }
}
