"""What was done to a log or to what its records rest on, and where."""

from typing import Literal

import msgspec

How = Literal["changed", "removed", "inserted", "reordered", "unreadable", "rewritten", "cut back", "repeated"]


class Fault(msgspec.Struct, frozen=True):
    """The first record, refusal, artefact or id that was touched.

    Args:
        seq: its number; of a rewritten commit the first number it may be; of an artefact that of the first record
            that rests on it.
        id: the id found there, None where there is none; of an artefact that of the record.
        how: what was done to it.
        words: the same as a sentence, with how it was noticed.
        log: which of the two logs it is in, or that it is in the artefacts or in the index of ids.
    """

    seq: int
    id: str | None
    how: How
    words: str
    log: Literal["records", "refusals", "artefacts", "ids"] = "records"
