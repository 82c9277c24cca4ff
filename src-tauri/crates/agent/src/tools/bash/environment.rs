//! The environment that the agent's commands see.
//!
//! It is made from nothing: only variables named here pass, which say where things are on this
//! machine and how tools are set up. Whatever else the app was started with (API keys, tokens,
//! cloud credentials, `GIT_*`, agent sockets, session buses) does not reach a command. A variable
//! that passes by the beginning of its name is still held back when its name speaks of a secret,
//! and any when its value is an address with a user or password in it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Variables that pass.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    // The user and the machine.
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP",
    "HOSTNAME", "MANPATH", "INFOPATH",
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_DIRS",
    "XDG_DATA_DIRS",
    // The way to the network.
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
    "NIX_SSL_CERT_FILE",
    // C and C++.
    "CC", "CXX", "CPP", "AR", "LD", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH",
    "LIBRARY_PATH", "LD_LIBRARY_PATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "PKG_CONFIG_PATH",
    "PKG_CONFIG_LIBDIR", "ACLOCAL_PATH", "CMAKE_PREFIX_PATH", "CMAKE_GENERATOR", "VCPKG_ROOT",
    // Rust.
    "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "CARGO_BUILD_JOBS", "CARGO_BUILD_TARGET",
    "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "RUSTUP_DIST_SERVER", "RUSTFLAGS", "RUSTC_WRAPPER",
    "RUST_BACKTRACE", "SCCACHE_DIR",
    // Python.
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYENV_ROOT", "PYENV_VERSION", "VIRTUAL_ENV",
    "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_EXE", "CONDA_PYTHON_EXE", "MAMBA_ROOT_PREFIX",
    "PIPX_HOME", "PIPX_BIN_DIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE",
    "PIP_CACHE_DIR", "PIP_CERT", "UV_CACHE_DIR", "UV_PYTHON", "UV_INDEX_URL", "UV_DEFAULT_INDEX",
    "POETRY_HOME", "POETRY_CACHE_DIR", "WORKON_HOME", "JUPYTER_PATH",
    // JavaScript.
    "NODE_PATH", "NODE_OPTIONS", "NODE_ENV", "NODE_EXTRA_CA_CERTS", "NVM_DIR", "NVM_BIN", "FNM_DIR",
    "FNM_MULTISHELL_PATH", "VOLTA_HOME", "N_PREFIX", "PNPM_HOME", "BUN_INSTALL", "DENO_DIR",
    "DENO_INSTALL", "DENO_INSTALL_ROOT", "COREPACK_HOME", "YARN_CACHE_FOLDER",
    "PLAYWRIGHT_BROWSERS_PATH", "CHROME_BIN",
    // Java and Android.
    "JAVA_HOME", "JDK_HOME", "JRE_HOME", "MAVEN_HOME", "M2_HOME", "MAVEN_OPTS", "GRADLE_HOME",
    "GRADLE_USER_HOME", "GRADLE_OPTS", "SDKMAN_DIR", "KOTLIN_HOME", "SCALA_HOME", "ANDROID_HOME",
    "ANDROID_SDK_ROOT", "ANDROID_NDK_HOME",
    // Go.
    "GOPATH", "GOROOT", "GOBIN", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB",
    "GOPRIVATE", "GOFLAGS", "GOTOOLCHAIN", "GOOS", "GOARCH", "CGO_ENABLED",
    // Ruby, PHP, .NET, Haskell, OCaml, Elixir, Dart, Swift, R, Julia, Lua, Perl.
    "GEM_HOME", "GEM_PATH", "RBENV_ROOT", "RBENV_VERSION", "RUBYLIB", "RUBYOPT", "BUNDLE_PATH",
    "BUNDLE_GEMFILE", "rvm_path", "COMPOSER_HOME", "DOTNET_ROOT", "DOTNET_CLI_HOME",
    "DOTNET_CLI_TELEMETRY_OPTOUT", "NUGET_PACKAGES", "GHCUP_INSTALL_BASE_PREFIX", "STACK_ROOT",
    "CABAL_DIR", "OPAMROOT", "OPAMSWITCH", "OPAM_SWITCH_PREFIX", "CAML_LD_LIBRARY_PATH",
    "OCAML_TOPLEVEL_PATH", "MIX_HOME", "HEX_HOME", "FLUTTER_ROOT", "PUB_CACHE", "SWIFTLY_HOME_DIR",
    "R_HOME", "R_LIBS", "R_LIBS_USER", "JULIA_DEPOT_PATH", "LUA_PATH", "LUA_CPATH", "PERL5LIB",
    "PERL_MM_OPT", "PERL_MB_OPT", "PERL_LOCAL_LIB_ROOT",
    // What installs and switches tools.
    "ASDF_DIR", "ASDF_DATA_DIR", "MISE_DATA_DIR", "MISE_CONFIG_DIR", "HOMEBREW_PREFIX",
    "HOMEBREW_CELLAR", "HOMEBREW_REPOSITORY", "NIX_PATH", "NIX_PROFILES", "GUIX_PROFILE",
    "CI", "NO_COLOR",
];

/// Variables pass whose names begin like this.
const BEGINNINGS: &[&str] = &["LC_", "npm_config_", "NPM_CONFIG_"];

/// What a name that speaks of a secret holds.
#[rustfmt::skip]
const SECRETS: &[&str] = &[
    "KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "SESSION",
    "COOKIE",
];

/// The variables of this process that its commands see.
pub fn of_this_process() -> Vec<(OsString, OsString)> {
    std::env::vars_os()
        .filter(|(name, value)| passes(name, value))
        .collect()
}

/// Variables that every command has: a terminal's colours if a program insists on a terminal
/// type, Python's output as it is made rather than at the end, no pager.
pub(super) fn always(dir: &Path) -> [(&'static str, OsString); 4] {
    [
        ("TERM", "xterm-256color".into()),
        ("PYTHONUNBUFFERED", "1".into()),
        ("PAGER", "cat".into()),
        ("PWD", dir.as_os_str().to_owned()),
    ]
}

/// Whether a command may see the variable.
fn passes(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let begins = || {
        let upper = name.to_uppercase();
        BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
            && !SECRETS.iter().any(|secret| upper.contains(secret))
    };
    (NAMES.contains(&name) || begins()) && !names_a_user(&value.to_string_lossy())
}

/// Whether an address in the value has a user or password in it (`http://me:word@proxy`).
fn names_a_user(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let host = rest
            .split(['/', ' ', ',', '?', '#'])
            .next()
            .unwrap_or_default();
        host.contains('@')
    })
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
