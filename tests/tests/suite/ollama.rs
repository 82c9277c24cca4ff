//! Runs against an Ollama server: what it is asked, and what its failures look like.
