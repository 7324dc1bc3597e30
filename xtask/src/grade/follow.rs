//! Reads a file that another process is still writing.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// A place in a growing file.
#[derive(Debug, Default)]
pub struct Follow {
    position: u64,
    /// The beginning of a line whose end is not written yet.
    unfinished: Vec<u8>,
}

impl Follow {
    /// What was written since the last call.
    pub fn bytes(&mut self, path: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(path)
            && file.seek(SeekFrom::Start(self.position)).is_ok()
            && let Ok(count) = file.read_to_end(&mut bytes)
        {
            self.position += count as u64;
        }
        bytes
    }

    /// The lines that were completed since the last call.
    pub fn lines(&mut self, path: &Path) -> Vec<String> {
        let mut text = std::mem::take(&mut self.unfinished);
        text.extend(self.bytes(path));
        let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.unfinished = text.split_off(end);
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_line_is_given_once_and_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let mut follow = Follow::default();
        assert!(follow.lines(&path).is_empty());
        for (written, lines) in [("one\ntw", vec!["one"]), ("o", vec![]), ("\nthree\n", vec!["two", "three"])]
        {
            file.write_all(written.as_bytes()).unwrap();
            assert_eq!(follow.lines(&path), lines);
        }
    }
}
