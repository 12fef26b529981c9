"""Four floats that a kernel handles as one: Numba does not find such groups by itself.

`load4`, `store4`, `splat4`, `add4`, `subtract4` and `multiply4` become one instruction each where the processor has
256-bit registers, and a few where it has not. Each lane is rounded as a single float would be.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import models, register_model

from tidegate.kernels.compiled import intrinsic

__all__ = ["add4", "choose4", "load4", "multiply4", "splat4", "store4", "subtract4"]

_LANES = ir.VectorType(ir.DoubleType(), 4)


class _Four(types.Type):
    """The type of four floats inside a kernel."""

    def __init__(self) -> None:
        super().__init__(name="tidegate.Four")


@register_model(_Four)
class _FourModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _LANES)  # type: ignore[no-untyped-call]


FOUR: Any = _Four()


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    proxy: Any = cgutils.create_struct_proxy(array_type)  # type: ignore[no-untyped-call]
    data = proxy(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), _LANES.as_pointer())


@intrinsic
def load4(typing: Any, array: Any, index: Any) -> Any:
    """The floats array[index : index + 4]; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=8)

    return FOUR(array, index), generate


@intrinsic
def store4(typing: Any, array: Any, index: Any, four: Any) -> Any:
    """Write four floats to array[index : index + 4]; the index is unsigned and not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, index, four), generate


@intrinsic
def splat4(typing: Any, value: Any) -> Any:
    """The same float four times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(_LANES, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), 4), [0, 0, 0, 0]))

    return FOUR(types.float64), generate


@intrinsic
def add4(typing: Any, a: Any, b: Any) -> Any:
    """a + b."""
    return FOUR(a, b), lambda context, builder, signature, pair: builder.fadd(*pair)


@intrinsic
def subtract4(typing: Any, a: Any, b: Any) -> Any:
    """a - b."""
    return FOUR(a, b), lambda context, builder, signature, pair: builder.fsub(*pair)


@intrinsic
def multiply4(typing: Any, a: Any, b: Any) -> Any:
    """a * b."""
    return FOUR(a, b), lambda context, builder, signature, pair: builder.fmul(*pair)


@intrinsic
def choose4(typing: Any, first: Any, a: Any, b: Any) -> Any:
    """a if `first`, an unsigned 0 or 1, is 1, else b: without a branch."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flags = ir.VectorType(ir.IntType(1), 4)
        one = builder.trunc(arguments[0], ir.IntType(1))
        placed = builder.insert_element(ir.Constant(flags, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
        all_four = builder.shuffle_vector(
            placed, ir.Constant(flags, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), 4), [0, 0, 0, 0])
        )
        return builder.select(all_four, arguments[1], arguments[2])

    return FOUR(first, a, b), generate
