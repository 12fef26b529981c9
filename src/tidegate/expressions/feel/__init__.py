"""FEEL, the language of the DMN standard: read once, evaluated exactly, compiled to the graph where that can say it."""
