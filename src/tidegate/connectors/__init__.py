"""The edges: each file here knows one outside system."""
