//! The six tools as a model sees them: name, description, arguments.
//!
//! One table serves the JSON Schema that is offered, the check of what a model sends, and the
//! text that shows a model the right form. They cannot disagree.

use espalier_protocol::{ToolDefinition, ToolName};
use serde_json::{Map, Value, json};

/// What an argument holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// A whole number of at least `minimum`.
    Integer {
        minimum: u64,
    },
    Flag,
    Choice(&'static [&'static str]),
}

/// Whether a call without the argument is a call at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// One argument of a tool.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) need: Need,
    /// Names that models trained on other tools use for it. Accepted, not offered.
    pub(crate) other_names: &'static [&'static str],
    pub(crate) about: &'static str,
}

/// One tool: what it says of itself and the arguments it takes.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) tool: ToolName,
    pub(crate) about: &'static str,
    pub(crate) fields: &'static [Field],
    /// Arguments of a typical call, as JSON.
    pub(crate) example: &'static str,
}

const PATH_NAMES: &[&str] = &["file_path", "filepath", "file", "filename"];

static READ_FILE: Form = Form {
    tool: ToolName::ReadFile,
    about: "Reads a file of the project. Each line comes as its number, a tab, and the text; \
        number and tab are not part of the file. At most 2000 lines come at once: read on with \
        `offset`. A directory is listed. Text in any encoding is shown as text; of a binary file \
        only kind and size are told.",
    fields: &[
        Field {
            name: "path",
            kind: Kind::Text,
            need: Need::Required,
            other_names: PATH_NAMES,
            about: "File or directory, relative to the project directory.",
        },
        Field {
            name: "offset",
            kind: Kind::Integer { minimum: 1 },
            need: Need::Optional,
            other_names: &["start_line", "line"],
            about: "Number of the first line to read, counted from 1.",
        },
        Field {
            name: "limit",
            kind: Kind::Integer { minimum: 1 },
            need: Need::Optional,
            other_names: &["max_lines", "num_lines"],
            about: "How many lines to read.",
        },
    ],
    example: r#"{"path": "src/main.py", "offset": 1, "limit": 200}"#,
};

static EDIT_FILE: Form = Form {
    tool: ToolName::EditFile,
    about: "Replaces an exact text in a file. `old_string` must occur exactly once, with every \
        space and tab as in the file and without the line numbers of read_file; include \
        neighbouring lines to make it unique, or set `replace_all`. Read the file first. Line \
        endings, encoding and mode of the file are kept: write plain newlines. For a new file, or \
        to replace a whole one, use write_file.",
    fields: &[
        Field {
            name: "path",
            kind: Kind::Text,
            need: Need::Required,
            other_names: PATH_NAMES,
            about: "File, relative to the project directory.",
        },
        Field {
            name: "old_string",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["old", "old_text", "old_str"],
            about: "The text to replace, exactly as it stands in the file.",
        },
        Field {
            name: "new_string",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["new", "new_text", "new_str"],
            about: "The text to put in its place. Empty deletes.",
        },
        Field {
            name: "replace_all",
            kind: Kind::Flag,
            need: Need::Optional,
            other_names: &["all"],
            about: "Replace every occurrence instead of exactly one.",
        },
    ],
    example: r#"{"path": "src/main.py", "old_string": "return a - b", "new_string": "return a + b"}"#,
};

static WRITE_FILE: Form = Form {
    tool: ToolName::WriteFile,
    about: "Creates a file with `content`, or replaces the whole of an existing one. Missing \
        directories are made. To change a part of a file use edit_file.",
    fields: &[
        Field {
            name: "path",
            kind: Kind::Text,
            need: Need::Required,
            other_names: PATH_NAMES,
            about: "File, relative to the project directory.",
        },
        Field {
            name: "content",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["contents", "text", "file_text"],
            about: "The whole content of the file.",
        },
    ],
    example: r#"{"path": "src/new_module.py", "content": "def f():\n    return 1\n"}"#,
};

static BASH: Form = Form {
    tool: ToolName::Bash,
    about: "Runs a shell command in the project directory. Returns standard output and standard \
        error together, in order, and the exit code. There is no terminal and no input: pass \
        flags such as -y, and give commit messages with -m. Every call is a new shell, so `cd` \
        and variables do not last. The command is stopped at the session's step time-out. What \
        still runs in the background when the command ends is stopped: start a server and use it \
        within one command. Long output is shortened in the middle. To read, find or search \
        files prefer read_file, glob and grep.",
    fields: &[
        Field {
            name: "command",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["cmd", "script"],
            about: "The command, as for `bash -c`. May have several lines.",
        },
        Field {
            name: "timeout_seconds",
            kind: Kind::Integer { minimum: 1 },
            need: Need::Optional,
            other_names: &[],
            about: "Stop the command after so many seconds. Cannot be longer than the session's \
                step time-out.",
        },
    ],
    example: r#"{"command": "python -m pytest -q tests/test_parser.py"}"#,
};

