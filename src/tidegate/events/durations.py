"""Lengths of time as authors write them: 90s, 10m, 1h, 7d, 2w."""

import re
from datetime import timedelta

from tidegate.errors import FlowError

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": 10**6,
    "m": 60 * 10**6,
    "h": 3_600 * 10**6,
    "d": 86_400 * 10**6,
    "w": 604_800 * 10**6,
}


def microseconds(said: str | timedelta) -> int:
    """A length of time in microseconds. A bare number is none: some would mean seconds, others ms.

    Raises:
        FlowError: it is neither text, a whole number and one of us, ms, s, m, h, d, w, nor a `timedelta` from 0.
    """
    if isinstance(said, timedelta):
        if said < timedelta(0):
            raise FlowError("A length of time is not negative.", seen=repr(said), do="Leave out the minus.")
        return said // timedelta(microseconds=1)
    found = re.fullmatch(r"\s*(\d+)\s*(us|ms|s|m|h|d|w)\s*", said) if isinstance(said, str) else None
    if not found:
        bare = isinstance(said, int) and not isinstance(said, bool) and said >= 0
        raise FlowError(
            "A length of time is a whole number and a unit (ms, s, m, h, d, w).",
            seen=repr(said),
            do=f"Write what is meant: '{said}ms', '{said}s', '{said}m', '{said}h' or '{said}d'."
            if bare
            else "Write '10m' or '7d'.",
        )
    return int(found[1]) * _UNITS[found[2]]


def written(us: int) -> str:
    """The shortest way to write a length of time given in microseconds: 604800000000 is `7d`."""
    for unit in ("d", "h", "m", "s", "ms"):
        if us and us % _UNITS[unit] == 0:
            return f"{us // _UNITS[unit]}{unit}"
    return f"{us}us"


def in_parts(us: int) -> str:
    """A length of time given in microseconds, as people write it and to the last digit: `11h 30m`, `1d 2s`."""
    rest, parts = abs(us), []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        many, rest = divmod(rest, _UNITS[unit])
        if many:
            parts.append(f"{many}{unit}")
    return ("-" if us < 0 else "") + (" ".join(parts) or "0s")


_SPOKEN = [
    (_UNITS[unit] * least, _UNITS[unit], word)
    for unit, least, word in (("d", 2, "days"), ("h", 2, "h"), ("m", 2, "min"), ("s", 1, "s"), ("ms", 1, "ms"))
]
"""From what length of time on which unit is spoken of, how long that is, and its word."""


def spoken(us: float) -> str:
    """A length of time, given in microseconds, as people say it: in the unit that suits it, to three digits."""
    size = abs(us)
    for least, unit, word in _SPOKEN:
        if size >= least:
            many = us / unit
            return f"{many:,.3g} {word}" if abs(many) < 1000 else f"{many:,.0f} {word}"
    return f"{us:.3g} µs"
