"""Our walk of a forest against LightGBM's own, one thread each: 200 trees of 31 leaves, 20 features.

    python -m benchmarks.models [--rows 20000] [--trees 200]

Prints microseconds per row and how many times faster ours is; the answers are compared before anything is timed.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import lightgbm
import numpy as np

from benchmarks.targets import Targets
from tidegate.models.explanation import reasons
from tidegate.models.lightgbm import parse_forest
from tidegate.models.tree_model import TreeModel

FEATURES = 20


def best(task: Callable[[], object], repeat: int, tries: int = 7) -> float:
    """Seconds of one run, in the quickest of some tries."""
    quickest = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        for _ in range(repeat):
            task()
        quickest = min(quickest, (time.perf_counter() - start) / repeat)
    return quickest


def line(what: str, ours: float, theirs: float, targets: Targets) -> None:
    print(f"{what:<44} {ours * 1e6:9.2f} µs {theirs * 1e6:9.2f} µs {theirs / ours:7.1f}x")
    targets.ratio(what, theirs / ours, least=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="to train on; at least 1,024")
    parser.add_argument("--trees", type=int, default=200)
    Targets.option(parser)
    asked = parser.parse_args()
    targets = Targets(held=not asked.tiny)
    rng = np.random.default_rng(7)
    x = rng.normal(size=(asked.rows, FEATURES))
    x[:, 4], x[:, 5] = rng.integers(0, 100, asked.rows), rng.integers(0, 30, asked.rows)
    score = x[:, 0] + x[:, 1] * x[:, 2] + x[:, 4] % 3 + (x[:, 5] % 5 == 1) - 2
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (rng.random(asked.rows) < 1 / (1 + np.exp(-score))).astype(float)
    print(f"{'microseconds per row':<44} {'ours':>12} {'LightGBM':>12} {'faster':>8}")
    for name, depth, categorical in (("depth 6", 6, []), ("any depth", -1, []), ("depth 6, categories", 6, [4, 5])):
        options = {"objective": "binary", "num_leaves": 31, "max_depth": depth, "verbosity": -1, "num_threads": 1}
        booster = lightgbm.train(options, lightgbm.Dataset(x, y, categorical_feature=categorical), asked.trees)
        model = TreeModel(parse_forest(booster.model_to_string()))
        assert (model.predict(x) == booster.predict(x, num_threads=1)).all(), "not the same floats"

        cells = np.zeros((FEATURES + 1, 1024), np.int64)
        cells.view(np.float64)[:FEATURES] = x[:1024].T
        bound = model.bind(range(FEATURES), ["float"] * FEATURES, FEATURES)
        singles = [x[k : k + 1].copy() for k in range(64)]

        def one_by_one(bound=bound, cells=cells) -> None:  # type: ignore[no-untyped-def]
            for row in range(64):
                bound.score(cells, row, row + 1)

        def one_by_one_theirs(booster=booster, singles=singles) -> None:  # type: ignore[no-untyped-def]
            for single in singles:
                booster.predict(single, num_threads=1)

        line(f"{name}: one row a call", best(one_by_one, 20) / 64, best(one_by_one_theirs, 1) / 64, targets)
        batch = best(partial(bound.score, cells, 0, 1024), 3) / 1024
        peer_batch = best(partial(booster.predict, x[:1024], num_threads=1), 1) / 1024
        line(f"{name}: 1,024 rows", batch, peer_batch, targets)

        few = x[:64].copy()
        theirs = booster.predict(few, pred_contrib=True, num_threads=1)
        assert abs(model.contributions(few) - theirs).max() < 1e-9, "not the same contributions"
        one = best(partial(bound.contributions, cells, 0), 20)
        peer = best(partial(booster.predict, singles[0], pred_contrib=True, num_threads=1), 3)
        line(f"{name}: contributions of one row", one, peer, targets)
        values, parts = bound.values(cells, 0), bound.contributions(cells, 0)
        words = best(partial(reasons, model, values, parts), 100)
        print(f"{name + ': and its reasons in words':<44} {words * 1e6:9.2f} µs")
    targets.end()


if __name__ == "__main__":
    main()
