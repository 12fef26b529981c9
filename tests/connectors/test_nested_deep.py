"""JSON from outside that is nested deeper than anything asks for is told, before a parser goes down into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tidegate.cli.dmn_files import decoded
from tidegate.cli.letter_lines import mended_values
from tidegate.cli.proofs import check_proof
from tidegate.connectors.labels import read_labels
from tidegate.errors import TidegateError
from tidegate.events.depth import DEEPEST
from tidegate.models.pandas_categories import pandas_categories
from tidegate.models.xgboost import parse_xgboost
from tidegate.runtimes.proposing import cases_in
from tidegate.runtimes.stream.repair import Changes

DEEP = "[" * DEEPEST + "]" * DEEPEST


def labels(path: Path) -> dict[str, bool]:
    return read_labels(path, "fraud")


def proof(path: Path) -> None:
    check_proof(path, None, as_json=True)


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (labels, '{"id":"b","fraud":true,"x":%s}', r"line 2 is not JSON that can be read.*Write an id and its label"),
        (cases_in, '{"name":"b","outcome":"decline","events":[{"x":%s}]}', r"Line 2 of .* is no case.*Write"),
        (mended_values, '{"offset":1,"value":"","x":%s}', r"cannot be read.*dead-letters show"),
        (proof, '{"inclusion":{"x":%s}}', "holds no proof.*verify --prove"),
    ],
)
def test_a_file_is_told_with_its_place(tmp_path: Path, read: Callable[[Path], object], text: str, words: str) -> None:
    path = tmp_path / "given.ndjson"
    path.write_text(f"{text % '1'}\n{text % DEEP}\n" if read is not proof else text % DEEP)
    with pytest.raises(TidegateError, match=words) as told:
        read(path)
    assert f"nested deeper than {DEEPEST} levels" in str(told.value)


def test_labels_that_are_no_objects_of_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    for line, words in (
        (b"[1]", "line 1 is no JSON object"),
        (b'{"id":"\xff"}', "line 1 is not JSON that can be read"),
    ):
        path.write_bytes(line)
        with pytest.raises(TidegateError, match=f"{words}.*Write an id and its label a line"):
            labels(path)
    path.write_bytes(b'{"id":"a","x":"' + b"x" * (1 << 20) + b'"}')
    with pytest.raises(TidegateError, match=r"line 1 is not .* Seen: more than 1,048,576 bytes"):
        labels(path)


@pytest.mark.parametrize(
    "read",
    [
        lambda: Changes(remove=["a"]).of(f'{{"x":{DEEP}}}'.encode()),
        lambda: parse_xgboost(f'{{"x":{DEEP}}}'.encode()),
    ],
)
def test_what_is_no_file_of_lines_is_told(read: Callable[[], object]) -> None:
    with pytest.raises(TidegateError, match=f"nested deeper than {DEEPEST} levels"):
        read()


def test_inputs_of_dmn_and_categories_of_pandas_are_told() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        decoded(f"[{DEEP}]")
    with pytest.raises(TidegateError, match="`pandas_categorical` that is damaged"):
        pandas_categories([f"pandas_categorical:[{DEEP}]"], ["a"], ["[0:1]"], name="model")
