"""Merging: what a stable sort of everything would give, from sources in pieces of any size."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import tidegate.expressions  # noqa: F401  (gives fields their expressions)
from tidegate.connectors.files_merge import merge_batches
from tidegate.events.event import Event


class One(Event):
    pass


class Two(Event):
    pass


class Three(Event):
    pass


TYPES = (One, Two, Three)
sources = st.lists(st.lists(st.lists(st.integers(0, 8), max_size=4), max_size=5), min_size=3, max_size=3)


@given(sources)
def test_merged_is_sorted(streams: list[list[list[int]]]) -> None:
    expected, given_frames = [], []
    for which, pieces in enumerate(streams):
        latest, row, frames = 0, 0, []
        for piece in pieces:
            frames.append(
                pl.DataFrame(
                    {"id": [f"{which}-{row + i}" for i in range(len(piece))], "at": piece},
                    schema={"id": pl.String, "at": pl.Int64},
                )
            )
            for at in piece:
                latest = max(latest, at)
                expected.append((latest, which, row))
                row += 1
        given_frames.append(frames)
    expected.sort()
    pairs = list(zip(TYPES, given_frames, strict=True))
    seen = []
    for batch in merge_batches(pairs):
        rows = [iter(frame["id"] if frame.height else ()) for _, frame in batch.parts]
        seen += [(batch.parts[which][0], next(rows[which])) for which in batch.source]
        assert all(next(left, None) is None for left in rows)
    assert seen == [(TYPES[which], f"{which}-{row}") for _, which, row in expected]
