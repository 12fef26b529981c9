"""What docs/howto/pmml.md says under "Where engines differ" of Tidegate."""

import pytest

from tidegate.models.pmml.model import read_pmml

from .documents import apply, const, document, expressed, ref, schema
from .test_models import SAID, regression

ROW = {"x": 1.5, "y": 2.0, "c": None}


@pytest.mark.parametrize(
    ("expression", "kind", "wanted"),
    [
        (ref("x"), "integer", None), (ref("y"), "integer", 2), (apply("/", const(7), const(2)), "double", 3.5),
        (apply("isIn", ref("c"), const("a")), "boolean", None),
        (apply("isNotIn", ref("c"), const("a")), "boolean", None),
        (apply("concat", ref("c"), const("-")), "string", None),
        (apply("isNotValid", ref("c")), "boolean", True), (apply("isValid", ref("c")), "boolean", False),
    ],
)  # fmt: skip
def test_an_expression(expression: str, kind: str, wanted: object) -> None:
    assert read_pmml(expressed(expression, kind)).answer(ROW).values["out"] == wanted


@pytest.mark.parametrize("how", ["selectFirst", "modelChain", "average"])
def test_targets_of_the_whole_are_applied_whatever_the_method(how: str) -> None:
    whole = (
        f'<MiningModel functionName="regression">{schema()}{SAID}'
        '<Targets><Target field="n" rescaleFactor="2"/></Targets>'
        f'<Segmentation multipleModelMethod="{how}"><Segment><True/>{regression(1, 2)}</Segment></Segmentation>'
        "</MiningModel>"
    )
    assert read_pmml(document(whole)).answer(ROW | {"c": "b"}).values["said"] == 8.0
