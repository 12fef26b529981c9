"""Decision tables: rows of cells over named inputs, read from text, checked, and answered by an index."""
