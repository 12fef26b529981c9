"""What each bad value in a file gets: its line, the field, why, and the row as it stood; and the rest goes on."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from tests.connectors.shipments import Shipment
from tidegate import Event, Money, entity
from tidegate.connectors.files import read
from tidegate.connectors.files_originals import originals
from tidegate.connectors.quarantine import Quarantine
from tidegate.errors import TidegateError

GOOD = {
    "id": "s1", "at": "2026-03-01T10:00:00Z", "sender": "ann", "dock": "7", "worth": "12.34 EUR", "fee": "",
    "way": "air", "weight": "1.5", "boxes": "3", "fragile": "true", "packed": "", "note": "",
}  # fmt: skip

BAD = [
    ("id", "", "/id", "missing"),
    ("id", '""', "/id", "empty"),
    ("id", "x" * 257, "/id", "longer"),
    ("at", "2026-03-01T10:00:00", "/at", "zone"),
    ("at", "yesterday", "/at", "not a time"),
    ("at", "2026-13-01T10:00:00Z", "/at", "not a time"),
    ("sender", "", "/sender", "missing"),
    ("dock", "7.5", "/dock", "whole number"),
    ("dock", "9223372036854775808", "/dock", "64 bits"),
    ("worth", "-1.00 EUR", "/worth/units", "negative"),
    ("worth", "12.345 EUR", "/worth", "decimals"),
    ("worth", "1e3 EUR", "/worth", "decimals"),
    ("worth", "12.34 EUX", "/worth/currency", "ISO 4217"),
    ("worth", "12.34", "/worth/currency", "no currency"),
    ("worth", "99999999999.00 EUR", "/worth/units", "above"),
    ("worth", "99999999999999999999999.00 EUR", "/worth", "amount"),
    ("fee", "1.00 USD", "/fee/currency", "not in EUR"),
    ("way", "rail", "/way", "air, sea"),
    ("weight", "NaN", "/weight", "finite"),
    ("weight", "1e999", "/weight", "finite"),
    ("weight", "-inf", "/weight", "finite"),
    ("weight", "heavy", "/weight", "not a number"),
    ("weight", "-1", "/weight", "negative"),
    ("boxes", "0", "/boxes", "below 1"),
    ("boxes", "1001", "/boxes", "above 1000"),
    ("boxes", "1.0", "/boxes", "whole number"),
    ("fragile", "maybe", "/fragile", "true or false"),
    ("note", "x" * 41, "/note", "longer than 40"),
]


def _csv(*rows: dict[str, str]) -> bytes:
    return ("\n".join([",".join(GOOD), *(",".join(row.values()) for row in rows)]) + "\n").encode()


@pytest.mark.parametrize(("field", "value", "pointer", "reason"), BAD)
def test_csv(tmp_path: Path, field: str, value: str, pointer: str, reason: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD, GOOD | {field: value}, GOOD))
    (chunk,) = read(path, Shipment)
    (refused,) = chunk.refused
    assert chunk.frame.height == 2
    assert (refused.line, refused.pointer) == (3, pointer)
    assert reason in refused.reason
    assert json.loads(refused.original)["at"] == (value if field == "at" else GOOD["at"])


def test_bytes_that_are_not_utf8_and_a_line_with_more_values(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = _csv(GOOD, GOOD | {"sender": "BAD"}, GOOD | {"note": "a,b"}, GOOD).replace(b"BAD", b"\xff\xfe")
    path.write_bytes(lines)
    (chunk,) = read(path, Shipment)
    assert [(one.line, one.pointer) for one in chunk.refused] == [(3, "/sender"), (4, "")]
    assert "UTF-8" in chunk.refused[0].reason
    assert "more values" in chunk.refused[1].reason


@pytest.mark.parametrize(
    ("column", "pointer"),
    [
        (pl.Series("weight", [1.0, float("nan"), float("inf")]), "/weight"),
        (pl.Series("worth", [1.0, 12.345, float("nan")]), "/worth"),
        (pl.Series("dock", [1.0, 1.5, 2.0**70]), "/dock"),
        (pl.Series("fragile", [1, 2, -1]), "/fragile"),
        (pl.Series("at", [1, 10**18, -(10**18)]), "/at"),
    ],
)
def test_parquet(tmp_path: Path, column: pl.Series, pointer: str) -> None:
    path = tmp_path / "x.parquet"
    typed = {
        "id": "a",
        "at": 1,
        "sender": 5,
        "dock": 6,
        "worth": 7,
        "way": "sea",
        "weight": 1,
        "boxes": 1,
        "fragile": 0,
    }
    pl.DataFrame(typed | {column.name: column}).write_parquet(path)
    (chunk,) = read(path, Shipment, defaults={"worth.currency": "EUR", "at.unit": "ms"})
    assert chunk.frame.height == 1
    assert [(one.line, one.pointer) for one in chunk.refused] == [(2, pointer), (3, pointer)]


def test_ndjson_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    good = b'{"id":"1","at":"2026-03-01T10:00:00Z","sender":"a","dock":1,"worth":"5.00 EUR","way":"air",'
    good += b'"weight":1,"boxes":1,"fragile":false}'
    bad = [good[:-5], good.replace(b"air", b"\xff"), good.replace(b'"id"', b'"Id"'), good + b" " * (1 << 21), b"[]"]
    path.write_bytes(b"\n".join([good, *bad, good]))
    (chunk,) = read(path, Shipment)
    assert chunk.frame.height == 2
    assert [(one.line, one.pointer) for one in chunk.refused] == [(2, ""), (3, "/way"), (4, "/Id"), (5, ""), (6, "")]


def test_what_is_wrong_with_a_whole_file(tmp_path: Path) -> None:
    csv = _csv(*[GOOD] * 5000)
    faults = {
        "none.csv": (None, "There is no file"),
        "empty.csv": (b"", "is empty"),
        "blank.ndjson": (b"\n\n", "is empty"),
        "x.xlsx": (b"x", "does not say"),
        "cut.csv.gz": (gzip.compress(csv)[:-40], "cut short"),
        "no.csv.gz": (csv, "cut short or damaged"),
        "cut.parquet": (b"PAR1 and nothing more", "cannot be read as Parquet"),
        "quote.csv": (csv + b'"open,', "quoted text"),
        "head.csv": (b"id,at,sendr\n", "Did you mean 'sendr'"),
        "twice.csv": (b"id,id\n", "id twice"),
    }
    for name, (content, words) in faults.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TidegateError) as raised:
            list(read(path, Shipment))
        assert words in str(raised.value), name
        assert raised.value.do


def test_names_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD))
    with pytest.raises(TidegateError, match="Did you mean 'weight'"):
        read(path, Shipment, columns={"weight": "wieght"})
    with pytest.raises(TidegateError, match="Did you mean 'boxes'"):
        read(path, Shipment, columns={"boxs": "boxes"})
    with pytest.raises(TidegateError, match="time zone"):
        list(read(path, Shipment, defaults={"at.zone": "Moon"}))


def test_whole_numbers_as_text_are_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD | {"worth": "1234"}))
    with pytest.raises(TidegateError, match=r"worth\.unit"):
        list(read(path, Shipment, defaults={"worth.currency": "EUR"}))
    for unit, units in (("minor", 1234), ("major", 123400)):
        (chunk,) = read(path, Shipment, defaults={"worth.currency": "EUR", "worth.unit": unit})
        assert chunk.frame["worth"].to_list() == [units]


@pytest.mark.parametrize("other", ["a lot", " ", "n.a.", "£12.50", "about 3.50 EUR"])
def test_what_is_no_amount_does_not_say_what_whole_numbers_are(tmp_path: Path, other: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD | {"worth": "1234"}, GOOD | {"worth": other}))
    with pytest.raises(TidegateError, match=r"worth\.unit"):
        list(read(path, Shipment, defaults={"worth.currency": "EUR"}))


@pytest.mark.parametrize("other", ["12.50", "7 EUR", "-.5"])
def test_an_amount_that_can_only_be_in_major_units_does(tmp_path: Path, other: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD | {"worth": "1234"}, GOOD | {"worth": other}))
    (chunk,) = read(path, Shipment, defaults={"worth.currency": "EUR"})
    assert chunk.frame["worth"].to_list()[0] == 123400


def test_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(_csv(GOOD, GOOD | {"boxes": "0"}, GOOD | {"way": "rail"}, GOOD | {"boxes": "0"}))
    with Quarantine(tmp_path / "q.ndjson") as quarantine:
        for chunk in read(path, Shipment):
            quarantine.add(chunk.refused, source="x.csv")
    *rows, last = map(json.loads, (tmp_path / "q.ndjson").read_text().splitlines())
    assert [(row["file"], row["line"], row["pointer"]) for row in rows] == [
        ("x.csv", 3, "/boxes"),
        ("x.csv", 4, "/way"),
        ("x.csv", 5, "/boxes"),
    ]
    assert last["refused"] == 3
    assert last["reasons"]["/boxes: boxes is below 1"] == 2
    with Quarantine(tmp_path / "none.ndjson") as quarantine:
        quarantine.add([])
    assert not (tmp_path / "none.ndjson").exists()


def test_a_first_line_that_is_too_long_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,at," + "x" * (1 << 20) + "\n1,2,3\n")
    with pytest.raises(TidegateError, match="is longer than 1048576 bytes"):
        list(read(path, Shipment))


def test_too_many_columns_are_refused_in_time_that_grows_with_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{n}" for n in range(100_000)) + "\n")
    with pytest.raises(TidegateError, match="more than 10,000 columns") as told:
        list(read(path, Shipment))
    assert "100,000" in str(told.value)


def test_a_name_that_is_too_long_for_a_column_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,at," + "x" * 200_000 + "\n1,2,3\n")
    with pytest.raises(TidegateError, match="cannot be read as CSV"):
        list(read(path, Shipment))


Card = entity("card")


class Short(Event):
    card: Card
    amount: Money
    country: str | None = None


def test_a_line_that_is_cut_short_is_told_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text(
        'id,at,card,amount,country\np1,2026-01-05T10:00:00Z,c1,20.00 EUR,"D\nE"\np2,2026-01-05T10:01:00Z,c1\n'
        "p3,2026-01-05T10:02:00Z,c1,,\n"
    )
    refused = [one for chunk in read(path, Short) for one in chunk.refused]
    assert [one.reason for one in refused] == ["The line has 3 of 5 columns.", "amount is missing."]
    assert [pointer for pointer, _ in refused[0].others] == ["/amount"]


def test_lines_are_those_of_the_file_where_a_text_goes_over_several(tmp_path: Path) -> None:
    """Each text of three lines moves what follows it by two, over the end of a piece too."""
    path = tmp_path / "quoted.csv"
    path.write_text(
        'id,at,card,amount,country\n\np1,2026-01-05T10:00:00Z,"c\n\n1",20.00 EUR,DE\n'
        'p2,2026-01-05T10:01:00Z,c1,,"D\n\nE"\np3,2026-01-05T10:02:00Z,c1,1.00 EUR,DE,"too ""many""",2\n'
        "p4,2026-01-05T10:03:00Z,c1,1.00 EUR,DE\n"
    )
    for rows in (1, 2, 100):
        chunks = list(read(path, Short, chunk=rows))
        refused = [one for chunk in chunks for one in chunk.refused]
        assert [one.line for one in refused] == [2, 6, 9], rows
        assert refused[2].original == 'p3,2026-01-05T10:02:00Z,c1,1.00 EUR,DE,"too ""many""",2'
        assert [line for chunk in chunks for line in chunk.lines.to_list()] == [3, 10], rows
    assert dict(originals(path, [3, 10]))[10].startswith('{"id":"p4"')


@pytest.mark.parametrize(
    ("fee", "options", "seen"),
    [
        ("26.45,CHF", {"columns": {"fee.currency": "devise"}}, " Seen: 'CHF'."),
        ("26.45 CHF,x", {}, " Seen: '26.45 CHF'."),
        ("26.45 CHF,x", {"defaults": {"fee.currency": "EUR"}}, " Seen: '26.45 CHF'."),
        ("26.45,x", {"defaults": {"fee.currency": "CHF"}}, ""),
    ],
)
def test_of_a_currency_that_is_not_taken_it_is_told_which(
    tmp_path: Path, fee: str, options: dict[str, dict[str, str]], seen: str
) -> None:
    head, row = ",".join(GOOD).replace("fee", "fee,devise"), ",".join((GOOD | {"fee": fee}).values())
    (tmp_path / "x.csv").write_text(f"{head}\n{row}\n")
    (chunk,) = read(tmp_path / "x.csv", Shipment, **options)
    (refused,) = chunk.refused
    assert (refused.pointer, refused.reason) == ("/fee/currency", f"fee is not in EUR.{seen}")
