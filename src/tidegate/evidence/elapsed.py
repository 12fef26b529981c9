"""How long each stage of a decision took, as it is kept beside the record: JSON of microseconds by stage, unsealed.

`wait` is from the event's arrival to its turn, known where events wait for one; `decide` is the time of the batch that
it was decided in, up to where the batch was handed to the store. How long keeping took is known only after the record
is written, so the caller is told it, and the record does not have it.
"""

from collections.abc import Sequence

import msgspec

from tidegate.evidence.record import Entry

_DECODER = msgspec.json.Decoder(dict[str, float])


def elapsed(decide: float, wait: float | None = None) -> bytes:
    """The bytes that are kept; both in microseconds."""
    return b'{"decide":%.1f}' % decide if wait is None else b'{"wait":%.1f,"decide":%.1f}' % (wait, decide)


def note(entries: Sequence[Entry], decide: float, waits: Sequence[float]) -> None:
    """Note in the entries of a batch how long they took, in microseconds; without waits of their own they share the
    bytes."""
    if waits:
        # What `elapsed` gives of each, written at once, which is quicker.
        written = b'{"wait":%%.1f,"decide":%.1f}\n' % decide * len(entries) % tuple(waits)
        for entry, line in zip(entries, written.splitlines(), strict=True):
            entry.elapsed = line
        return
    shared = elapsed(decide)
    for entry in entries:
        entry.elapsed = shared


def timing(kept: bytes) -> dict[str, float] | None:
    """Microseconds by stage; None where none were kept. No seal covers them, so anything else that is there is none."""
    if not kept:
        return None
    try:
        return _DECODER.decode(kept)
    except msgspec.DecodeError:
        return None
