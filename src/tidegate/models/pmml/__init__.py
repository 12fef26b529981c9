"""PMML 3.0 to 4.4 (Data Mining Group): read once into flat arrays, run by fixed kernels."""
