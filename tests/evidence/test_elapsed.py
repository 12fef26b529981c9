"""What is kept of how long it took is read again, and what somebody put there instead is not believed."""

import pytest

from tidegate.evidence.elapsed import elapsed, note, timing
from tidegate.evidence.record import Entry


def test_stages_come_back_in_microseconds() -> None:
    assert timing(elapsed(12.34)) == {"decide": 12.3}
    assert timing(elapsed(12.34, 0.0)) == {"wait": 0.0, "decide": 12.3}
    assert timing(elapsed(3e8, 1e9)) == {"wait": 1e9, "decide": 3e8}


@pytest.mark.parametrize("waits", [[], [0.0], [0.04, 0.05, 12.35, 1e9, 3e-9, float("inf")]])
def test_those_of_a_batch_are_noted_as_those_of_each(waits: list[float]) -> None:
    entries = [Entry(f"e{place}", "Payment", 0, b"", b"") for place in range(len(waits) or 3)]
    note(entries, 12.34, waits)
    assert [entry.elapsed for entry in entries] == [elapsed(12.34, wait) for wait in waits or [None] * 3]


@pytest.mark.parametrize("kept", [b"", b"12", b"\xff", b"[1,2,3]", b'{"decide":"soon"}', b'{"decide":1'])
def test_anything_else_is_none(kept: bytes) -> None:
    assert timing(kept) is None
