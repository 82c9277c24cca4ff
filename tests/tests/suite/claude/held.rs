//! The agent process alone: what each answer to a proposal leads to with Claude Code.
