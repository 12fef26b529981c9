"""Files of another make than the contract: written to an older version of it, or with columns that no field reads."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tidegate import Event, Flow, count, decline, entity, upgrades
from tidegate.connectors.files import read
from tidegate.errors import TidegateError
from tidegate.runtimes.backtest import replay

Card = entity("card")


class Sold(Event, version=3):
    """A sale, which once had a medium and once a channel of another name."""

    card: Card
    channel: str
    note: str | None = None


@upgrades(Sold, from_version=1)
def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    return {"way": values.pop("medium"), **values}


@upgrades(Sold, from_version=2)
def _again(values: dict[str, Any]) -> dict[str, Any]:
    return {"channel": values.pop("way"), **values}


class Watch(Flow[Sold]):
    """Stop cards that are used again at once."""

    often = decline(count(per=Card, last="1h") >= 1, because="Used again")


ROWS = [{"id": f"s{n}", "at": f"2026-01-01T00:0{n}:00Z", "card": "c"} for n in range(3)]


def _lines(path: Path, **more: str) -> Path:
    path.write_text("".join(json.dumps(row | more) + "\n" for row in ROWS))
    return path


@pytest.mark.parametrize(("version", "field"), [(1, "medium"), (2, "way"), ("1", "medium"), (3, "channel")])
def test_lines_of_an_older_version_are_read(tmp_path: Path, version: object, field: str) -> None:
    file = _lines(tmp_path / "old.ndjson", **{field: "web"})
    (chunk,) = read(file, Sold, defaults={"*.version": version})
    assert not chunk.refused and chunk.frame["channel"].to_list() == ["web"] * 3


def test_what_does_not_keep_the_older_version_is_set_aside(tmp_path: Path) -> None:
    file = _lines(tmp_path / "old.ndjson", medium="web")
    (bare,) = read(file, Sold)
    assert [one.pointer for one in bare.refused] == ["/medium"] * 3
    (chunk,) = read(_lines(file, way="web"), Sold, defaults={"*.version": 1})
    assert [one.pointer for one in chunk.refused] == ["/medium"] * 3
    assert "version 1 could not be brought to version 2" in chunk.refused[0].reason


def test_a_version_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    file = _lines(tmp_path / "old.ndjson", medium="web")
    for version in (4, 0, "first"):
        with pytest.raises(TidegateError, match=f"no version {version!r} that can be read. .*1, 2, 3"):
            read(file, Sold, defaults={"*.version": version})
    pl.DataFrame([row | {"medium": "web"} for row in ROWS]).write_csv(tmp_path / "old.csv")
    with pytest.raises(TidegateError, match="read from NDJSON"):
        read(tmp_path / "old.csv", Sold, defaults={"*.version": 1})


def test_a_replay_takes_an_older_version_as_the_newest(tmp_path: Path) -> None:
    """Labelled by a column of its own too, which makes an event type of its own."""
    old = _lines(tmp_path / "old.ndjson", medium="web")
    new = _lines(tmp_path / "new.ndjson", channel="web")
    done = replay(Watch, old, defaults={"*.version": 1})
    assert done.outcome.tolist() == [0, 2, 2] == replay(Watch, new).outcome.tolist()
    old.write_text("".join(json.dumps(row | {"medium": "web", "bad": n == 1}) + "\n" for n, row in enumerate(ROWS)))
    labelled = replay(Watch, old, defaults={"*.version": 1}, label="bad")
    assert labelled.label is not None and labelled.label.tolist() == [0, 1, 0]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_columns_that_no_field_reads_are_told(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"x.{ending}"
    frame = pl.DataFrame([row | {"channel": "web", "nota": "x", "zip": 1} for row in ROWS])
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    first, *others = read(path, Sold, chunk=2)
    assert first.unread is not None and all(one.unread is None for one in others)
    assert first.unread.columns == ("nota", "zip") and first.unread.near == (("note", "nota"),)
    (named,) = read(path, Sold, columns={"note": "nota"})
    assert named.unread is not None and named.unread.columns == ("zip",) and not named.unread.near
    (constant,) = read(path, Sold, defaults={"note": "none"})
    assert constant.unread is not None and not constant.unread.near
    assert set(replay(Watch, path).counts.unread) == {str(path)}
    assert replay(Watch, frame).counts.unread["a frame"].near == (("note", "nota"),)
