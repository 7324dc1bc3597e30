//! Sets of text files: read from a folder, changed in memory, written to another.

use anyhow::Context as _;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// File contents by their path from some folder, with `/` on every system.
pub type Files = BTreeMap<String, String>;

/// Every file below a folder, in the order of the paths. No folder, no files. What begins with a dot belongs to
/// an editor or the system, such as `.lib.rs.swp` and `.DS_Store`, and is passed over.
pub fn walk(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| dir.display().to_string()),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// How a file below a folder is called.
pub fn name_in(dir: &Path, path: &Path) -> anyhow::Result<String> {
    Ok(path.strip_prefix(dir)?.to_string_lossy().replace('\\', "/"))
}

/// Reads every file below a folder.
pub fn read(dir: &Path) -> anyhow::Result<Files> {
    walk(dir)?.iter().map(|path| read_one(dir, path)).collect()
}

/// Reads one file as an entry of a set.
pub fn read_one(dir: &Path, path: &Path) -> anyhow::Result<(String, String)> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok((name_in(dir, path)?, text))
}

/// Writes files below a folder. Those that are already so are left untouched, and cargo rebuilds nothing.
pub fn write(dir: &Path, files: &Files) -> anyhow::Result<()> {
    for (name, text) in files {
        let path = dir.join(name);
        if fs::read_to_string(&path).ok().as_ref() == Some(text) {
            continue;
        }
        let write = || {
            fs::create_dir_all(path.parent().expect("a file below a folder"))?;
            fs::write(&path, text)
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
