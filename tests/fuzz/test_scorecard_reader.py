"""The readers of scorecards, given what nobody would write: they read or refuse, in time, and never break."""

import time
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tests.connectors.scorecards.test_files import GOOD
from tests.connectors.scorecards.test_pmml import THEIRS
from tidegate.connectors.scorecards.csv_writer import scorecard_csv
from tidegate.connectors.scorecards.pmml_reader import read_pmml_scorecard
from tidegate.connectors.scorecards.pmml_writer import scorecard_pmml
from tidegate.connectors.table_csv import csv_lines
from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.decisions.scorecards.findings import check
from tidegate.decisions.scorecards.written import written_in
from tidegate.errors import TidegateError

pytestmark = pytest.mark.fuzz
_CSV, _PMML = GOOD.encode(), THEIRS.encode()
_MORE = st.sampled_from(
    [b'"', b",", b"\n", b"<", b">", b"..", b"[", b"(", b"not(", b"missing", b"otherwise", b"1e308", b"-", b"\xff",
     b"&a;", b"isMissing", b"xor", b"notEqual", b"<True/>", b"0" * 40, b"field=", b"/>", b"age", b"EUR"]
)  # fmt: skip


def tried(read: Any, data: bytes) -> None:
    """Read a scorecard and do everything with it; only refusals of ours may come out, and soon."""
    began = time.process_time()
    try:
        card: Card = made(read(data))
    except TidegateError as error:
        assert str(error)
        return
    names = [part.name for part in card.characteristics]
    check(card, missing=names)
    assert Evaluator(card).evaluate({}).scorecard == card.name
    for write in (scorecard_pmml, scorecard_csv):
        try:
            assert write(card)
        except TidegateError as error:
            assert str(error)
    assert time.process_time() - began < 10


def of_csv(data: bytes) -> Any:
    return written_in("fuzz", *csv_lines(data, "fuzz.csv"))


def of_pmml(data: bytes) -> Any:
    return read_pmml_scorecard(data, "fuzz.pmml", "fuzz")


def edited(whole: bytes) -> st.SearchStrategy[bytes]:
    """A document with some places cut out and something put in their stead."""
    place = st.integers(0, len(whole))
    edit = st.tuples(place, st.integers(0, 12), _MORE | st.binary(max_size=4))

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        data = whole
        for at, gone, more in edits:
            data = data[:at] + more + data[at + gone :]
        return data

    return st.lists(edit, min_size=1, max_size=4).map(apply)


@cases(edited(_CSV))
def test_csv(data: bytes) -> None:
    tried(of_csv, data)


@cases(edited(_PMML))
def test_pmml(data: bytes) -> None:
    tried(of_pmml, data)


@cases(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    tried(of_csv, data)
    tried(of_pmml, data)
