"""What was done to a log, and where."""

from typing import Literal

import msgspec

How = Literal["changed", "removed", "inserted", "reordered", "unreadable", "rewritten", "cut back"]


class Fault(msgspec.Struct, frozen=True):
    """The first record or refusal that was touched.

    Args:
        seq: its number; of a rewritten commit the first number it may be.
        id: the id found there, None where there is none.
        how: what was done to it.
        words: the same as a sentence, with how it was noticed.
        log: which of the two logs it is in.
    """

    seq: int
    id: str | None
    how: How
    words: str
    log: Literal["records", "refusals"] = "records"
