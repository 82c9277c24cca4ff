//! The configurations opened lately, kept as a list in the data folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

const KEPT: usize = 12;
const FILE: &str = "recent.json";

/// The list, latest first, without configurations that are gone. A list that cannot be read is empty:
/// it is a convenience, and the next `remember` mends it.
pub fn list(data_dir: &Path) -> Vec<String> {
    let Ok(text) = fs::read(data_dir.join(FILE)) else {
        return Vec::new();
    };
    let mut paths: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
    paths.retain(|path| Path::new(path).is_file());
    paths
}

/// Puts a configuration at the head of the list, in one step that a crash cannot cut.
pub fn remember(data_dir: &Path, config_path: &str) -> io::Result<()> {
    let mut paths = list(data_dir);
    paths.retain(|path| path != config_path);
    paths.insert(0, config_path.to_owned());
    paths.truncate(KEPT);
    let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
    file.write_all(&serde_json::to_vec_pretty(&paths)?)?;
    file.persist(data_dir.join(FILE))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn latest_comes_first_once_and_missing_files_vanish() {
        let data = tempfile::tempdir().unwrap();
        let a = data.path().join("a.yaml");
        let b = data.path().join("b.yaml");
        for file in [&a, &b] {
            fs::write(file, "").unwrap();
        }
        let [a, b] = [a, b].map(|path| path.display().to_string());
        for path in [&a, &b, &a] {
            remember(data.path(), path).unwrap();
        }
        assert_eq!(list(data.path()), [a.clone(), b.clone()]);

        fs::remove_file(&a).unwrap();
        assert_eq!(list(data.path()), [b]);
    }

    #[test]
    fn a_broken_list_is_empty_and_is_mended() {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("c.yaml");
        fs::write(&config, "").unwrap();
        fs::write(data.path().join(FILE), "{ not json").unwrap();
        assert!(list(data.path()).is_empty());

        let config = config.display().to_string();
        remember(data.path(), &config).unwrap();
        assert_eq!(list(data.path()), [config]);
    }
}
