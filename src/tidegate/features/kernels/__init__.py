"""The machine code of the windows: small functions over raw memory, compiled once by Numba and cached on disk."""
