"""Importing this puts Python's own `print` back, before Numba is imported.

PyFlink's workers replace it by a method; Numba looks `print` up by its name in its module, and does not find that one.
"""

import builtins

_replaced = getattr(getattr(builtins.print, "__self__", None), "_print", None)
if _replaced is not None:
    builtins.print = _replaced
