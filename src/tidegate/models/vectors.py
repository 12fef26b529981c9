"""Floats that a kernel handles as one, its lanes: Numba does not find such groups by itself.

A kernel looks at ROWS rows at once, each in four lanes: two where the processor has registers of 512 bits, else one, so
that a group is one register and what is done to it one instruction (a few on processors without vectors of four). Each
lane is rounded as a single float would be, so what comes out is the same wherever it is worked out.

Beside groups of floats there are flags, one per lane. They are kept as the bits of a byte where the processor computes
with such bits, which it does if it has registers of 512 bits, else as a byte per lane.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, config, types
from numba.core.codegen import get_host_cpu_features
from numba.extending import models, register_model

from tidegate.kernels.compiled import intrinsic

__all__ = [
    "LANES", "POINTS", "ROWS", "above", "add", "choose", "load", "load_flags", "multiply", "new_lanes", "repeat",
    "splat", "store", "store_flags", "subtract", "without",
]  # fmt: skip

POINTS = 4  # lanes of a row
_told: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]  # Numba sets it from NUMBA_CPU_FEATURES
_host: str = get_host_cpu_features()  # type: ignore[no-untyped-call]  # Numba has no types
# By what Numba compiles for, and keeps kernels under: this processor, unless it is told of another.
ROWS = 2 if "+avx512dq" in (_host if _told is None else _told).split(",") else 1
LANES = POINTS * ROWS

_FLOATS = ir.VectorType(ir.DoubleType(), LANES)
_ROW = ir.VectorType(ir.DoubleType(), POINTS)
_BITS = ir.VectorType(ir.IntType(1), LANES)
_BYTE = ir.IntType(8)
_KEPT = _BYTE if ROWS == 2 else ir.VectorType(_BYTE, LANES)


class _Floats(types.Type):
    """The type of a group of floats inside a kernel."""

    def __init__(self) -> None:
        super().__init__(name=f"tidegate.Floats{LANES}")


class _Flags(types.Type):
    """The type of a group of flags inside a kernel."""

    def __init__(self) -> None:
        super().__init__(name=f"tidegate.Flags{LANES}")


@register_model(_Floats)
class _FloatsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)  # type: ignore[no-untyped-call]


@register_model(_Flags)
class _FlagsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BITS)  # type: ignore[no-untyped-call]


FLOATS: Any = _Floats()
FLAGS: Any = _Flags()


def _pointer(kind: Any, context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    proxy: Any = cgutils.create_struct_proxy(array_type)  # type: ignore[no-untyped-call]
    data = proxy(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())


def _shuffled(builder: Any, vector: Any, places: list[int]) -> Any:
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), places)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), order)


@njit(inline="always")
def new_lanes(count):  # type: ignore[no-untyped-def]
    """An array of so many groups that starts on a line of the cache (64 bytes), so that no group straddles two."""
    space = np.empty(LANES * count + 8)
    start = (-space.ctypes.data >> 3) & 7
    return space[start : start + LANES * count]


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """The floats array[index : index + LANES]; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(_FLOATS, context, builder, signature.args[0], *arguments), align=8)

    return FLOATS(array, index), generate


@intrinsic
def repeat(typing: Any, array: Any, index: Any) -> Any:
    """The four floats array[index : index + 4] for each row; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        four = builder.load(_pointer(_ROW, context, builder, signature.args[0], *arguments), align=8)
        return _shuffled(builder, four, list(range(POINTS)) * ROWS)

    return FLOATS(array, index), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, floats: Any) -> Any:
    """Write a group to array[index : index + LANES]; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(_FLOATS, context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, index, floats), generate


@intrinsic
def splat(typing: Any, value: Any) -> Any:
    """The same float in every lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        return _shuffled(builder, first, [0] * LANES)

    return FLOATS(types.float64), generate


@intrinsic
def add(typing: Any, a: Any, b: Any) -> Any:
    """a + b."""
    return FLOATS(a, b), lambda context, builder, signature, pair: builder.fadd(*pair)


@intrinsic
def subtract(typing: Any, a: Any, b: Any) -> Any:
    """a - b."""
    return FLOATS(a, b), lambda context, builder, signature, pair: builder.fsub(*pair)


@intrinsic
def multiply(typing: Any, a: Any, b: Any) -> Any:
    """a * b."""
    return FLOATS(a, b), lambda context, builder, signature, pair: builder.fmul(*pair)


@intrinsic
def load_flags(typing: Any, array: Any, index: Any) -> Any:
    """The flags kept in an array of bytes from array[index] on; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kept = builder.load(_pointer(_KEPT, context, builder, signature.args[0], *arguments), align=1)
        return builder.bitcast(kept, _BITS) if _KEPT is _BYTE else builder.icmp_signed("<", kept, _KEPT([0] * LANES))

    return FLAGS(array, index), generate


@intrinsic
def store_flags(typing: Any, array: Any, index: Any, flags: Any) -> Any:
    """Keep flags in an array of bytes from array[index] on; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(_KEPT, context, builder, signature.args[0], *arguments[:2])
        kept = builder.bitcast(arguments[2], _BYTE) if _KEPT is _BYTE else builder.sext(arguments[2], _KEPT)
        builder.store(kept, place, align=1)
        return context.get_dummy_value()

    return types.void(array, index, flags), generate


@intrinsic
def above(typing: Any, flags: Any, a: Any, b: Any) -> Any:
    """Where the flag is set and a > b."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.and_(arguments[0], builder.fcmp_ordered(">", *arguments[1:]))

    return FLAGS(flags, a, b), generate


@intrinsic
def without(typing: Any, flags: Any, less: Any) -> Any:
    """Where the flag is set, but not that of `less`, which are some of them."""
    return FLAGS(flags, less), lambda context, builder, signature, pair: builder.xor(*pair)


@intrinsic
def choose(typing: Any, flags: Any, a: Any, b: Any) -> Any:
    """a where the flag is set, else b: without a branch."""
    return FLOATS(flags, a, b), lambda context, builder, signature, three: builder.select(*three)
