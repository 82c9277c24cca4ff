//! Dependencies point one way, and licences fit ours.

use cargo_metadata::{Metadata, MetadataCommand, Package};
use espalier_tests::project::repository;
use std::collections::BTreeSet;

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .unwrap()
}

fn direct(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == cargo_metadata::DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == name)
        .unwrap()
}

#[test]
fn each_crate_depends_only_on_those_below_it() {
    let metadata = metadata();
    let below: [(&str, &[&str]); 8] = [
        ("espalier-protocol", &[]),
        ("espalier-config", &["espalier-protocol"]),
        ("espalier-checkpoint", &["espalier-protocol"]),
        ("espalier-store", &["espalier-protocol"]),
        ("espalier-agent", &["espalier-protocol"]),
        ("espalier-dataset", &["espalier-protocol", "espalier-store"]),
        (
            "espalier-engine",
            &[
                "espalier-agent",
                "espalier-checkpoint",
                "espalier-config",
                "espalier-protocol",
                "espalier-store",
            ],
        ),
        (
            "espalier",
            &[
                "espalier-agent",
                "espalier-checkpoint",
                "espalier-config",
                "espalier-dataset",
                "espalier-engine",
                "espalier-protocol",
                "espalier-store",
            ],
        ),
    ];
    for (name, allowed) in below {
        let ours: Vec<&str> = direct(package(&metadata, name))
            .into_iter()
            .filter(|dependency| dependency.starts_with("espalier"))
            .collect();
        for dependency in ours {
            assert!(
                allowed.contains(&dependency),
                "{name} must not name {dependency}"
            );
        }
    }
}

#[test]
fn each_outside_world_is_named_by_one_crate() {
    let metadata = metadata();
    let owners = [
        ("tauri", "espalier"),
        ("git2", "espalier-checkpoint"),
        ("notify", "espalier-checkpoint"),
        ("sqlx", "espalier-store"),
        ("reqwest", "espalier-agent"),
    ];
    for member in metadata.workspace_packages() {
        for (dependency, owner) in owners {
            if direct(member).contains(dependency) {
                assert_eq!(
                    member.name.as_str(),
                    owner,
                    "{dependency} belongs to {owner}"
                );
            }
        }
    }
}

#[test]
fn every_crate_takes_over_the_workspace_s_lints_and_licence() {
    for member in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&member.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} has no workspace lints",
            member.name
        );
        assert_eq!(
            member.license.as_deref(),
            Some("MIT OR Apache-2.0"),
            "{}",
            member.name
        );
    }
}

#[test]
fn every_dependency_s_licence_is_permissive() {
    const FINE: [&str; 14] = [
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unlicense",
        "CC0-1.0",
        "Unicode-3.0",
        "0BSD",
        "MIT-0",
        "BSL-1.0",
        "MPL-2.0",
        "CDLA-Permissive-2.0",
    ];
    let mut refused = Vec::new();
    for package in metadata().packages {
        let licence = package.license.clone().unwrap_or_default();
        // One of the alternatives suffices; parts joined by AND must all be fine.
        let fine = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            choice.split(" AND ").all(|part| {
                let name = part.trim_matches(['(', ')', ' ']);
                let name = name.split(" WITH ").next().unwrap_or(name);
                FINE.contains(&name)
            })
        });
        if !fine {
            refused.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn the_top_level_is_the_design_card_s() {
    let expected = [
        "Cargo.toml",
        "config",
        "data",
        "icons",
        "src-tauri",
        "tests",
        "ui",
    ];
    let tools = [
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Makefile",
        "README.ko.md",
        "README.md",
        "clippy.toml",
        "docs",
        "output",
        "rustfmt.toml",
        "target",
    ];
    let names: BTreeSet<String> = std::fs::read_dir(repository())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    for name in expected {
        assert!(names.contains(name), "{name} is missing");
    }
    for name in &names {
        assert!(
            expected.contains(&name.as_str()) || tools.contains(&name.as_str()),
            "{name} does not belong at the top"
        );
    }
}
