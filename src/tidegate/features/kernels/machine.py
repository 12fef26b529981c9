"""What the kernels are written in: loads and stores at addresses, 128-bit sums, and the C allocator.

An address is a plain int64 and every number is an 8-byte word, so a kernel takes one argument and no array is ever
boxed: passing ten arrays to a compiled function costs more than reading thirty windows.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

_I32, _I64, _I128, _F64 = ir.IntType(32), ir.IntType(64), ir.IntType(128), ir.DoubleType()
_function: Callable[..., Any] = cgutils.get_or_insert_function
_SEEN = {"i": types.int64, "f": types.float64, "n": types.void}


def helper(function: F) -> F:
    """A function that kernels call: compiled with them, never by itself."""
    return cast(F, njit(nogil=True, error_model="numpy")(function))


def _made(shape: str, emit: Callable[..., Any]) -> Any:
    """An intrinsic whose argument and result kinds are spelt in `shape`: 'ii>i' takes two words and gives one."""
    takes, gives = shape.split(">")
    signature = _SEEN[gives](*[_SEEN[kind] for kind in takes])

    def codegen(context: Any, builder: Any, _: Any, args: Any) -> Any:
        value = emit(builder, *args)
        return context.get_dummy_value() if gives == "n" else value

    # Numba reads the number of arguments off the function, so there is one form for each.
    forms: dict[int, Any] = {
        1: lambda typing, a: (signature, codegen),
        2: lambda typing, a, b: (signature, codegen),
        3: lambda typing, a, b, c: (signature, codegen),
    }
    return intrinsic(forms[len(takes)])


def _at(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [index])


def _load128(builder: Any, address: Any, index: int) -> Any:
    return builder.load(_at(builder, address, _I64(index), _I128), align=8)


def _store128(builder: Any, value: Any, address: Any, index: int) -> None:
    builder.store(value, _at(builder, address, _I64(index), _I128), align=8)


def _square(builder: Any, value: Any) -> Any:
    wide = builder.sext(value, _I128)
    return builder.mul(wide, wide)


def _float128(builder: Any, value: Any) -> Any:
    """A signed 128-bit number as the nearest double, or the next to it."""
    negative = builder.icmp_signed("<", value, _I128(0))
    size = builder.select(negative, builder.neg(value), value)  # else the halves of a small negative number cancel
    high = builder.uitofp(builder.trunc(builder.lshr(size, _I128(64)), _I64), _F64)
    low = builder.uitofp(builder.trunc(size, _I64), _F64)
    found = builder.fadd(builder.fmul(high, _F64(2.0**64)), low)
    return builder.select(negative, builder.fneg(found), found)


def _spread(builder: Any, sums: Any, n: Any, middle: Any) -> Any:
    """n * sum((v - mean)**2), from sum(v) and sum(v*v); see `sums.deviation` for the algebra."""
    total, squares = _load128(builder, sums, 0), _load128(builder, sums, 1)
    n, middle = builder.sext(n, _I128), builder.sext(middle, _I128)
    rest = builder.sub(total, builder.mul(n, middle))
    about = builder.sub(squares, builder.mul(middle, builder.add(total, rest)))
    exact = _float128(builder, builder.sub(builder.mul(n, about), builder.mul(rest, rest)))
    rest_float = _float128(builder, rest)
    rough = builder.fsub(
        builder.fmul(_float128(builder, n), _float128(builder, about)), builder.fmul(rest_float, rest_float)
    )
    fits = builder.icmp_unsigned("<", about, _I128(1 << 94))
    return builder.select(fits, exact, rough)


def _call(name: str, gives: Any, *takes: Any) -> Callable[..., Any]:
    def emit(builder: Any, *args: Any) -> Any:
        shape = ir.FunctionType(gives, list(takes))
        function = _function(builder.module, shape, name)
        return builder.call(function, args)

    return emit


def _prefetch(builder: Any, address: Any) -> Any:
    pointer = ir.IntType(8).as_pointer()
    shape = ir.FunctionType(ir.VoidType(), [pointer, _I32, _I32, _I32])
    function = _function(builder.module, shape, "llvm.prefetch.p0")
    return builder.call(function, [builder.inttoptr(address, pointer), _I32(0), _I32(3), _I32(1)])


word: Callable[[int, int], int] = _made("ii>i", lambda b, p, i: b.load(_at(b, p, i, _I64)))
"""The int64 at word `i` from the address."""
put: Callable[[int, int, int], None] = _made("iii>n", lambda b, p, i, v: b.store(v, _at(b, p, i, _I64)))
real: Callable[[int, int], float] = _made("ii>f", lambda b, p, i: b.load(_at(b, p, i, _F64)))
put_real: Callable[[int, int, float], None] = _made("iif>n", lambda b, p, i, v: b.store(v, _at(b, p, i, _F64)))
half: Callable[[int, int], int] = _made("ii>i", lambda b, p, i: b.zext(b.load(_at(b, p, i, _I32)), _I64))
"""The unsigned 32-bit number at half-word `i`."""
put_half: Callable[[int, int, int], None] = _made(
    "iii>n", lambda b, p, i, v: b.store(b.trunc(v, _I32), _at(b, p, i, _I32))
)
as_real: Callable[[int], float] = _made("i>f", lambda b, v: b.bitcast(v, _F64))
as_word: Callable[[float], int] = _made("f>i", lambda b, v: b.bitcast(v, _I64))
fma: Callable[[float, float, float], float] = _made("fff>f", lambda b, x, y, z: b.fma(x, y, z))

wide_add: Callable[[int, int], None] = _made(
    "ii>n", lambda b, p, v: _store128(b, b.add(_load128(b, p, 0), b.sext(v, _I128)), p, 0)
)
"""Add a word to the 128-bit number at the address."""
wide_add_square: Callable[[int, int], None] = _made(
    "ii>n", lambda b, p, v: _store128(b, b.add(_load128(b, p, 0), _square(b, v)), p, 0)
)
wide_sub_square: Callable[[int, int], None] = _made(
    "ii>n", lambda b, p, v: _store128(b, b.sub(_load128(b, p, 0), _square(b, v)), p, 0)
)
wide_real: Callable[[int], float] = _made("i>f", lambda b, p: _float128(b, _load128(b, p, 0)))
wide_spread: Callable[[int, int, int], float] = _made("iii>f", _spread)

allocate: Callable[[int], int] = _made("i>i", _call("malloc", _I64, _I64))
"""Memory of so many bytes, or 0 when there is none."""
release: Callable[[int], None] = _made("i>n", _call("free", ir.VoidType(), _I64))
prefetch: Callable[[int], None] = _made("i>n", _prefetch)
