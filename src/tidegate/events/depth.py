"""How deep JSON is nested, told before a parser goes down into it.

A parser that goes down level by level takes the stack that there is, and ends the process when there is no more. What
interpreters count against it differs: CPython 3.12 and 3.13 let it go some ten thousand levels down, and deeper once
errors were raised that far below.
"""

import re
from itertools import accumulate
from typing import Any

import msgspec

DEEPEST = 500
"""Levels that are gone down: an event has two or three."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def too_deep(body: bytes | str) -> bool:
    """Whether JSON, well-formed or not, is nested deeper than `DEEPEST` as far as a parser would come in it."""
    if len(body) <= DEEPEST:
        return False
    raw = body if isinstance(body, bytes) else body.encode(errors="replace")
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    brackets = _TEXT.sub(b"", raw).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEEPEST


def require_shallow(body: bytes | str) -> None:
    """Make sure, before a parser that is given it goes down, that JSON is not nested too deep.

    Raises:
        RecursionError: it is nested deeper than `DEEPEST`.
    """
    if too_deep(body):
        raise RecursionError(f"nested deeper than {DEEPEST} levels")


def plain_values(body: bytes | str) -> Any:
    """What JSON of any shape holds.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested deeper than `DEEPEST`.
    """
    require_shallow(body)
    return msgspec.json.decode(body)
