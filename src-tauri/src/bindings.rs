//! The TypeScript side of the commands, generated from the Rust types.

use crate::commands;
use espalier_protocol::{AppError, ErrorCode};
use specta_typescript::Typescript;
use std::path::Path;

const HEADER: &str = "// Generated from the Rust types; do not edit. After changing one, run:
// ESPALIER_REGENERATE=1 cargo test -p espalier bindings
";

/// Writes the bindings to `file`.
pub fn export(file: &Path) -> Result<(), AppError> {
    commands::builder()
        .export(Typescript::default().header(HEADER), file)
        .map_err(|error| {
            AppError::new(
                ErrorCode::Internal,
                format!(
                    "The bindings were not written to {}: {error}",
                    file.display()
                ),
                "",
            )
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_committed_bindings_are_fresh() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/lib/bindings.ts");
        if std::env::var_os("ESPALIER_REGENERATE").is_some() {
            export(&committed).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let fresh = folder.path().join("bindings.ts");
        export(&fresh).unwrap();
        let [committed, fresh] =
            [committed, fresh].map(|file| std::fs::read_to_string(file).unwrap());
        assert!(
            committed == fresh,
            "ui/src/lib/bindings.ts is stale: ESPALIER_REGENERATE=1 cargo test -p espalier bindings"
        );
    }
}
