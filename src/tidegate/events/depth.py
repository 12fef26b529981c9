"""How deep JSON is nested, told before a parser goes down into it.

A parser that goes down level by level takes the stack that there is, and ends the process when there is no more. What
interpreters count against it differs: CPython 3.12 and 3.13 let it go some ten thousand levels down, and deeper once
errors were raised that far below.
"""

import re
from typing import Any

import msgspec
import numpy as np

DEEPEST = 500
"""Levels that are gone down: an event has two or three."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def too_deep(body: bytes | str) -> bool:
    """Whether JSON, well-formed or not, is nested deeper than `DEEPEST` as far as a parser would come in it."""
    if len(body) <= DEEPEST:
        return False
    raw = body if isinstance(body, bytes) else body.encode(errors="replace")
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    marks = np.frombuffer(_TEXT.sub(b"", raw), np.uint8)
    opened, closed = (marks == ord("[")) | (marks == ord("{")), (marks == ord("]")) | (marks == ord("}"))
    return bool(np.cumsum(opened.astype(np.int64) - closed).max(initial=0) > DEEPEST)


def plain_values(body: bytes | str) -> Any:
    """What JSON of any shape holds.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested deeper than `DEEPEST`.
    """
    if too_deep(body):
        raise RecursionError(f"nested deeper than {DEEPEST} levels")
    return msgspec.json.decode(body)
