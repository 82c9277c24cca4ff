//! Embeds the front end and the capabilities. The bundled front end must exist at compile time, so
//! that a checkout in which it was not built yet compiles too, a page that says so stands in.

use std::io;
use std::path::Path;

const UNBUILT: &str = "<!doctype html>
<html lang=\"en\">
  <head><meta charset=\"utf-8\" /><title>Espalier</title></head>
  <body><p>The front end is not built. Run <code>make</code> in the repository and start Espalier again.</p></body>
</html>
";

fn main() -> io::Result<()> {
    let page = Path::new("../ui/dist/index.html");
    if !page.exists() {
        if let Some(folder) = page.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(page, UNBUILT)?;
    }
    tauri_build::try_build(tauri_build::Attributes::new()).map_err(io::Error::other)
}
