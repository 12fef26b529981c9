"""Operations on values: choosing, functions of one, two and many arguments.

A missing argument gives a missing result and an invalid one an invalid result, unless the operation is about just that.
"""

import math

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed, inlined

__all__ = ["flow", "invalid", "many", "one", "two"]

LOW = 0xFFFFFFFF


@inlined
def invalid(bits, register, row):  # type: ignore[no-untyped-def]
    """Whether a register that is NaN holds an invalid value rather than a missing one; `bits` are the registers'."""
    return bits[register, row] & LOW != 0


@fixed("float64(float64)")
def quantile(p):  # type: ignore[no-untyped-def]
    """The standard normal quantile: Wichura 1988, algorithm AS 241 (PPND16), to 1e-16 relative."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                + 1.3314166789178437745e2) * r + 3.387132872796366608e0)  # fmt: skip
        den = (((((((5.226495278852854561e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                + 4.2313330701600911252e1) * r + 1.0)  # fmt: skip
        return q * num / den
    r = p if q < 0.0 else 1.0 - p
    if r <= 0.0:
        return math.nan if r < 0.0 else math.copysign(math.inf, q)
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        num = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
                + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
                + 4.63033784615654529590e0) * r + 1.42343711074968357734e0)  # fmt: skip
        den = (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                + 2.05319162663775882187e0) * r + 1.0)  # fmt: skip
    else:
        r -= 5.0
        num = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
                + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
                + 5.46378491116411436990e0) * r + 6.65790464350110377720e0)  # fmt: skip
        den = (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                + 5.99832206555887937690e-1) * r + 1.0)  # fmt: skip
    return math.copysign(num / den, q)


@fixed(STEP)
def flow(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """CHOOSE to, strict, pairs, (if, then)…, else: the first whose condition holds. COPY, CONSTANT, FIRST_FAULT."""
    kind, to = code[at], code[at + 2]
    bits = registers.view(np.int64)
    if kind == o.COPY:
        registers[to, :rows] = registers[code[at + 3], :rows]
    elif kind == o.CONSTANT:
        registers[to, :rows] = numbers[code[at + 3]]
    elif kind == o.FIRST_FAULT:
        for i in range(rows):
            source = code[at + 3]
            for k in range(code[at + 4]):
                register = code[at + 5 + k]
                if registers[register, i] != registers[register, i] and invalid(bits, register, i):
                    source = register
                    break
            registers[to, i] = registers[source, i]
    elif kind == o.CHOOSE:
        strict, pairs = code[at + 3], code[at + 4]
        for i in range(rows):
            source = code[at + 5 + 2 * pairs]
            for k in range(pairs):
                condition = code[at + 5 + 2 * k]
                held = registers[condition, i]
                if held == 1.0:
                    source = code[at + 6 + 2 * k]
                    break
                if strict and held != held:
                    source = condition
                    break
            registers[to, i] = registers[source, i] if source >= 0 else math.nan


@fixed("float64(int64, float64)")
def _of_one(kind, x):  # type: ignore[no-untyped-def]
    if kind == o.NOT:
        return 1.0 - x
    if kind == o.NEGATE:
        return -x
    if kind == o.ABS:
        return abs(x)
    if kind == o.EXP:
        return math.exp(x)
    if kind == o.LN:
        return math.log(x) if x > 0.0 else math.nan
    if kind == o.LOG10:
        return math.log10(x) if x > 0.0 else math.nan
    if kind == o.SQRT:
        return math.sqrt(x) if x >= 0.0 else math.nan
    if kind == o.FLOOR:
        return np.floor(x)
    if kind == o.CEIL:
        return np.ceil(x)
    if kind == o.ROUND:
        return np.floor(x + 0.5)
    if kind == o.RINT:
        return np.rint(x)
    if kind == o.SIN:
        return math.sin(x)
    if kind == o.COS:
        return math.cos(x)
    if kind == o.TAN:
        return math.tan(x)
    if kind == o.ASIN:
        return math.asin(x) if abs(x) <= 1.0 else math.nan
    if kind == o.ACOS:
        return math.acos(x) if abs(x) <= 1.0 else math.nan
    if kind == o.ATAN:
        return math.atan(x)
    if kind == o.SINH:
        return math.sinh(x)
    if kind == o.COSH:
        return math.cosh(x)
    if kind == o.TANH:
        return math.tanh(x)
    if kind == o.EXPM1:
        return math.expm1(x)
    if kind == o.LN1P:
        return math.log1p(x) if x > -1.0 else math.nan
    if kind == o.ERF:
        return math.erf(x)
    if kind == o.STD_NORMAL_CDF:
        return 0.5 * math.erfc(-x / math.sqrt(2.0))
    if kind == o.STD_NORMAL_PDF:
        return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    if kind == o.STD_NORMAL_IDF:
        return quantile(x)
    if kind == o.TO_INTEGER:
        return x if x == np.floor(x) else math.nan
    if kind == o.TO_FLOAT:
        return np.float64(np.float32(x))
    if kind == o.TO_BOOLEAN:
        return x if x == 0.0 or x == 1.0 else math.nan
    return math.nan


@fixed(STEP)
def one(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """Functions of one argument: to, from, #fault."""
    kind, to, a, fault = code[at], code[at + 2], code[at + 3], numbers[code[at + 4]]
    bits = registers.view(np.int64)
    for i in range(rows):
        x = registers[a, i]
        if o.IS_MISSING <= kind <= o.IS_NOT_VALID:
            no = x != x
            wrong = no and invalid(bits, a, i)
            if kind == o.IS_MISSING:
                registers[to, i] = 1.0 if no and not wrong else 0.0
            elif kind == o.IS_NOT_MISSING:
                registers[to, i] = 0.0 if no and not wrong else 1.0
            elif kind == o.IS_VALID:
                registers[to, i] = 0.0 if no else 1.0
            else:
                registers[to, i] = 1.0 if no else 0.0
        elif x != x:
            registers[to, i] = x
        else:
            result = _of_one(kind, x)
            registers[to, i] = result if math.isfinite(result) else fault


