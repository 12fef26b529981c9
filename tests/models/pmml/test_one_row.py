"""The quick way for one row says what the general way says, whatever the values are."""

import copy
import math
import pickle
import struct
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tidegate.errors import ModelError
from tidegate.models.pmml.model import PmmlModel, read_pmml
from tidegate.models.pmml.one_row import OneRow

from .documents import FIELDS, USED, document, expressed, ref
from .test_models import scorecard, tree

(PAYLOAD,) = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))
ODD: list[Any] = [
    None, "", "1.5", " 2 ", "word", True, False, 7, 10**400, -(10**30), Decimal("0.25"), Decimal("NaN"),
    Decimal("sNaN"), np.float64(0.5), np.float32(0.1), np.float32("nan"), np.int64(3), np.bool_(True), math.nan,
    PAYLOAD, math.inf, -math.inf, -0.0, b"1", [1.0], 1j,
]  # fmt: skip
NUMBERS = some.one_of(some.sampled_from(ODD), some.floats(-4, 4), some.floats(), some.integers(-5, 5))
TEXTS = some.one_of(some.sampled_from(["a", "b", "zz", "", None, 1, 1.0, True]), some.text(max_size=3))


def typed(kind: str) -> dict[str, str]:
    return FIELDS | {"x": f'<DataField name="x" optype="continuous" dataType="{kind}"/>'}


def models() -> dict[str, PmmlModel]:
    plain = tree("none", "returnLastPrediction")
    found = {kind: read_pmml(document(plain, fields=typed(kind))) for kind in ("double", "float", "integer")}
    found["a whole number"] = read_pmml(expressed(ref("x"), "integer"))
    empty = FIELDS | {"c": FIELDS["c"].replace("</DataField>", '<Value value=""/></DataField>')}
    found["an empty text"] = read_pmml(
        document(tree("none", "returnLastPrediction").replace('"a"', '""'), fields=empty)
    )
    found["points"] = read_pmml(document(scorecard("pointsAbove")))
    return found


MODELS = models()


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=300, deadline=None)
@given(x=NUMBERS, y=NUMBERS, c=TEXTS)
def test_it_says_what_the_general_way_says(kind: str, x: Any, y: Any, c: Any) -> None:
    model, row = MODELS[kind], {"x": x, "y": y, "c": c}
    assert same(model.answer(row), model._slowly(row))


def test_plain_rows_do_go_the_quick_way() -> None:
    for model in MODELS.values():
        model.answer({"x": 0.5, "y": 1.0, "c": "a"})
        assert model._one is not None
        assert model._one({"x": 0.5, "y": 1, "c": "a"}) is not None
        assert model._one({"x": 0.5, "y": math.nan, "c": "b"}) is not None
        assert model._one({"x": "0.5", "y": 1, "c": "a"}) is None
        assert model._one({"x": 0.5, "y": 1, "c": "unheard of"}) is None


def test_floats_are_rounded_to_single_precision() -> None:
    model = MODELS["float"]
    for x in (0.1, 1e300, -1e300, 1e-46):
        row = {"x": x, "y": 1.0, "c": "a"}
        assert same(model.answer(row), model.answers({name: [value] for name, value in row.items()})[0])


def test_what_is_not_given_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match="reads 'y', which is not given"):
        MODELS["double"].answer({"x": 1.0, "c": "a"})


def test_a_copy_has_memory_of_its_own() -> None:
    model = MODELS["points"]
    row = {"x": 0.9, "y": 1.0, "c": "b"}
    wanted = model.answer(row)
    assert model._one is not None
    for other in (copy.deepcopy(model._one), copy.copy(model._one), pickle.loads(pickle.dumps(model._one))):
        assert isinstance(other, OneRow) and not other._free
        assert same(other(row), model._one(row))
    assert same(model.answer(row), wanted)


def test_threads_do_not_share_memory() -> None:
    model = MODELS["points"]
    rows = [{"x": k / 50 - 1, "y": (k % 7) - 3.0, "c": "ab"[k % 2]} for k in range(100)]
    wanted = [repr(model._slowly(row)) for row in rows]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            assert [repr(answer) for answer in pool.map(model.answer, rows)] == wanted
    assert set(USED) == set(rows[0])
