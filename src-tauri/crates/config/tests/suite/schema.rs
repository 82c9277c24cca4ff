//! The JSON Schema, its committed copy, the documentation and the ready-made configurations.

use super::support::repository;
use espalier_config::{json_schema, load_project_with};
use serde_json::Value;
use std::collections::BTreeMap;

/// Keys of which a table says more than a type: no default of their own.
const SECTIONS: &str = "object";

/// Every key of the schema with its own part of it; those of the live agent once.
fn keys() -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect(&json_schema(), "", &mut found);
    found.retain(|key, _| !key.starts_with("agentic.live_agent"));
    found
}

fn collect(schema: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect(inner, &path, found);
        collect(&inner["items"], &format!("{path}[]"), found);
        found.insert(path, inner.clone());
    }
}

#[test]
fn every_key_is_described() {
    for (key, schema) in keys() {
        let text = schema["description"].as_str().unwrap_or("");
        assert!(text.ends_with(['.', '…']), "{key} has no description");
    }
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    let file = repository().join("config/espalier.schema.json");
    let generated = format!(
        "{}\n",
        serde_json::to_string_pretty(&json_schema()).unwrap()
    );
    if std::env::var_os("ESPALIER_REGENERATE").is_some() {
        std::fs::write(&file, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == generated,
        "config/espalier.schema.json is stale; run: ESPALIER_REGENERATE=1 cargo test -p espalier-config"
    );
}

#[test]
fn every_key_and_its_default_stand_in_the_documentation() {
    let text = std::fs::read_to_string(repository().join("docs/configuration.md")).unwrap();
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        if cells.len() == 4 {
            let key = cells[0].trim_start_matches("| ").trim_matches('`');
            rows.insert(key.to_owned(), cells[2].to_owned());
        }
    }
    for (key, schema) in keys() {
        if schema["type"] == SECTIONS && !schema["properties"].is_null() {
            continue;
        }
        let default = rows
            .remove(&key)
            .unwrap_or_else(|| panic!("{key} is missing in docs/configuration.md"));
        if let Some(value) = schema.get("default").filter(|value| !value.is_array()) {
            let plain = value.as_str().map_or(value.to_string(), str::to_owned);
            let plain = plain.strip_suffix(".0").unwrap_or(&plain);
            assert_eq!(default, format!("`{plain}`"), "default of {key}");
        }
    }
    assert!(rows.is_empty(), "no such keys: {rows:?}");
}

#[test]
fn the_ready_made_configurations_load_without_a_key() {
    let folder = repository().join("config");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# yaml-language-server: $schema=espalier.schema.json\n"),
            "{}",
            path.display()
        );
        let project =
            load_project_with(&path, &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(!project.tasks.is_empty(), "{}", path.display());
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn the_reference_configuration_shows_every_key_that_a_session_uses() {
    let text = std::fs::read_to_string(repository().join("config/reference.yaml")).unwrap();
    let elsewhere = [
        // Not in this version.
        "sandbox",
        // Only where it is in no usual place.
        "cli_path",
        // Instead of keys that are shown.
        "replay",
        "recording",
        "pace",
    ];
    for key in keys().into_keys() {
        let name = key.rsplit('.').next().unwrap();
        if !elsewhere.contains(&name) {
            let shown = text.lines().any(|line| {
                let line = line.trim_start().trim_start_matches("- ");
                line.starts_with(&format!("{name}:"))
            });
            assert!(shown, "{key} is not in config/reference.yaml");
        }
    }
}