@fixed("float64(int64, float64, float64)")
def _of_two(kind, x, y):  # type: ignore[no-untyped-def]
    if kind == o.ADD:
        return x + y
    if kind == o.SUBTRACT:
        return x - y
    if kind == o.MULTIPLY:
        return x * y
    if kind == o.DIVIDE:
        return x / y if y != 0.0 else math.nan
    if kind == o.POWER:
        return math.pow(x, y) if x >= 0.0 or y == np.floor(y) else math.nan
    if kind == o.MODULO:
        return x - y * np.floor(x / y) if y != 0.0 else math.nan
    if kind == o.ATAN2:
        return math.atan2(x, y)
    if kind == o.HYPOT:
        return math.hypot(x, y)
    held = False
    if kind == o.EQUAL:
        held = x == y
    elif kind == o.NOT_EQUAL:
        held = x != y
    elif kind == o.LESS:
        held = x < y
    elif kind == o.LESS_EQUAL:
        held = x <= y
    elif kind == o.GREATER or kind == o.THRESHOLD:
        held = x > y
    elif kind == o.GREATER_EQUAL:
        held = x >= y
    return 1.0 if held else 0.0


@fixed(STEP)
def two(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """Functions of two arguments: to, a, b, #fault."""
    kind, to, a, b, fault = code[at], code[at + 2], code[at + 3], code[at + 4], numbers[code[at + 5]]
    bits = registers.view(np.int64)
    for i in range(rows):
        x, y = registers[a, i], registers[b, i]
        if kind == o.DEFAULT:
            registers[to, i] = y if x != x and not invalid(bits, a, i) else x
        elif kind == o.VALID_OR:
            registers[to, i] = y if x != x and invalid(bits, a, i) else x
        elif x != x:
            registers[to, i] = y if y != y and invalid(bits, b, i) and not invalid(bits, a, i) else x
        elif y != y:
            registers[to, i] = y
        else:
            result = _of_two(kind, x, y)
            registers[to, i] = result if math.isfinite(result) else fault


@fixed(STEP)
def many(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """Functions of many arguments: to, #fault, how many, registers…"""
    kind, to, fault, count = code[at], code[at + 2], numbers[code[at + 3]], code[at + 4]
    bits = registers.view(np.int64)
    there = np.empty(count)
    for i in range(rows):
        known, wrong = 0, -1
        for k in range(count):
            register = code[at + 5 + k]
            x = registers[register, i]
            if x == x:
                there[known] = x
                known += 1
            elif invalid(bits, register, i) and wrong < 0:
                wrong = register
        if kind == o.AND or kind == o.OR:
            decisive = 0.0 if kind == o.AND else 1.0
            found = False
            for k in range(known):
                found |= there[k] == decisive
            if found:
                registers[to, i] = decisive
            elif wrong >= 0:
                registers[to, i] = registers[wrong, i]
            else:
                registers[to, i] = 1.0 - decisive if known == count else math.nan
            continue
        if kind == o.PRIORITY:
            registers[to, i] = there[0] if known else math.nan
            continue
        if wrong >= 0:
            registers[to, i] = registers[wrong, i]
            continue
        if kind == o.IS_IN or kind == o.IS_NOT_IN:
            first = registers[code[at + 5], i]
            if first != first:
                registers[to, i] = math.nan
                continue
            found = False
            for k in range(1, known):
                found |= there[k] == first
            registers[to, i] = 1.0 if found == (kind == o.IS_IN) else 0.0
            continue
        if known == 0:
            registers[to, i] = math.nan
            continue
        result = there[0]
        if kind == o.MEDIAN:
            result = np.median(there[:known])
        else:
            for k in range(1, known):
                if kind == o.MINIMUM:
                    result = min(result, there[k])
                elif kind == o.MAXIMUM:
                    result = max(result, there[k])
                elif kind == o.PRODUCT:
                    result *= there[k]
                else:
                    result += there[k]
            if kind == o.AVERAGE:
                result /= known
        registers[to, i] = result if math.isfinite(result) else fault
