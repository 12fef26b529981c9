"""The confidence of a category that a rule set's output names, whether it is the one predicted or not."""

from pathlib import Path
from typing import Any

import pytest

from tidegate.models.pmml.model import read_pmml

from .documents import FIELDS, document
from .held import asked_in
from .test_models import ROWS, lt, rules

GIVEN = (
    '<OutputField name="yes" feature="confidence" value="yes" dataType="double" optype="continuous"/>'
    '<OutputField name="no" feature="confidence" value="no" dataType="double" optype="continuous"/>'
    '<OutputField name="sure" feature="confidence" dataType="double" optype="continuous"/></Output>'
)

BOTH = {"x": -3.0, "y": 4.0, "c": "a"}
"""A row for which the first rule (yes, 0.9) and the second (no, 0.8) fire."""


def model(criterion: str) -> str:
    again = f'<SimpleRule id="r4" score="yes" weight="0.5" confidence="0.2">{lt("y", 1)}</SimpleRule></RuleSet>'
    return rules(criterion).replace("</Output>", GIVEN).replace("</RuleSet>", again)


@pytest.mark.parametrize("criterion", ["firstHit", "weightedSum", "weightedMax"])
def test_they_are_those_of_jpmml(criterion: str, tmp_path: Path) -> None:
    data = document(model(criterion))
    ask, ours = asked_in(tmp_path)(criterion, data), read_pmml(data)
    # Of weightedMax jpmml predicts the category of the largest confidence; the specification, of the largest weight.
    names = ["yes", "no"] if criterion == "weightedMax" else ["yes", "no", "sure", "said"]
    rows: list[dict[str, Any]] = [*ROWS, BOTH, BOTH | {"y": 0.5}]
    for row in rows:
        seen, wanted = ours.answer(row).values, ask(dict(row))
        assert [seen[name] for name in names] == [wanted[name] for name in names], row


@pytest.mark.parametrize(
    ("criterion", "yes", "no"), [("firstHit", 0.9, 0.8), ("weightedSum", 0.9 / 3, 0.6 / 3), ("weightedMax", 0.2, 0.8)]
)
def test_each_is_what_the_criterion_finds_among_its_own_rules(criterion: str, yes: float, no: float) -> None:
    said = read_pmml(document(model(criterion))).answer(BOTH | {"y": 0.5}).values
    assert (said["yes"], said["no"]) == (pytest.approx(yes), pytest.approx(no))
    assert said["sure"] == said[str(said["said"])]


def test_where_no_rule_fires_the_default_has_its_confidence() -> None:
    row = {"x": 3.0, "y": 4.0, "c": None}
    said = read_pmml(document(model("firstHit"))).answer(row).values
    assert (said["said"], said["yes"], said["no"], said["sure"]) == ("no", 0.0, 0.1, 0.1)
    fields = FIELDS | {"t": '<DataField name="t" optype="categorical" dataType="string"/>'}
    unlisted = model("firstHit").replace('defaultScore="no" defaultConfidence="0.1"', 'defaultScore="perhaps"')
    said = read_pmml(document(unlisted, fields=fields)).answer(row).values
    assert (said["said"], said["yes"], said["no"], said["sure"]) == ("perhaps", 0.0, 0.0, None)


def test_a_model_around_it_may_ask_too() -> None:
    inner = rules("firstHit")
    inner = inner[: inner.index("<Output>")] + inner[inner.index("</Output>") + len("</Output>") :]
    schema = inner[inner.index("<MiningSchema>") : inner.index("</MiningSchema>") + len("</MiningSchema>")]
    whole = (
        f'<MiningModel functionName="classification">{schema}<Output>{GIVEN}'
        f'<Segmentation multipleModelMethod="selectFirst"><Segment id="1"><True/>{inner}</Segment></Segmentation>'
        "</MiningModel>"
    )
    said = read_pmml(document(whole)).answer(BOTH).values
    assert (said["yes"], said["no"], said["sure"]) == (0.9, 0.8, 0.9)


def test_a_second_rank_is_the_next_category() -> None:
    second = GIVEN.replace('name="sure" feature="confidence"', 'name="sure" feature="confidence" rank="2"')
    data = document(rules("firstHit").replace("</Output>", second))
    assert read_pmml(data).answer(BOTH).values["sure"] == 0.8
