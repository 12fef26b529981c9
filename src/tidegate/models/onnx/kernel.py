"""One row of a batch's cells into the tensor that most models read, without a step in Python."""

import numpy as np

from tidegate.kernels.compiled import compiled
from tidegate.models.kernels import INPUT_FLOAT, INPUT_WORDS, MISSING

__all__ = ["read_single"]

_FARTHEST = float(np.finfo(np.float32).max)


@compiled("boolean(int64[::1], int64[:, ::1], int64, float32[:, ::1])")
def read_single(inputs, cells, row, tensor):  # type: ignore[no-untyped-def]
    """Fill a tensor of one row; False where a value is missing, or is more than a float of 32 bits holds."""
    floats = cells.view(np.float64)
    for k in range(tensor.shape[1]):
        at = k * INPUT_WORDS
        if inputs[at + 1] == INPUT_FLOAT:
            value = floats[inputs[at], row]
        else:
            cell = cells[inputs[at], row]
            if cell == MISSING:
                return False
            value = np.float64(cell)
        if not abs(value) <= _FARTHEST:
            return False
        tensor[0, k] = value
    return True
