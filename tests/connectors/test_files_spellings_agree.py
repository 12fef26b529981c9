"""A value is read alike from CSV, Parquet and NDJSON, however it is spelled and whatever its neighbours look like."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.connectors.shipments import Sender
from tidegate.connectors.files import read
from tidegate.events.event import Event


class Reading(Event):
    sender: Sender
    seen: datetime | None
    weight: float


_ZONES = st.sampled_from(
    ["Z", "z", "+00:00", "-00:00", "+01:00", "-0530", "+23:59", "+24:00", "+01", "+1:00", " Z", "\u221201:00", ""]
)
_FRACTIONS = st.just("") | st.builds(".{}".format, st.text("0459", max_size=10)) | st.just(",5")
_DAYS = st.one_of(
    st.dates().map(str),
    st.sampled_from(["2026-02-29", "2026-1-1", "+2026-01-01", "0000-01-01", "9999-12-31", "2199-12-31", "1969-12-31"]),
)
_HOURS = st.times().map(lambda at: at.strftime("%H:%M:%S")) | st.sampled_from(
    ["24:00:00", "23:59:60", "23:59:59", "00:00", "0:00:00"]
)
_SPELLED = st.builds("{}{}{}{}{}".format, _DAYS, st.sampled_from("Tt _"), _HOURS, _FRACTIONS, _ZONES)
_USUAL = st.builds("2026-01-01T{}{}{}".format, _HOURS, st.just("") | st.just(".25"), st.sampled_from(["Z", "+00:00"]))
_TIMES = _USUAL | _SPELLED | st.sampled_from(["2026-01-01 00:00:00Z", "2026-01-01t00:00:00z", " 2026-01-01T00:00:00Z"])
_WEIGHTS = st.floats(allow_nan=False, allow_infinity=False) | st.just(-0.0)
_HALVES = [("2026-01-01T00:00:00.1234565Z", "2026-01-01T00:00:00.9999995Z", -0.0)]
_BLANKS = [("2026-01-01 00:00:00Z", None, 1.0), ("2026-01-01T00:00:00+01:00", None, 1.0)]


def _outcome(path: Path, chunk: int) -> tuple[pl.DataFrame, list[int]]:
    """The events, and which lines were refused."""
    chunks = list(read(path, Reading, chunk=chunk))
    refused = [row.line for one in chunks for row in one.refused]
    return pl.concat(one.frame for one in chunks), refused


def _bits(frame: pl.DataFrame) -> list[str]:
    return [value.hex() for value in frame["weight"]]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(_TIMES, st.none() | _TIMES, _WEIGHTS), min_size=1, max_size=9),
    chunk=st.integers(1, 5),
    other=st.integers(1, 5),
)
@example(rows=_HALVES, chunk=1, other=2)
@example(rows=_BLANKS[:1] * 2 + _BLANKS[1:], chunk=2, other=3)
@example(rows=_BLANKS, chunk=1, other=2)
def test_a_row_is_read_alike_from_every_form_beside_any_others(
    tmp_path: Path, rows: list[tuple[str, str | None, float]], chunk: int, other: int
) -> None:
    made: list[dict[str, Any]] = [
        {"id": f"r{n}", "at": at, "sender": "s", "seen": seen, "weight": weight}
        for n, (at, seen, weight) in enumerate(rows)
    ]
    schema = {"id": pl.String, "at": pl.String, "sender": pl.String, "seen": pl.String, "weight": pl.Float64}
    frame = pl.DataFrame(made, schema=schema)
    (tmp_path / "a.ndjson").write_text("\n".join(map(json.dumps, made)))
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    want, wrong = _outcome(tmp_path / "a.ndjson", chunk)
    for suffix, before in (("csv", 1), ("parquet", 0)):
        for size in (chunk, other):
            seen, refused = _outcome(tmp_path / f"a.{suffix}", size)
            assert [line - before for line in refused] == wrong
            assert_frame_equal(seen, want, check_exact=True)
            assert _bits(seen) == _bits(want)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nanoseconds=st.lists(st.integers(-(10**9), 10**9) | st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=9)
)
@example(nanoseconds=[-500, -501, -1500, 499, 500, 1499, 1500])
def test_a_column_of_nanoseconds_is_what_its_texts_are(tmp_path: Path, nanoseconds: list[int]) -> None:
    typed = pl.DataFrame({"seen": nanoseconds}).select(
        pl.col("seen").cast(pl.Datetime("ns", "UTC")), id=pl.int_range(pl.len()).cast(pl.String), sender=pl.lit("s"),
        at=pl.lit("2026-01-01T00:00:00Z"), weight=pl.lit(0.0),
    )  # fmt: skip
    typed.write_parquet(tmp_path / "a.parquet")
    typed.with_columns(pl.col("seen").dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")).write_ndjson(tmp_path / "a.ndjson")
    want, seen = _outcome(tmp_path / "a.ndjson", 5), _outcome(tmp_path / "a.parquet", 5)
    assert seen[1] == want[1] == []
    assert_frame_equal(seen[0], want[0], check_exact=True)


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a_time_beyond_all_years_is_refused_and_not_wrapped_around(tmp_path: Path, unit: str) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "sender": ["s", "s"], "weight": [0.0, 0.0], "at": [2**62, 0]})
    frame.with_columns(pl.col("at").cast(pl.Datetime(unit))).write_parquet(tmp_path / "a.parquet")
    found, refused = _outcome(tmp_path / "a.parquet", 5)
    assert (found["id"].to_list(), refused) == (["b"], [1])


def test_fractions_of_a_told_format_are_rounded_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,at,sender,weight\na,01.01.2026 00:00:00.1234565,s,1\n")
    how = {"at.format": "%d.%m.%Y %H:%M:%S%.f", "at.zone": "UTC"}
    (chunk,) = read(tmp_path / "a.csv", Reading, defaults=how)
    assert chunk.frame["at"][0] % 1_000_000 == 123_457
