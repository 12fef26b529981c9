"""What is said of a model that is a file, in a flow."""

from typing import Any

import pytest

from tidegate import model
from tidegate.errors import FlowError
from tidegate.events.types import Kind, Type
from tidegate.models.signature import ModelInput, _misread


@pytest.mark.parametrize("typical", ["usual.csv", [60.0], 1])
def test_a_typical_row_of_another_type_is_refused_by_name(typical: Any) -> None:
    with pytest.raises(FlowError, match="typical of the model") as told:
        model("night.onnx", of=[], otherwise=0.0, typical=typical)
    assert repr(typical) in told.value.seen and "typical={" in told.value.do


def test_an_amount_in_major_units_is_told_to_be_a_line_of_its_own() -> None:
    told = _misread(ModelInput("amount", "number", unit="EUR"), Type(Kind.MONEY, currency="EUR"))
    assert told is not None and "amount = units(…) / 100" in told[2]
