"""The fixed kernels that run a PMML program: one function per family of operations, compiled once for all models."""
