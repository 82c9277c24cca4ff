//! The real window: the built program under Xvfb, driven through WebKitWebDriver.

use crate::program::espalier;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The driver answers a request for a picture at the next repaint, which on a page at rest never comes.
const KEEP_PAINTING: &str = "
    const dot = document.createElement('div');
    dot.style.cssText = 'position:fixed;right:0;bottom:0;width:1px;height:1px;z-index:9999';
    document.body.append(dot);
    let left = 200;
    const timer = setInterval(() => {
        dot.style.background = left % 2 ? 'rgba(128,128,128,0.01)' : 'rgba(128,128,128,0.02)';
        left -= 1;
        if (left === 0) { clearInterval(timer); dot.remove(); }
    }, 20);";

/// Fonts are there, nothing is being fetched, and no movement is under way (a spinner never ends).
const AT_REST: &str = "document.fonts.status === 'loaded'
    && !document.querySelector('[aria-busy=\"true\"]')
    && document.getAnimations().every((animation) => animation.playState !== 'running'
        || animation.effect.getTiming().iterations === Infinity)";

/// How long the page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A window of the program with a display of its own. Everything ends with it.
pub struct Window {
    pub client: Client,
    driver: Child,
    display: Child,
}

impl Window {
    /// Opens the program with these arguments on that data folder.
    ///
    /// # Panics
    /// When the display, the driver or the program does not start.
    pub async fn open(data_dir: &Path, args: &[&str]) -> Self {
        let (display, number) = start_display();
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("DISPLAY", format!(":{number}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("ESPALIER_DATA_DIR", data_dir)
            .env("LANG", "C.UTF-8")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let driver = match driver {
            Ok(driver) => driver,
            Err(error) => panic!("WebKitWebDriver did not start: {error}"),
        };
        let client = connect(port, args).await;
        Self {
            client,
            driver,
            display,
        }
    }

    /// The element with that test id, once it is there.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn find(&self, test_id: &str) -> fantoccini::elements::Element {
        self.find_css(&format!("[data-testid=\"{test_id}\"]")).await
    }

    /// The first element for a CSS selector, once it is there.
    ///
    /// # Panics
    /// When it does not appear; the page's text is in the message.
    pub async fn find_css(&self, css: &str) -> fantoccini::elements::Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}\n{}", self.text().await),
        }
    }

    /// Clicks the element with that test id once it is there and enabled.
    ///
    /// # Panics
    /// When it does not become clickable.
    pub async fn click(&self, test_id: &str) {
        let css =
            format!("[data-testid=\"{test_id}\"]:not([disabled]):not([aria-disabled=\"true\"])");
        self.click_css(&css).await;
    }

    /// Clicks the first element for a CSS selector once it is there.
    ///
    /// # Panics
    /// When it does not appear or cannot be clicked.
    pub async fn click_css(&self, css: &str) {
        let element = self.find_css(css).await;
        if let Err(error) = element.click().await {
            panic!("{css}: {error}\n{}", self.text().await);
        }
    }

    /// Types into the element with that test id.
    ///
    /// # Panics
    /// When it cannot be typed into.
    pub async fn type_into(&self, test_id: &str, text: &str) {
        let element = self.find(test_id).await;
        if let Err(error) = element.send_keys(text).await {
            panic!("{test_id}: {error}");
        }
    }

    /// Waits until the script's expression is true in the page.
    ///
    /// # Panics
    /// When it does not become true.
    pub async fn until(&self, what: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Ok(value) = self.client.execute(&script, Vec::new()).await
                    && value == json!(true)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        if waited.is_err() {
            panic!("{what} did not come\n{}", self.text().await);
        }
    }

    /// The page's visible text.
    pub async fn text(&self) -> String {
        self.client
            .execute("return document.body.innerText", Vec::new())
            .await
            .map(|value| value.as_str().unwrap_or_default().to_owned())
            .unwrap_or_default()
    }

    /// Saves a picture of the window, with its fonts and all that still comes in.
    ///
    /// # Panics
    /// When it cannot be taken.
    pub async fn picture(&self, file: &Path) {
        self.until("the page at rest", AT_REST).await;
        if let Err(error) = self.client.execute(KEEP_PAINTING, Vec::new()).await {
            panic!("no picture: {error}");
        }
        match self.client.screenshot().await {
            Ok(png) => {
                if let Err(error) = std::fs::write(file, png) {
                    panic!("{}: {error}", file.display());
                }
            }
            Err(error) => panic!("no picture: {error}"),
        }
    }

    /// Asks the program to end, as a desktop does when the user logs out, and waits until it has.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn quit(self) {
        let driver = self.driver.id().to_string();
        let found = Command::new("pgrep").args(["-P", &driver]).output();
        let program = match found {
            Ok(found) => String::from_utf8_lossy(&found.stdout).trim().to_owned(),
            Err(error) => panic!("pgrep did not start: {error}"),
        };
        if let Err(error) = Command::new("kill").args(["-TERM", &program]).status() {
            panic!("kill did not start: {error}");
        }
        let ended = tokio::time::timeout(PATIENCE, async {
            while is_running(&program) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(ended.await.is_ok(), "the program did not end");
    }

    /// Closes the window the hard way: the driver ends the program without asking it.
    pub async fn close(self) {
        // The session may have gone with the window already.
        drop(self.client.clone().close().await);
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        for child in [&mut self.driver, &mut self.display] {
            // Either may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A process that has ended stays in the table until its parent asks for it.
fn is_running(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Starts a virtual display on a number that is free.
fn start_display() -> (Child, u32) {
    let child = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1440x900x24",
            "-nolisten",
            "tcp",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => panic!("Xvfb did not start: {error}"),
    };
    let mut number = String::new();
    if let Some(stdout) = child.stdout.take()
        && let Err(error) = BufReader::new(stdout).read_line(&mut number)
    {
        panic!("Xvfb said nothing: {error}");
    }
    match number.trim().parse() {
        Ok(number) => (child, number),
        Err(error) => panic!("Xvfb gave no display number: {error}"),
    }
}

fn free_port() -> u16 {
    match TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()) {
        Ok(address) => address.port(),
        Err(error) => panic!("no free port: {error}"),
    }
}

async fn connect(port: u16, args: &[&str]) -> Client {
    let options = json!({"binary": espalier(), "args": args});
    let capabilities = match json!({"webkitgtk:browserOptions": options}) {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    let url = format!("http://127.0.0.1:{port}");
    let mut last = String::new();
    for _ in 0..100 {
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.clone())
            .connect(&url)
            .await;
        match client {
            Ok(client) => return client,
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no window: {last}");
}
