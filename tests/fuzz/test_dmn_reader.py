"""The reader of DMN models, given what nobody would write: it reads or refuses, in time, and never breaks.

Models that are hard on readers are kept in `seeds/dmn` and are tried first. For more cases set `TIDEGATE_CASES=100000`.
"""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tests.decisions.dmn.written import decision, dmn, function, given, literal, service, table
from tests.fuzz.apart import taken_apart
from tidegate.decisions.dmn import DmnModel, read_dmn, to_json
from tidegate.errors import TidegateError

pytestmark = pytest.mark.fuzz
SEEDS = sorted((Path(__file__).parent / "seeds" / "dmn").glob("*.dmn"))

TABLE = table(["Risk"], [""], [['"a"', "1"], ["-", "2"]], policy="PRIORITY", values={"": "1, 2"})
_LOGIC = {
    "f": f"<functionDefinition><formalParameter name='n'/>{literal('n + 1')}</functionDefinition>",
    "l": f"<list>{literal('1')}{literal('f(1)')}</list>",
    "c": f"<conditional><if>{literal('true')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>",
    "i": f"<for iteratorVariable='x'><in>{literal('l')}</in><return>{literal('x')}</return></for>",
    "": f"<invocation>{literal('Fee')}<binding><parameter name='rate'/>{literal('Rate')}</binding>"
    f"<binding><parameter name='of sum'/>{literal('sum(Loan.sum)')}</binding></invocation>",
}
ENTRIES = "".join(
    f"<contextEntry>{f'<variable name={name!r}/>' if name else ''}{logic}</contextEntry>"
    for name, logic in _LOGIC.items()
)
WHOLE = dmn(
    '<itemDefinition name="tRisk"><typeRef>string</typeRef><allowedValues><text>"a","b"</text></allowedValues>',
    "</itemDefinition>",
    '<itemDefinition name="tLoan"><itemComponent name="sum" isCollection="true"><typeRef>number</typeRef>',
    "</itemComponent></itemDefinition>",
    given("Loan", "tLoan"),
    given("Risk", "tRisk"),
    function("Fee", "rate: number, of sum: number", literal("rate * of sum"), kind="number"),
    decision("Rate", TABLE, needs=("Risk",)),
    decision("All", f"<context>{ENTRIES}</context>", needs=("Loan", "!Rate"), knows=("Fee",)),
    service("Serve", ["All"], owns=["Rate"], given=["Loan", "Risk"]),
)
INPUTS: tuple[dict[str, Any], ...] = ({"Loan": {"sum": [1, 2]}, "Risk": "a"}, {}, {"Loan": 3, "Risk": ["b"]})


def tried(data: bytes) -> None:
    """Read a model, check it and ask it everything; only refusals of ours may come out."""
    began = time.process_time()
    try:
        model: DmnModel = read_dmn(data, "fuzz.dmn", imports={"self.dmn": data})
    except TidegateError as error:
        assert str(error)
        return
    assert all(str(one) for one in model.findings)
    for inputs in INPUTS:
        asks = ((model.decisions, model.evaluate), (model.services, model.service), (model.functions, model.call))
        for name, ask in [(name, ask) for names, ask in asks for name in names]:
            if not name:
                continue
            try:
                result = ask(name, inputs, explain=True)
            except TidegateError as error:
                assert str(error)
                continue
            to_json(result.value)
            assert result.value is not None or result.reasons, f"{name} is null and nobody knows why"
    assert time.process_time() - began < 20


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_seeds(path: Path) -> None:
    tried(path.read_bytes())


def test_what_is_taken_apart_below_is_sound() -> None:
    model = read_dmn(WHOLE, "whole.dmn")
    assert not model.findings and model.evaluate("All", INPUTS[0]).plain == 3


@cases(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    tried(data)


@cases(st.integers(0, len(WHOLE)), st.integers(0, 40), st.binary(max_size=20))
def test_bytes_replaced(at: int, many: int, by: bytes) -> None:
    tried(WHOLE[:at] + by + WHOLE[at + many :])


WORDS = [
    "", "-", "?", "null", "1", "[1..2]", "> 1", "not(1)", "f(1)", "Loan.sum", "All", "Rate", "Fee", "Serve", "item",
    "number", "tRisk", "tLoan", "Any", "FIRST", "COLLECT", "SUM", "true", "#Rate", "#All", "#Fee", "urn:test#Risk",
    "function(x) x", "for a in 1..3 return a", "{a: 1}.a", '"a"', "Java", "PMML", "a.b", "feel:number",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(WORDS))


_HOW = ("drop", "copy", "move", "text", "attribute", "name")


@cases(taken_apart(st.just(WHOLE), _HOW, TEXTS, 6))
def test_models_taken_apart(data: bytes) -> None:
    tried(data)
