"""PMML scorecards as others may write them, read into bins: whatever the predicates, they say what the model says."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tidegate.connectors.scorecards.pmml_reader import read_pmml_scorecard
from tidegate.decisions.scorecards.card import made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.errors import DocumentError
from tidegate.models.pmml.model import read_pmml

KINDS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "double": ("continuous", (-1.5, 0.0, 0.5, 1.0, 2.0, 7.25)),
    "integer": ("continuous", (-1, 0, 1, 2, 5)),
    "string": ("categorical", ("a", "b", "c d")),
    "boolean": ("categorical", ("true", "false")),
}
COMPARED = ("equal", "notEqual", "lessThan", "lessOrEqual", "greaterThan", "greaterOrEqual")


@dataclass(frozen=True)
class Foreign:
    """A document, and rows for it."""

    text: str
    rows: list[dict[str, Any]]


def _predicate(draw: Any, name: str, kind: str, depth: int) -> str:
    values = KINDS[kind][1]
    form = draw(st.integers(0, 9))
    if form < 2 and depth:
        how = draw(st.sampled_from(["and", "or", "xor", "surrogate"]))
        parts = [_predicate(draw, name, kind, depth - 1) for _ in range(draw(st.integers(2, 3)))]
        return f'<CompoundPredicate booleanOperator="{how}">{"".join(parts)}</CompoundPredicate>'
    if form == 2:
        return draw(st.sampled_from(["<True/>", "<False/>"]))  # type: ignore[no-any-return]
    if form == 3:
        sign = draw(st.sampled_from(["isMissing", "isNotMissing"]))
        return f'<SimplePredicate field="{name}" operator="{sign}"/>'
    if form == 4 and kind != "boolean":
        some = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        items = " ".join(f'"{one}"' for one in some)
        kinds = {"double": "real", "integer": "int"}.get(kind, "string")
        how = draw(st.sampled_from(["isIn", "isNotIn"]))
        array = f'<Array type="{kinds}">{items}</Array>'
        return f'<SimpleSetPredicate field="{name}" booleanOperator="{how}">{array}</SimpleSetPredicate>'
    sign = draw(st.sampled_from(COMPARED if KINDS[kind][0] == "continuous" else COMPARED[:2]))
    return f'<SimplePredicate field="{name}" operator="{sign}" value="{draw(st.sampled_from(values))}"/>'


def _valid(draw: Any, kind: str) -> str:
    """What the data dictionary says is valid: everything, a list, or ranges."""
    optype, values = KINDS[kind]
    form = draw(st.integers(0, 2))
    if form == 1 and kind != "boolean":
        some = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        return "".join(f'<Value value="{one}"/>' for one in some)
    if form == 2 and optype == "continuous":
        low, high = sorted(draw(st.lists(st.sampled_from(values), min_size=2, max_size=2, unique=True)))
        ends = draw(st.sampled_from(["openOpen", "openClosed", "closedOpen", "closedClosed"]))
        return f'<Interval closure="{ends}" leftMargin="{low}" rightMargin="{high}"/>'
    return ""


@st.composite
def foreign(draw: Any) -> Foreign:
    """A scorecard of up to three characteristics, whose attributes overlap as they like."""
    names = [f"f{n}" for n in range(draw(st.integers(1, 3)))]
    kinds = {name: draw(st.sampled_from(list(KINDS))) for name in names}
    fields, mining, parts = [], [], []
    for name in names:
        optype, values = KINDS[kinds[name]]
        valid = _valid(draw, kinds[name])
        fields.append(f'<DataField name="{name}" optype="{optype}" dataType="{kinds[name]}">{valid}</DataField>')
        invalid = draw(st.sampled_from(["returnInvalid", "asIs", "asMissing"]))
        more = f' invalidValueTreatment="{invalid}"'
        if draw(st.integers(0, 3)) == 0:
            more += f' missingValueReplacement="{draw(st.sampled_from(values))}"'
        elif invalid == "returnInvalid" and draw(st.booleans()):
            more += ' missingValueTreatment="returnInvalid"'
        mining.append(f'<MiningField name="{name}"{more}/>')
        attributes = [
            f'<Attribute partialScore="{draw(st.integers(-9, 9))}" reasonCode="{draw(st.sampled_from("RST"))}">'
            f"{_predicate(draw, name, kinds[name], 2)}</Attribute>"
            for _ in range(draw(st.integers(1, 4)))
        ]
        # One that names the field at least, as a characteristic is over one.
        attributes.append(
            f'<Attribute partialScore="3" reasonCode="R"><SimplePredicate field="{name}" operator="isNotMissing"/>'
            "</Attribute>"
        )
        baseline = draw(st.integers(-9, 9))
        parts.append(f'<Characteristic baselineScore="{baseline}">{"".join(attributes)}</Characteristic>')
    way = draw(st.sampled_from(["pointsAbove", "pointsBelow"]))
    text = (
        f'<PMML version="4.4"><DataDictionary>{"".join(fields)}</DataDictionary><Scorecard functionName="regression" '
        f'reasonCodeAlgorithm="{way}" initialScore="{draw(st.integers(-5, 5))}"><MiningSchema>{"".join(mining)}'
        f"</MiningSchema><Characteristics>{''.join(parts)}</Characteristics></Scorecard></PMML>"
    )

    def value(name: str) -> Any:
        kind = kinds[name]
        others = {"string": ["zz"], "boolean": []}.get(kind, [3])
        one = draw(st.sampled_from([*KINDS[kind][1], None, *others]))
        if one is None or kind not in ("boolean", "double"):
            return one
        return one == "true" if kind == "boolean" else float(one)

    return Foreign(text, [{name: value(name) for name in names} for _ in range(8)])


@given(foreign())
def test_bins_say_what_the_model_says(case: Foreign) -> None:
    model, card = read_pmml(case.text.encode()), made(read_pmml_scorecard(case.text.encode(), "x.pmml", "x"))
    evaluator = Evaluator(card)
    for row in case.rows:
        use, answer = evaluator.evaluate(row), model.answer(row)
        if answer.invalid:
            assert use.points is None, (row, answer)
            continue
        assert use.points == next(iter(answer.values.values())), (row, answer, case.text)
        shown = [(code, points) for code, points in answer.reasons if points > 0][:4]
        assert [(one.code, one.lost) for one in use.reasons] == shown, (row, answer, case.text)


def test_a_characteristic_without_a_field_is_refused() -> None:
    text = (
        '<PMML version="4.4"><DataDictionary><DataField name="x" optype="continuous" dataType="double"/>'
        '</DataDictionary><Scorecard functionName="regression" useReasonCodes="false"><MiningSchema>'
        '<MiningField name="x"/></MiningSchema><Characteristics><Characteristic><Attribute partialScore="1"><True/>'
        "</Attribute></Characteristic></Characteristics></Scorecard></PMML>"
    )
    try:
        read_pmml_scorecard(text.encode(), "x.pmml", "x")
    except DocumentError as error:
        assert "over one field" in str(error) and error.line == 1
    else:
        raise AssertionError
