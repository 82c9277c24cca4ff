//! What a model may have meant by a path that does not exist.

use super::answer::Failure;
use super::project::{Place, Project, shown};
use super::walk;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Files looked at before the search gives up.
const MAX_LOOKED_AT: usize = 20_000;
/// Names that are offered.
const MAX_OFFERED: usize = 5;
/// From this likeness on a name is offered.
const ALIKE: f64 = 0.85;

/// The failure for a path that does not exist, with the nearest that do.
pub(crate) fn missing(
    project: &Project,
    requested: &str,
    place: &Place,
    stop: &CancellationToken,
) -> Failure {
    let mut near = nearest(project, &place.relative, stop);
    near.truncate(MAX_OFFERED);
    if near.is_empty() {
        return Failure::told(format!(
            "`{requested}` does not exist. Find files with glob, for example \
             {{\"pattern\": \"**/*{}*\"}}.",
            place
                .relative
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
        ));
    }
    Failure::told(format!(
        "`{requested}` does not exist. Did you mean `{}`?",
        near.join("`, `")
    ))
}

/// Paths whose name is the one asked for or much like it, the likest first.
fn nearest(project: &Project, asked: &Path, stop: &CancellationToken) -> Vec<String> {
    let mut near: Vec<(f64, String)> = walk::files(project, Path::new(""), walk::Ignored::Left)
        .take_while(|_| !stop.is_cancelled())
        .take(MAX_LOOKED_AT)
        .filter_map(|found| {
            let likeness = likeness(asked, &found.relative);
            (likeness >= ALIKE).then(|| (likeness, shown(&found.relative)))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.into_iter().map(|(_, path)| path).collect()
}

/// How like two paths are: by their names, and a little by their directories.
fn likeness(asked: &Path, found: &Path) -> f64 {
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().to_lowercase()
    };
    let names = strsim::jaro_winkler(&name(asked), &name(found));
    if names < ALIKE {
        return 0.0;
    }
    let paths = strsim::jaro(&asked.to_string_lossy(), &found.to_string_lossy());
    names + paths / 10.0
}
