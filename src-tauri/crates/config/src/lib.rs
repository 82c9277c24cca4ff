//! Project configurations, tasks, `.env` files and their JSON Schema.
//!
//! A configuration goes through these stages, and the errors of all of them are told together:
//!
//! 1. `document`: YAML to a tree in which every key and value knows its line and column;
//! 2. `variables`: `${VAR}` in texts, after parsing, so that no value can break the YAML;
//! 3. `check`: the tree against the JSON Schema that is generated from `model`, the one place
//!    where keys, types, ranges and defaults are written down;
//! 4. `settings`: the typed configuration to what a session needs, with what a schema cannot say;
//! 5. `tasks`: data files, and the directories and files that their tasks name.

mod check;
mod document;
mod dot_env;
mod fragment;
mod issues;
pub mod model;
mod nearest;
mod not_built;
mod project;
mod schema;
mod settings;
mod tasks;
mod variables;

pub use fragment::{Fragment, parse_fragment};
pub use issues::{ConfigErrors, ConfigIssue};
pub use not_built::NotBuilt;
pub use project::{Project, Secrets, load_project, load_project_with};
pub use schema::json_schema;
