"""The kernel that runs a program over rows, a block of them at a time."""

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import fixed
from tidegate.models.pmml.kernels.distances import distances
from tidegate.models.pmml.kernels.ensembles import ensembles
from tidegate.models.pmml.kernels.fields import fields
from tidegate.models.pmml.kernels.sums import sums
from tidegate.models.pmml.kernels.trees import trees
from tidegate.models.pmml.kernels.values import flow, many, one, two

__all__ = ["BLOCK", "run", "steps"]

BLOCK = 64  # rows that share a pass over the program, so that it is read once for all of them


@fixed("void(int64[::1], float64[::1], float64[:, ::1], int64, int64, int64)")
def steps(code, numbers, registers, start, stop, rows):  # type: ignore[no-untyped-def]
    """Run the operations in code[start:stop] over the first rows of the registers."""
    at = start
    while at < stop:
        family = code[at] // o.FAMILY
        if family == 0:
            if code[at] == o.UNLESS:
                for_one = False
                for i in range(rows):
                    for_one |= registers[code[at + 2], i] == 1.0
                at += code[at + 1] if for_one else code[at + 3]
                continue
            flow(code, numbers, registers, at, rows)
        elif family == 1:
            one(code, numbers, registers, at, rows)
        elif family == 2:
            two(code, numbers, registers, at, rows)
        elif family == 3:
            many(code, numbers, registers, at, rows)
        elif family == 4:
            fields(code, numbers, registers, at, rows)
        elif family == 5:
            trees(code, numbers, registers, at, rows)
        elif family == 6:
            sums(code, numbers, registers, at, rows)
        elif family == 7:
            distances(code, numbers, registers, at, rows)
        else:
            ensembles(code, numbers, registers, at, rows)
        at += code[at + 1]


@fixed("void(int64[::1], float64[::1], int64, int64[::1], float64[:, :], int64[::1], float64[:, :])")
def run(code, numbers, count, inputs, given, outputs, answers):  # type: ignore[no-untyped-def]
    """Run a whole program: given[row, input] to answers[row, output], by way of `count` registers."""
    rows = len(given)
    width = min(rows, BLOCK)
    registers = np.empty((count, width))
    for first in range(0, rows, width):
        here = min(width, rows - first)
        for i in range(here):
            for k in range(len(inputs)):
                registers[inputs[k], i] = given[first + i, k]
        steps(code, numbers, registers, 0, len(code), here)
        for i in range(here):
            for k in range(len(outputs)):
                answers[first + i, k] = registers[outputs[k], i]
