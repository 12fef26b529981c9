"""Models in ONNX for tests: scikit-learn's own, exported by skl2onnx, and ones that nobody would export."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

__all__ = ["exported", "graph", "rows", "value"]

Floats = NDArray[np.float64]


def rows(seed: int, count: int = 300, features: int = 4) -> tuple[Floats, NDArray[np.int64]]:
    """Numbers that a float of 32 bits holds, and whether each row is positive."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features)).astype(np.float32).astype(np.float64)
    return x, (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(np.int64)


def exported(estimator: Any, x: Floats, **options: Any) -> bytes:
    """A fitted estimator as skl2onnx writes it, by default with its maps of chances."""
    from skl2onnx import to_onnx

    return bytes(
        to_onnx(estimator, x[:1].astype(np.float32), target_opset={"": 18, "ai.onnx.ml": 3}, **options)
        .SerializeToString()
    )  # fmt: skip


def value(name: str, element: int = TensorProto.FLOAT, shape: Sequence[int | None] = (None, 1)) -> ValueInfoProto:
    """An input or output."""
    return helper.make_tensor_value_info(name, element, list(shape))


def graph(
    nodes: Sequence[Any], inputs: Sequence[Any] = (), outputs: Sequence[Any] = (), constants: Sequence[Any] = (),
    *, ir: int = 8, opset: int = 18, ml: int = 3, domains: Sequence[str] = (),
) -> ModelProto:  # fmt: skip
    """A model of a few operators, from X to Y."""
    made = helper.make_graph(nodes, "g", list(inputs) or [value("X")], list(outputs) or [value("Y")], list(constants))
    sets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ml)]
    model = helper.make_model(made, opset_imports=sets + [helper.make_opsetid(one, 1) for one in domains])
    model.ir_version = ir
    return model