static GLOB: Form = Form {
    tool: ToolName::Glob,
    about: "Finds files by name. `**` stands for any directories, `*` for any part of a name, \
        `{a,b}` for either; a pattern without `/` is looked for in every directory. Files that \
        .gitignore leaves out are not found. The most recently changed come first.",
    fields: &[
        Field {
            name: "pattern",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["glob"],
            about: "For example `src/**/*.ts` or `*.py`.",
        },
        Field {
            name: "path",
            kind: Kind::Text,
            need: Need::Optional,
            other_names: &["directory", "dir"],
            about: "Directory to look in; the whole project without it.",
        },
    ],
    example: r#"{"pattern": "**/*_test.go", "path": "internal"}"#,
};

static GREP: Form = Form {
    tool: ToolName::Grep,
    about: "Searches the content of files with a regular expression (Rust syntax: no look-around, \
        no back-references; escape ( ) [ ] { } . to mean themselves), line by line. Binary files \
        and files that .gitignore leaves out are not searched. Lines come as `path:number:text`.",
    fields: &[
        Field {
            name: "pattern",
            kind: Kind::Text,
            need: Need::Required,
            other_names: &["regex", "query"],
            about: "For example `def \\w+_parser\\(`.",
        },
        Field {
            name: "path",
            kind: Kind::Text,
            need: Need::Optional,
            other_names: &["directory", "dir"],
            about: "File or directory to search; the whole project without it.",
        },
        Field {
            name: "glob",
            kind: Kind::Text,
            need: Need::Optional,
            other_names: &["include"],
            about: "Search only files of such a name, for example `*.{ts,tsx}`.",
        },
        Field {
            name: "case_insensitive",
            kind: Kind::Flag,
            need: Need::Optional,
            other_names: &["ignore_case", "-i"],
            about: "Take upper and lower case as equal.",
        },
        Field {
            name: "context",
            kind: Kind::Integer { minimum: 0 },
            need: Need::Optional,
            other_names: &["-C"],
            about: "Lines to show before and after each match.",
        },
        Field {
            name: "output_mode",
            kind: Kind::Choice(&["content", "files", "count"]),
            need: Need::Optional,
            other_names: &["mode"],
            about: "`content`: matching lines. `files`: names of files with a match. `count`: \
                matching lines in each file. Default `content`.",
        },
        Field {
            name: "limit",
            kind: Kind::Integer { minimum: 1 },
            need: Need::Optional,
            other_names: &["head_limit", "max_results"],
            about: "Most matching lines (or files) to return. Default 100.",
        },
    ],
    example: r#"{"pattern": "fn parse_\\w+", "path": "src", "glob": "*.rs", "context": 2}"#,
};

/// The form of a tool.
pub(crate) fn form(tool: ToolName) -> &'static Form {
    match tool {
        ToolName::ReadFile => &READ_FILE,
        ToolName::EditFile => &EDIT_FILE,
        ToolName::WriteFile => &WRITE_FILE,
        ToolName::Bash => &BASH,
        ToolName::Glob => &GLOB,
        ToolName::Grep => &GREP,
    }
}

/// The tools as they are offered to a model, in the order given.
pub fn tool_definitions(tools: &[ToolName]) -> Vec<ToolDefinition> {
    tools
        .iter()
        .map(|&tool| {
            let form = form(tool);
            ToolDefinition {
                name: tool.as_str().to_owned(),
                description: form.about.to_owned(),
                parameters: schema(form),
            }
        })
        .collect()
}

fn schema(form: &Form) -> Value {
    let properties: Map<String, Value> = form
        .fields
        .iter()
        .map(|field| {
            let mut property = match field.kind {
                Kind::Text => json!({"type": "string"}),
                Kind::Integer { minimum } => json!({"type": "integer", "minimum": minimum}),
                Kind::Flag => json!({"type": "boolean"}),
                Kind::Choice(choices) => json!({"type": "string", "enum": choices}),
            };
            property["description"] = field.about.into();
            (field.name.to_owned(), property)
        })
        .collect();
    let required: Vec<&str> = form
        .fields
        .iter()
        .filter(|field| field.need == Need::Required)
        .map(|field| field.name)
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
