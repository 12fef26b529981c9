"""How files spell their values: what is told is read, what is not told is asked for, and every fault is named."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.connectors.shipments import Shipment
from tests.connectors.test_files_refused import GOOD, _csv
from tidegate.connectors.files import Chunk, read
from tidegate.connectors.files_order import in_order
from tidegate.errors import TidegateError
from tidegate.events.types import Kind


def of(path: Path, defaults: dict[str, object] | None = None, **values: str) -> Chunk:
    rows = [{k: f'"{v}"' if "," in v else v for k, v in (GOOD | {"id": f"s{n}"} | values).items()} for n in range(1)]
    path.write_bytes(_csv(*rows))
    (chunk,) = read(path, Shipment, defaults=defaults)
    return chunk


def at(chunk: Chunk) -> list[datetime]:
    return [datetime.fromtimestamp(us / 1e6, UTC) for us in chunk.frame["at"].to_list()]


def test_numbers_say_what_they_count(tmp_path: Path) -> None:
    path, when = tmp_path / "x.csv", datetime(2025, 9, 1, 4, 37, 27, tzinfo=UTC)
    with pytest.raises(TidegateError, match="seconds, milliseconds or microseconds") as raised:
        of(path, at="1756701447")
    assert "--default at.unit=s" in raised.value.do and "2025-09-01 04:37 in s" in raised.value.do
    for unit, number in (
        ("s", "1756701447"),
        ("ms", "1756701447000"),
        ("us", "1756701447000000"),
        ("s", "1756701447.0"),
    ):
        assert at(of(path, {"at.unit": unit}, at=number)) == [when]
    path.write_bytes(_csv(GOOD, GOOD | {"at": "1756701447"}))
    (chunk,) = read(path, Shipment)
    assert "--default at.unit=s" in chunk.refused[0].reason and chunk.frame.height == 1


def test_a_form_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    refused = of(path, at="04.12.2025 09:00:00").refused[0].reason
    assert "--default 'at.format=%d.%m.%Y %H:%M:%S'" in refused
    how: dict[str, object] = {"at.format": "%d.%m.%Y %H:%M:%S", "at.zone": "Europe/Berlin"}
    assert at(of(path, how, at="04.12.2025 09:00:00")) == [datetime(2025, 12, 4, 8, tzinfo=UTC)]
    with pytest.raises(TidegateError, match="in which zone"):
        of(path, {"at.format": "%d.%m.%Y"})
    with pytest.raises(TidegateError, match="directives"):
        of(path, {"at.format": "dd.MM.yyyy"})


def test_clocks_that_are_put_forward_and_back(tmp_path: Path) -> None:
    path, zone = tmp_path / "x.csv", {"at.zone": "Europe/Berlin"}
    (refused,) = of(path, dict(zone), at="2026-03-29 02:19:00").refused
    assert "Europe/Berlin did not have" in refused.reason
    first = of(path, dict(zone), at="2026-10-25 02:30:00")
    second = of(path, zone | {"at.fold": "second"}, at="2026-10-25 02:30:00")
    assert (at(first)[0].hour, at(second)[0].hour, first.twice) == (0, 1, 1)


def test_commas_and_words(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    (refused,) = of(path, worth="1.234,56 EUR", weight="1,5", fragile="ja").refused
    told = " ".join([refused.reason, *(reason for _, reason in refused.others)])
    assert all(f"--default {one}" in told for one in ("worth.decimal=,", "weight.decimal=,", "fragile.true=ja"))
    how = {"worth.decimal": ",", "weight.decimal": ",", "fragile.true": "ja", "fragile.false": "nein"}
    chunk = of(path, dict(how), worth="1.234,56 EUR", weight="1,5", fragile="Ja")
    assert chunk.frame.select("worth", "weight", "fragile").row(0) == (123456, 1.5, True)
    assert of(path, dict(how), worth="12.34 EUR", weight="1,5", fragile="ja").refused[0].pointer == "/worth"


def test_text_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for encoding in ("cp1252", "latin-1", "utf-16"):
        path.write_bytes(_csv(GOOD | {"note": "Möbel"}).decode().encode(encoding))
        (chunk,) = read(path, Shipment, encoding=encoding)
        assert chunk.frame["note"].to_list() == ["Möbel"]
    with pytest.raises(TidegateError, match="encoding") as raised:
        list(read(path, Shipment))
    assert "--encoding utf-16" in raised.value.do
    path.write_bytes(_csv(GOOD).decode().replace("note", "nöte").encode("cp1252"))
    with pytest.raises(TidegateError, match="encoding") as raised:
        list(read(path, Shipment))
    assert "--encoding cp1252" in raised.value.do


@pytest.mark.parametrize("most", [7, 100, 10_000])
def test_in_order_is_a_stable_sort(most: int) -> None:
    whole = pl.DataFrame({"at": [(n * 7919) % 211 for n in range(3000)], "n": range(3000)})
    found = pl.concat(in_order(whole.iter_slices(13), most=most))
    assert found.equals(whole.sort("at", maintain_order=True))


def test_signs_that_no_amount_has_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    how: dict[str, object] = {"worth.decimal": ".", "worth.unit": "major", "worth.currency": "GBP"}
    for options in (how, {}):
        (refused,) = of(path, dict(options), worth="£1,234.50").refused
        assert "worth has the sign £, which is no part of an amount" in refused.reason
        assert "decimals" not in refused.reason
    assert "has the sign %" in of(path, dict(how), worth="12.00%").refused[0].reason
    assert of(path, dict(how), worth="1,234.50").frame["worth"].to_list() == [123450]


def test_words_for_no_value_are_named_and_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    name = next(name for name, one in Shipment.__contract__.items() if one.type.kind is Kind.INT)
    for word in ("N/A", "NULL", "-"):
        (refused,) = of(path, **{name: word}).refused
        assert f"{name} is '{word}'" in refused.reason and f"--default '{name}.missing={word}'" in refused.reason
        for option in (f"{name}.missing", "*.missing"):
            chunk = of(path, {option: f"x,{word}"}, **{name: f" {word} "})
            if Shipment.__contract__[name].optional:
                assert chunk.frame[name].to_list() == [None]
            else:
                assert chunk.refused[0].reason == f"{name} is missing."
            assert of(path, {option: word, name: 7}, **{name: word}).frame[name].to_list() == [7]
    assert ".missing" not in of(path, **{name: "many"}).refused[0].reason


def test_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "d.csv"
    folder.mkdir()
    with pytest.raises(TidegateError, match=r"d\.csv is a folder") as raised:
        read(folder, Shipment)
    assert "Did you mean" not in str(raised.value)
    (folder / "a.csv").write_text("id")
    with pytest.raises(TidegateError, match=r"such as .*d\.csv/a\.csv"):
        read(folder, Shipment)
