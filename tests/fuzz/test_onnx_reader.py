"""The reader of ONNX files, given what nobody would write: it reads or refuses, in time and room, and never breaks.

ONNX Runtime does not see these bytes in this process: whatever comes through the reader is tried in one of its own,
which a few of them are here.
"""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given as cases
from hypothesis import settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.models.onnx.made import graph, value
from tests.models.onnx.test_refused import CASES, SAME, bomb, outside, outside_within
from tidegate.connectors.onnx_trial import tried
from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile, read_onnx
from tidegate.models.onnx.inputs import columns_of
from tidegate.models.onnx.output import score_of

pytestmark = pytest.mark.fuzz


def trees() -> ModelProto:
    node = helper.make_node(
        "TreeEnsembleRegressor", ["X"], ["Y"], domain="ai.onnx.ml", n_targets=1,
        nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_values=[0.5, 0.0, 0.0], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[0, 0], target_weights=[0.25, 0.75],
    )  # fmt: skip
    return graph([node])


def linear() -> ModelProto:
    weights = numpy_helper.from_array(np.ones((3, 1), np.float32), "w")
    nodes = [helper.make_node("MatMul", ["X", "w"], ["a"]), helper.make_node("Sigmoid", ["a"], ["Y"])]
    return graph(nodes, [value("X", shape=[None, 3])], constants=[weights])


def nested(depth: int) -> ModelProto:
    """Graphs inside of graphs, as branches of an If."""
    inner = helper.make_graph([helper.make_node("Identity", ["X"], ["b"])], "b", [], [value("b", shape=[None, 1])])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["b"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "b", [], [value("b", shape=[None, 1])])
    node = helper.make_node("If", ["c"], ["Y"], then_branch=inner, else_branch=inner)
    return graph([node], [value("X"), value("c", TensorProto.BOOL, [1])])


def huge() -> ModelProto:
    return graph([SAME], [value("X", shape=[None, 2**40])])


def long_names() -> ModelProto:
    return graph([helper.make_node("Identity", ["X"], ["Y"], name="n" * 100_000)], [value("X", shape=[None, 5])])


MADE = [make().SerializeToString() for make in (trees, linear, huge, long_names, outside, outside_within)]
MADE += [nested(3).SerializeToString(), nested(6).SerializeToString(), bomb()]
MADE += [CASES[name][0]().SerializeToString() for name in ("functions", "an operator of somebody's own", "a sequence")]
_MORE = st.one_of(
    st.sampled_from([
        b"\xff" * 10, b"\x80" * 9 + b"\x01", b"\x0a\xff\xff\xff\x7f", b"\x3a\x00", b"\x08\x0e", b"\x6a\x00",
        b"\x70\x01", b"\x0b", b"\x0d", b"ai.onnx.ml", b"com.bank", b"Loop", b"Scan", b"RandomUniform", b"location",
        b"\x12\x08\x80\x80\x80\x80\x80\x80\x80\x40",
    ]),
    st.binary(max_size=8),
)  # fmt: skip


def looked(data: bytes) -> OnnxFile | None:
    """Look into a file and at all that is asked of it before ONNX Runtime is; only refusals of ours may come out."""
    began = time.process_time()
    found = None
    try:
        found = read_onnx(data, "m.onnx")
        columns_of(found, ())
        score_of(found)
    except ModelError as error:
        assert error.wrong and (error.seen or error.do)
    assert time.process_time() - began < 10
    return found


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """A file with some places cut out and something put in their stead, perhaps cut short or within itself."""
    data = draw(st.sampled_from(MADE))
    for _ in range(draw(st.integers(0, 4))):
        at, gone = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
        data = data[:at] + draw(_MORE) + data[at + gone :]
    start = draw(st.integers(0, len(data)))
    how = draw(st.sampled_from(["whole", "cut", "twice", "inside"]))
    if how == "cut":
        return data[:start]
    if how == "twice":
        return data + data[start:]
    return data if how == "whole" else data[:start] + data + data[start:]


@cases(edited())
def test_files(data: bytes) -> None:
    looked(data)


@cases(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    looked(b"\x08\x08" + data)
    looked(b"\x08\x08\x3a" + bytes([min(len(data), 127)]) + data[:127])


@pytest.mark.parametrize("depth", [21, 200])
def test_graphs_nested_without_end(depth: int) -> None:
    """Written by hand: a library that writes them grows with both branches."""

    def field(number: int, data: bytes) -> bytes:
        size, out = len(data), bytearray()
        while size > 0x7F:
            out.append(size & 0x7F | 0x80)
            size >>= 7
        return bytes([number << 3 | 2, *out, size]) + data

    inner = b""
    for _ in range(depth):  # a graph of a node of an attribute of a graph
        inner = field(1, field(4, b"If") + field(5, field(6, inner)))
    with pytest.raises(ModelError, match="nested more than 20 deep"):
        read_onnx(b"\x08\x08" + field(8, b"\x10\x12") + field(7, inner), "m.onnx")


def test_no_file_takes_much_more_room_than_it_has() -> None:
    large = graph([SAME], constants=[numpy_helper.from_array(np.zeros(2_000_000, np.float32), "w")]).SerializeToString()
    tracemalloc.start()
    try:
        read_onnx(large, "m.onnx")
        assert tracemalloc.get_traced_memory()[1] < len(large) / 4
    finally:
        tracemalloc.stop()


@settings(max_examples=4, deadline=None)
@cases(edited())
def test_what_comes_through_is_tried_elsewhere(data: bytes) -> None:
    found: Any = looked(data)
    if found is None:
        return
    try:
        tried(data, "m.onnx")
    except ModelError as error:
        assert error.wrong
