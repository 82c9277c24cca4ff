//! A scripted Ollama server.
