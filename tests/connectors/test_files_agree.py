"""The same events by Parquet, CSV and NDJSON are the same canonical columns, and come back as the same events."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.connectors.shipments import Shipment, shipments
from tidegate.connectors.files import read, to_events, to_frame
from tidegate.errors import ContractError
from tidegate.events.contract import body, check, reader
from tidegate.events.event import Event

_TIMES = ("at", "packed")


def _written_out(events: list[Shipment]) -> pl.DataFrame:
    """As a person would write them: money as text, times in RFC 3339."""
    frame = to_frame(events, Shipment).drop("worth.currency", "fee.currency")
    times = {name: [None if at is None else at.isoformat() for at in _of(events, name)] for name in _TIMES}
    money = {name: [None if one is None else str(one) for one in _of(events, name)] for name in ("worth", "fee")}
    return frame.with_columns(pl.Series(name, texts, pl.String) for name, texts in (times | money).items())


def _of(events: list[Shipment], name: str) -> list[Any]:
    return [getattr(event, name) for event in events]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(shipments, min_size=1, max_size=12), chunk=st.integers(1, 7))
def test_every_form_gives_the_same(tmp_path: Path, events: list[Shipment], chunk: int) -> None:
    events = [check(event) for event in events]
    frame = to_frame(events, Shipment)
    frame.with_columns(pl.col(name).cast(pl.Datetime("us", "UTC")) for name in _TIMES).write_parquet(
        tmp_path / "a.parquet"
    )
    _written_out(events).write_csv(tmp_path / "b.csv", quote_style="non_numeric")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress((tmp_path / "b.csv").read_bytes()))
    (tmp_path / "d.ndjson").write_bytes(b"\n".join(body(event) for event in events) + b"\n\n")
    for path in sorted(tmp_path.iterdir()):
        chunks = list(read(path, Shipment, chunk=chunk))
        assert [one.refused for one in chunks if one.refused] == [], path
        assert all(one.frame.height <= chunk for one in chunks)
        seen = pl.concat(one.frame for one in chunks)
        assert_frame_equal(seen, frame, check_exact=True)
        assert to_events(seen, Shipment) == events


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(whole=st.integers(-(2**70), 2**70))
def test_a_whole_number_is_the_same_float_whatever_way_it_came(tmp_path: Path, whole: int) -> None:
    space = {"__annotations__": {"x": float, "y": float}, "__module__": __name__, "y": whole}
    reading: Any = type(Event)("Reading", (Event,), space)
    said = {"id": "r1", "at": datetime(2026, 1, 1, tzinfo=UTC)}
    start = b'{"id":"r1","at":"2026-01-01T00:00:00Z","x":'
    events = [
        reader(reading).read(start + b"%d}" % whole),
        reader(reading).read(start + repr(float(whole)).encode() + b"}"),
        check(reading(**said, x=whole)),
        check(reading(**said, x=float(whole), y=float(whole))),
    ]
    for text in (str(whole), repr(float(whole))):
        (tmp_path / "x.csv").write_text(f"id,at,x\nr1,2026-01-01T00:00:00Z,{text}\n")
        (chunk,) = read(tmp_path / "x.csv", reading)
        assert not chunk.refused
        events += to_events(chunk.frame, reading)
    number = msgspec.json.encode(float(whole))
    assert {body(event) for event in events} == {start + number + b',"y":' + number + b"}"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_whole_numbers_and_a_currency_from_elsewhere(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame({"when": [1_700_000_000_000], "CENTS": [1234], "who": [77], "ok": [1]})
    path = tmp_path / f"x.{suffix}"
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    constants = {
        "id": "row",
        "at.unit": "ms",
        "dock": 5,
        "worth.currency": "EUR",
        "worth.unit": "minor",
        "way": "sea",
        "weight": 1,
        "boxes": 2,
    }
    columns = {"at": "when", "worth": "CENTS", "sender": "who", "fragile": "ok"}
    (chunk,) = read(path, Shipment, columns=columns, defaults=constants)
    assert not chunk.refused
    row = chunk.frame.row(0, named=True)
    assert (row["id"], row["at"], row["worth"], row["worth.currency"]) == ("row-1", 1_700_000_000_000_000, 1234, "EUR")
    assert (row["sender"], row["fragile"], row["way"], row["weight"], row["fee"]) == ("77", True, "sea", 1.0, None)


_SIGNS, _WHOLE, _FRACTION = (
    st.sampled_from(["", "+", "-"]),
    st.text("0123456789", max_size=6),
    st.text("0123456789", max_size=4),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sign=_SIGNS, whole=_WHOLE, point=st.sampled_from(["", "."]), fraction=_FRACTION)
def test_an_amount_in_a_file_is_spelled_as_in_json(
    tmp_path: Path, sign: str, whole: str, point: str, fraction: str
) -> None:
    """`.5 EUR` and `5. EUR` too; a point alone is no amount in either."""
    text = f"{sign}{whole}{point}{fraction} EUR"
    row = {"id": "s1", "at": "2026-03-01T10:00:00Z", "sender": "a", "dock": 7, "way": "air", "weight": 1, "boxes": 3}
    row |= {"fragile": True, "worth": text}
    (tmp_path / "x.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    (chunk,) = read(tmp_path / "x.csv", Shipment)
    try:
        event = reader(Shipment).read(msgspec.json.encode(row))
    except ContractError as error:
        assert [one.pointer for one in chunk.refused] == [error.pointer], text
    else:
        assert to_events(chunk.frame, Shipment) == [event], (text, chunk.refused)
