"""The DMN Technology Compatibility Kit: its cases read, asked of a model, and compared with what they expect."""
