//! Identifiers. Each is its own type, so that a branch is never passed for a step.

use serde::{Deserialize, Serialize};
use specta::Type;
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
        )]
        #[serde(transparent)]
        #[specta(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps a text that is known to be such an id.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// A session: ten lower-case letters and digits, unique on a machine and safe in a branch name.
    SessionId
);
text_id!(
    /// A task's `id` as its data file gives it.
    TaskId
);
text_id!(
    /// A branch within its session: `main`, `branch_2`, `abandoned_1`, or a name the annotator gave.
    BranchId
);
/// A worktree of a session: 0 is the first; where branches run one after the other it is the only
/// one, the project directory itself.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
#[specta(transparent)]
pub struct WorktreeId(pub u32);

impl WorktreeId {
    /// Whether it is the first.
    pub const fn is_first(&self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for WorktreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_id!(
    /// A step within its session (`s12`). Permanent: a rollback moves steps between branches and
    /// may give two of them the same number, never the same id.
    StepId
);
text_id!(
    /// A model message within its session (`m7`).
    MessageId
);
text_id!(
    /// The commit that holds a checkpoint's files, as 40 hexadecimal digits.
    CheckpointId
);
text_id!(
    /// A large text kept beside the event log: the BLAKE3 hash of its bytes, as 64 hexadecimal digits.
    BlobId
);

impl BranchId {
    /// The root branch of every session.
    pub fn main() -> Self {
        Self::new("main")
    }
}

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
#[specta(transparent)]
pub struct Millis(#[specta(type = specta_typescript::Number)] pub i64);

impl Millis {
    /// Milliseconds from `earlier` to `self`, never negative.
    pub fn since(self, earlier: Self) -> u32 {
        u32::try_from((self.0 - earlier.0).max(0)).unwrap_or(u32::MAX)
    }
}
