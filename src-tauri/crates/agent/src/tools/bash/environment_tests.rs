use super::*;

fn seen(name: &str, value: &str) -> bool {
    passes(OsStr::new(name), OsStr::new(value))
}

#[test]
fn what_tools_need_passes() {
    for name in [
        "PATH",
        "HOME",
        "LC_ALL",
        "CARGO_HOME",
        "VIRTUAL_ENV",
        "JAVA_HOME",
        "NVM_DIR",
    ] {
        assert!(seen(name, "/somewhere"), "{name}");
    }
    assert!(seen("HTTPS_PROXY", "http://proxy.example:3128"));
    assert!(seen("npm_config_registry", "https://registry.example/npm/"));
}

#[test]
fn secrets_and_git_do_not() {
    for name in [
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "AWS_PROFILE",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "MY_SECRET",
        "DB_PASSWORD",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_ASKPASS",
        "SSH_AUTH_SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "BASH_ENV",
        "ENV",
        "LD_PRELOAD",
        "MAKEFLAGS",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "npm_config__authToken",
        "NPM_CONFIG__AUTH",
        "ESPALIER_DATA_DIR",
        "SOMETHING_NOBODY_LISTED",
    ] {
        assert!(!seen(name, "x"), "{name}");
    }
}

#[test]
fn an_address_with_a_password_does_not() {
    assert!(!seen("HTTPS_PROXY", "http://me:word@proxy.example:3128"));
    assert!(!seen(
        "PIP_INDEX_URL",
        "https://token@packages.example/simple"
    ));
    assert!(!seen(
        "GOPROXY",
        "https://ok.example,https://me:word@other.example/x"
    ));
    assert!(seen("GOPROXY", "https://ok.example/@v/list,direct"));
}
