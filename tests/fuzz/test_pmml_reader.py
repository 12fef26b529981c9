"""The reader of PMML and its models, given what nobody would write: they answer or refuse, in time, and never break.

`seeds/pmml` holds a sound document of each kind of model, which are taken apart here, and those that once broke the
reader, whose names begin with `broke-`. All are tried first. For more cases set `TIDEGATE_CASES=100000`.
"""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tests.fuzz.apart import taken_apart
from tidegate.errors import TidegateError
from tidegate.models.pmml.grammar import MODELS
from tidegate.models.pmml.model import Answer, PmmlModel, read_pmml

pytestmark = pytest.mark.fuzz
SEEDS = sorted((Path(__file__).parent / "seeds" / "pmml").glob("*.pmml"))
SOUND = {path.stem: path.read_bytes() for path in SEEDS if not path.stem.startswith("broke-")}

ROWS: tuple[dict[str, Any], ...] = (
    {"x": 1.0, "y": 4.0, "c": "a"},
    {"x": -3.0, "y": None, "c": "zz"},
    {"x": "a", "y": True, "c": 5},
    {"x": 1e308, "y": -1e308, "c": "b"},
    {},
)


def tried(data: bytes, *, compiled: bool = False) -> None:
    """Read a document and ask it everything, one way and another; only refusals of ours may come out."""
    began = time.process_time()
    try:
        model = read_pmml(data, "fuzz.pmml")
    except TidegateError as error:
        assert str(error)
        return
    rows = [{one.name: row.get(one.name) for one in model.inputs} for row in ROWS]
    columns = {one.name: [row[one.name] for row in rows] for one in model.inputs}
    said = [asked(model, row) for row in rows]
    if columns:
        assert [str(one) for one in model.answers(columns)] == [str(one) for one in said]
        model.table(columns)
        model.explain(rows[0])
    if time.process_time() - began >= 20:
        assert not compiled, "it takes too long"
        tried(data, compiled=True)  # the first to ask a kernel on a machine waits for its compiling


def asked(model: PmmlModel, row: dict[str, Any]) -> Answer:
    answer = model.answer(row)
    assert not answer.invalid or not any(value is not None for value in answer.values.values())
    return answer


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_seeds(path: Path) -> None:
    tried(path.read_bytes())


def test_what_is_taken_apart_below_is_sound() -> None:
    models = {name: read_pmml(data, name) for name, data in SOUND.items()}
    assert {model.kind for model in models.values()} == MODELS
    for model in models.values():
        assert not model.answer({one.name: ROWS[0].get(one.name) for one in model.inputs}).invalid


@cases(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    tried(data)


@cases(st.sampled_from(sorted(SOUND)), st.data())
def test_bytes_replaced(name: str, data: st.DataObject) -> None:
    whole = SOUND[name]
    at, many = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 40))
    tried(whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + many :])


WORDS = [
    "", "-1", "0", "1", "-0.0", "1.5", "1e308", "1e300", "1e-320", "nan", "inf", "-inf", "9" * 30, "2147483648", "1_0",
    "true", "x", "y", "c", "n", "t", "a", "b", "yes", "é", "1 2 3", '"a" "b c"', "string", "integer", "double", "float",
    "boolean", "date", "time", "dateTime", "dateDaysSince[1960]", "continuous", "categorical", "ordinal", "regression",
    "classification", "clustering", "target", "active", "supplementary", "asIs", "asMissing", "returnInvalid",
    "probability", "confidence", "affinity", "entityId", "reasonCode", "residual", "sum", "max", "concat", "matches",
    "replace", "uppercase", "formatNumber", "formatDatetime", "substring", "(a+)+$", "$2", "%d", "%Y", "2003-04-01",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=10), st.sampled_from(WORDS))


_HOW = ("drop", "copy", "move", "text", "attribute", "attribute", "without", "swap", "name")
_DOCUMENTS = st.sampled_from(sorted(SOUND)).map(SOUND.__getitem__)


@cases(taken_apart(_DOCUMENTS, _HOW, TEXTS, 4))
def test_models_taken_apart(data: bytes) -> None:
    tried(data)
