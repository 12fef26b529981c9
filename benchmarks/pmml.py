"""A gradient-boosted model of 100 trees as PMML: ours against pypmml and jpmml-evaluator, and equal to LightGBM itself.

    python -m benchmarks.pmml [--rows 20000] [--trees 100]

The model is trained by LightGBM on made-up data and written by `tidegate.models.pmml.export`. All three read the same
file; their answers are compared with LightGBM's own before anything is timed. pypmml runs in a Java
machine of its own, jpmml-evaluator in this process; each is asked as its package for Python asks it. All are asked
again and again until they no longer get faster, since Java takes a while to. A row goes in as a dict, a batch as the
same DataFrame.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from benchmarks.targets import Targets
from tidegate.models.lightgbm import parse_forest
from tidegate.models.pmml.export import forest_pmml
from tidegate.models.pmml.model import read_pmml

FEATURES, SINGLES, MOST_SECONDS = 20, 300, 60.0
ONE_TARGET, BATCH_TARGET = 20.0, 30.0


def best(task: Callable[[], object], rows: int) -> float:
    """Seconds a row in the quickest of as many tries as it takes: until ten were no quicker by a thirtieth."""
    quickest, since, end = float("inf"), 0, time.perf_counter() + MOST_SECONDS
    while since < 10 and time.perf_counter() < end:
        start = time.perf_counter()
        task()
        took = (time.perf_counter() - start) / rows
        since = 0 if took < quickest * (1 - 1 / 30) else since + 1
        quickest = min(quickest, took)
    return quickest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="to train on; a batch is half as many")
    parser.add_argument("--trees", type=int, default=100)
    Targets.option(parser)
    asked = parser.parse_args()
    targets = Targets(held=not asked.tiny)
    many_rows, trees = asked.rows // 2, asked.trees
    rng = np.random.default_rng(7)
    x = rng.normal(size=(asked.rows, FEATURES))
    score = x[:, 0] + x[:, 1] * x[:, 2] + np.sin(3 * x[:, 3])
    y = (rng.random(asked.rows) < 1 / (1 + np.exp(-score))).astype(float)
    options = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    names = [f"f{k}" for k in range(FEATURES)]
    booster = lightgbm.train(options, lightgbm.Dataset(x, y, feature_name=names), trees)
    file = Path(tempfile.mkdtemp()) / "boosted.pmml"
    file.write_bytes(forest_pmml(parse_forest(booster.model_to_string()), name="boosted"))
    batch, wanted = x[:many_rows], booster.predict(x[:many_rows], num_threads=1)
    frame = pd.DataFrame(batch, columns=names)
    rows = [dict(zip(names, row, strict=True)) for row in batch[:SINGLES].tolist()]

    began = time.perf_counter()
    ours = read_pmml(file.read_bytes(), file.name)
    ours.answer(rows[0])
    print(f"read in {time.perf_counter() - began:.2f} s: {file.stat().st_size / 1e6:.1f} MB of PMML, {trees} trees")
    worst = np.max(np.abs(ours.table(_columns(frame))["probability(1)"] - wanted) / wanted)
    print(f"largest relative difference from LightGBM: {worst:.1e}, at most 1e-12")
    assert worst <= 1e-12, "not the same answers"

    one = best(partial(_each, ours.answer, rows), SINGLES)
    many = best(lambda: ours.table(_columns(frame)), many_rows)
    print(f"{'microseconds per row':<28} {'one row':>12} {'faster':>9} {'a batch':>12} {'faster':>9}")
    print(f"{'tidegate':<28} {one * 1e6:12.2f} {'':>9} {many * 1e6:12.3f}")
    worst_one, worst_many = float("inf"), float("inf")
    for name, (single, table, stop) in {"pypmml": _pypmml(file), "jpmml-evaluator": _jpmml(file)}.items():
        seen = np.asarray(table(frame)["probability(1)"], np.float64)
        assert np.max(np.abs(seen - wanted) / wanted) < 1e-9, f"{name} says something else"
        their_one = best(partial(_each, single, rows), SINGLES)
        their_many = best(partial(table, frame), many_rows)
        print(
            f"{name:<28} {their_one * 1e6:12.2f} {their_one / one:8.1f}x {their_many * 1e6:12.3f}"
            f" {their_many / many:8.1f}x"
        )
        worst_one, worst_many = min(worst_one, their_one / one), min(worst_many, their_many / many)
        stop()
    targets.ratio("one row against the faster of the two", worst_one, least=ONE_TARGET)
    targets.ratio("a batch against the faster of the two", worst_many, least=BATCH_TARGET)
    targets.end()


def _columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].to_numpy() for name in frame.columns}


def _each(ask: Callable[[dict[str, float]], object], rows: list[dict[str, float]]) -> None:
    for row in rows:
        ask(row)


Peer = tuple[Callable[[dict[str, float]], object], Callable[[pd.DataFrame], pd.DataFrame], Callable[[], object]]


def _pypmml(file: Path) -> Peer:
    from pypmml import Model

    model = Model.fromFile(str(file))
    return model.predict, model.predict, Model.close


def _jpmml(file: Path) -> Peer:
    from jpmml_evaluator import make_evaluator

    evaluator = make_evaluator(str(file)).verify()

    def stop() -> None:
        with contextlib.suppress(Exception):
            evaluator.backend.gateway.shutdown()

    return evaluator.evaluate, evaluator.evaluateAll, stop


if __name__ == "__main__":
    main()
