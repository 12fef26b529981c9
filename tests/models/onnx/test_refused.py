"""What in an ONNX file is not run is refused by name, before ONNX Runtime sees it; what breaks ends a trial, not us."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import GradientBoostingClassifier

from tests.models.onnx.made import exported, graph, rows, value
from tidegate.connectors.onnx_trial import tried
from tidegate.errors import ModelError
from tidegate.models.onnx.document import read_onnx
from tidegate.models.onnx.model import OnnxModel
from tidegate.models.onnx.said import Said

SAME = helper.make_node("Identity", ["X"], ["Y"])


def outside() -> Any:
    tensor = numpy_helper.from_array(np.ones((1,), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return graph([helper.make_node("Add", ["X", "w"], ["Y"])], constants=[tensor])


def outside_within() -> Any:
    """External data in the constant of a branch."""
    tensor = outside().graph.initializer[0]
    inner = helper.make_graph([helper.make_node("Constant", [], ["a"], value=tensor)], "b", [], [value("a", shape=[1])])
    branch = helper.make_node("If", ["c"], ["Y"], then_branch=inner, else_branch=inner)
    return graph([branch], [value("c", TensorProto.BOOL, [1])])


def functions() -> Any:
    model = graph([helper.make_node("F", ["X"], ["Y"], domain="ai.onnx")])
    model.functions.append(helper.make_function("ai.onnx", "F", ["X"], ["Y"], [SAME], [helper.make_opsetid("", 18)]))
    return model


CASES: dict[str, tuple[Any, str]] = {
    "external data": (outside, "keeps w in another file.*etc/passwd"),
    "external data inside": (outside_within, "in another file"),
    "an operator of somebody's own": (
        lambda: graph([helper.make_node("Rob", ["X"], ["Y"], domain="com.bank")], domains=["com.bank"]), "com.bank.Rob",
    ),
    "functions": (functions, "functions of its own.*F"),
    "chance": (lambda: graph([helper.make_node("RandomNormalLike", ["X"], ["Y"])]), "RandomNormalLike.*draws lots"),
    "a loop": (lambda: graph([helper.make_node("Loop", ["", "", "X"], ["Y"])]), "Loop.*without end"),
    "work on texts": (lambda: graph([helper.make_node("StringNormalizer", ["X"], ["Y"])]), "StringNormalizer"),
    "an IR version to come": (lambda: graph([SAME], ir=99), "IR version 99"),
    "an operator set to come": (lambda: graph([SAME], opset=99), "ai.onnx 99.*target_opset"),
    "an old operator set": (lambda: graph([SAME], opset=5), "ai.onnx 5"),
    "an operator set of trees to come": (lambda: graph([SAME], ml=9), "ai.onnx.ml 9"),
    "an operator that there is none of": (lambda: graph([helper.make_node("Bake", ["X"], ["Y"])]), "does not take"),
    "a picture": (lambda: graph([SAME], [value("X", shape=[None, 3, 8, 8])]), r"shape \[-1, 3, 8, 8\]"),
    "half floats": (lambda: graph([SAME], [value("X", TensorProto.FLOAT16)]), "float16"),
    "a batch of its own": (lambda: graph([SAME], [value("X", shape=[7, 1])]), r"shape \[7, 1\]"),
    "a width that is not said": (lambda: graph([SAME], [value("X", shape=[None, None])]), "--features"),
    "no floats": (
        lambda: graph(
            [helper.make_node("Cast", ["X"], ["Y"], to=TensorProto.INT64)], (), [value("Y", TensorProto.INT64)]
        ),
        "Y \\(int64\\).*gives a float",
    ),
    "three chances": (
        lambda: graph([helper.make_node("Concat", ["X"] * 3, ["Y"], axis=1)], (), [value("Y", shape=[None, 3])]),
        r"3 numbers for a row in 'Y'.*Y\[2\]",
    ),
    "a sequence": (
        lambda: graph([SAME], [helper.make_tensor_sequence_value_info("X", TensorProto.FLOAT, None)]), "than a tensor",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_run_is_refused_by_name(name: str) -> None:
    make, words = CASES[name]
    with pytest.raises(ModelError, match=f"(?s){words}"):
        OnnxModel(make().SerializeToString(), "m.onnx")


def bomb() -> bytes:
    """Asks for 40 GB in a few hundred bytes."""
    size = helper.make_tensor("s", TensorProto.INT64, [2], [100_000, 100_000])
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["c"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])),
        helper.make_node("ReduceSum", ["c"], ["r"], keepdims=0),
        helper.make_node("Add", ["X", "r"], ["Y"]),
    ]
    return bytes(graph(nodes, constants=[size]).SerializeToString())


def slow() -> bytes:
    """Multiplies large matrices over and over."""
    size = helper.make_tensor("s", TensorProto.INT64, [2], [6_000, 6_000])
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["c0"])]
    nodes += [helper.make_node("MatMul", [f"c{k}", f"c{k}"], [f"c{k + 1}"]) for k in range(400)]
    nodes += [helper.make_node("ReduceSum", ["c400"], ["r"], keepdims=0), helper.make_node("Add", ["X", "r"], ["Y"])]
    return bytes(graph(nodes, constants=[size]).SerializeToString())


def test_what_asks_for_all_memory_is_refused() -> None:
    with pytest.raises(ModelError, match=r"cannot run m\.onnx|trial"):
        tried(bomb(), "m.onnx")


def test_what_takes_forever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.connectors.onnx_trial.SECONDS", 1)
    with pytest.raises(ModelError, match="did not come through a trial"):
        tried(slow(), "m.onnx")


@pytest.fixture(scope="module")
def good() -> bytes:
    x, y = rows(1, 100)
    return exported(GradientBoostingClassifier(n_estimators=3).fit(x, y), x)


def test_a_good_one_comes_through_its_trial(good: bytes) -> None:
    tried(good, "m.onnx")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_file_that_was_cut_or_changed_is_refused_or_read(good: bytes, data: st.DataObject) -> None:
    """Our own reader only: ONNX Runtime never sees in this process what did not come through a trial."""
    kept = bytearray(good)
    for _ in range(data.draw(st.integers(0, 4))):
        kept[data.draw(st.integers(0, len(kept) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_onnx(bytes(kept[: data.draw(st.integers(0, len(kept)))]), "m.onnx")
    except ModelError as error:
        assert error.wrong and "m.onnx" in error.wrong


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        read_onnx(b"\x08" + data, "m.onnx")
    except ModelError as error:
        assert error.wrong


def test_a_missing_value_is_passed_only_if_the_author_says_so() -> None:
    content = graph([SAME]).SerializeToString()
    row = np.array([[np.nan], [1.5], [1e300]])
    assert np.isnan(OnnxModel(content).predict(row)).tolist() == [True, False, True]
    nodes = [helper.make_node("IsNaN", ["X"], ["n"]), helper.make_node("Cast", ["n"], ["Y"], to=TensorProto.FLOAT)]
    passes = OnnxModel(graph(nodes).SerializeToString(), said=Said(missing="pass"))
    assert passes.predict(row).tolist()[:2] == [1.0, 0.0]
    with pytest.raises(ModelError, match="missing="):
        OnnxModel(content, said=Said(missing="zero"))


def test_a_tensor_per_feature_with_texts_truths_and_whole_numbers() -> None:
    encode = {"cats_strings": ["DE", "FR"], "zeros": 1}
    nodes = [
        helper.make_node("OneHotEncoder", ["country"], ["hot"], domain="ai.onnx.ml", **encode),
        helper.make_node("Reshape", ["hot", "two"], ["flat"]),
        helper.make_node("Cast", ["hour"], ["h"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["known"], ["k"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["flat", "h", "k", "amount"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "w"], ["Y"]),
    ]
    inputs = [
        value("country", TensorProto.STRING), value("hour", TensorProto.INT64), value("known", TensorProto.BOOL),
        value("amount"),
    ]  # fmt: skip
    weights = numpy_helper.from_array(np.array([[100.0], [200.0], [1.0], [10.0], [0.5]], np.float32), "w")
    two = numpy_helper.from_array(np.array([-1, 2], np.int64), "two")
    model = OnnxModel(graph(nodes, inputs, constants=[weights, two]).SerializeToString())
    assert model.features == ("country", "hour", "known", "amount")
    assert [one.kind for one in model.inputs] == ["text", "whole", "truth", "number"]
    de, fr = model.file.texts.index("DE"), model.file.texts.index("FR")
    rows = [[de, 3, 1, 8], [fr, 3, 0, 8], [-1, 3, 0, 8], [fr, 2.5, 0, 8], [np.nan, 3, 0, 8], [fr, np.nan, 0, 8]]
    found = model.predict(np.array(rows, np.float64)).tolist()
    assert found[:3] == [117.0, 207.0, 7.0] and all(one != one for one in found[3:])
