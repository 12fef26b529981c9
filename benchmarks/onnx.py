"""A model in ONNX as a flow asks it, against ONNX Runtime's own `run`, one thread each: 10 features, single floats.

    python -m benchmarks.onnx [--rows 4096] [--trees 100]

Prints microseconds per row and what ours takes as a share of the bare call: from a batch's cells to the score's column,
with what is missing or out of range found first. The bare call is given its tensor made beforehand. Answers are
compared before anything is timed, and rounds of the two take turns. Last, what the reasons of one row cost.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.targets import Targets
from tidegate.models.explanation import Words
from tidegate.models.onnx.model import OnnxModel
from tidegate.models.onnx.said import Said, SaidOfFeature

FEATURES = 10
ROUNDS = 15


def together(ours: Callable[[], object], theirs: Callable[[], object], repeat: int) -> tuple[float, float, float]:
    """Processor seconds of one call of each, and their ratio: medians over rounds in which they take turns."""
    taken: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pair = []
        for task in (ours, theirs):
            start = time.process_time()
            for _ in range(repeat):
                task()
            pair.append((time.process_time() - start) / repeat)
        taken.append((pair[0], pair[1]))
    a, b = (statistics.median(one[k] for one in taken) for k in (0, 1))
    return a, b, statistics.median(one[0] / one[1] for one in taken)


def exported(estimator: Any, x: Any) -> bytes:
    """The estimator as skl2onnx writes it, its chances in a tensor."""
    from skl2onnx import to_onnx

    made = to_onnx(estimator, x[:1], options={"zipmap": False}, target_opset={"": 18, "ai.onnx.ml": 3})
    return bytes(made.SerializeToString())


def bare(content: bytes) -> Any:
    """A session as anybody makes it, with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_096, help="of a batch; at least 64")
    parser.add_argument("--trees", type=int, default=100)
    Targets.option(parser)
    given = parser.parse_args()
    targets = Targets(held=not given.tiny)
    rng = np.random.default_rng(7)
    x = rng.normal(size=(max(given.rows, 64), FEATURES)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(size=len(x)) > 0).astype(int)
    print(f"{'':<34} {'Tidegate':>12} {'ONNX Runtime':>13} {'ours of it':>11}")
    for name, estimator in (
        (f"gradient boosting, {given.trees} trees", GradientBoostingClassifier(n_estimators=given.trees)),
        ("scaler and logistic regression", make_pipeline(StandardScaler(), LogisticRegression())),
    ):
        compare(name, exported(estimator.fit(x, y), x), x, given.rows, targets)
    targets.end()


def compare(name: str, content: bytes, x: Any, rows: int, targets: Targets) -> None:
    typical = tuple(SaidOfFeature(f"f{k}", typical=0.0) for k in range(FEATURES))
    model, session = OnnxModel(content, said=Said(features=typical)), bare(content)
    cells = np.zeros((FEATURES + 1, rows), np.int64)
    cells.view(np.float64)[:FEATURES] = x[:rows].T
    bound = model.bind(range(FEATURES), ["float"] * FEATURES, FEATURES)
    feed, first, output = {"X": x[:rows]}, {"X": x[:1]}, ["probabilities"]
    bound.score(cells, 0, rows)
    np.testing.assert_allclose(cells.view(np.float64)[-1], session.run(output, feed)[0][:, 1], rtol=1e-6, atol=1e-7)
    one = together(lambda: bound.score(cells, 0, 1), lambda: session.run(output, first), 400)
    many = together(lambda: bound.score(cells, 0, rows), lambda: session.run(output, feed), 2)
    how = "in blocks" if model.file.row_exact else f"{model.asking.together} by {model.asking.together}"
    for what, (ours, theirs, share), of in (("one row", one, 1), (f"{rows:,} rows, {how}", many, rows)):
        print(f"{what:<34} {ours / of * 1e6:9.2f} µs {theirs / of * 1e6:10.2f} µs {share:10.2f}x   {name}")
    targets.ratio(f"{name}, one row, of the bare call", one[2], most=2)
    if model.file.row_exact:
        targets.ratio(f"{name}, {rows:,} rows, of the bare call", many[2], most=1.5)
    words = Words(model)
    ours, theirs, share = together(lambda: bound.reasons(cells, [0], words), lambda: session.run(output, first), 20)
    print(f"{'reasons of one row':<34} {ours * 1e6:9.2f} µs {theirs * 1e6:10.2f} µs {share:10.2f}x   {name}")


if __name__ == "__main__":
    main()
