"""A whole decision in process, JSON to JSON, against plain Python that only computes W1's 34 features.

    python -m benchmarks.decision --events 200000

Ours: read and check the event, 34 windows, ten rules, a LightGBM model of 200 trees, reasons for what is not approved,
answer as JSON. Theirs: the loop of `w1.py` (dicts and deques), from values that are already Python numbers, without any
decision.
"""

import argparse
import gc
import importlib.util
import inspect
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import lightgbm
import msgspec
import numpy as np
import polars as pl

from benchmarks.targets import Targets
from benchmarks.w1_flow import W1, W1Decision
from tidegate import Decision, Engine
from tidegate.models.lightgbm import parse_forest
from tidegate.models.tree_model import TreeModel


def workload() -> ModuleType:
    """The published workload, from TIDEGATE_SHARED."""
    path = Path(os.environ.get("TIDEGATE_SHARED", "../shared")) / "bench" / "w1.py"
    spec = importlib.util.spec_from_file_location("w1", path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"No workload at {path}: set TIDEGATE_SHARED.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain_times(w1: ModuleType, events: pl.DataFrame) -> np.ndarray:
    """Microseconds of each event in the peer's own loop: its source with a clock read at the top of every turn."""
    source = inspect.getsource(w1.plain).replace(
        "row, state = [], cards[card]", "ticks.append(now()); row, state = [], cards[card]"
    )
    space: dict[str, Any] = dict(vars(w1)) | {"ticks": [], "now": time.perf_counter_ns}
    exec(source, space)  # the peer's published code, not ours to copy
    space["plain"](events)
    return np.diff(np.array(space["ticks"])) / 1000.0


def forest_text(documents: list[bytes], seed: int = 1) -> str:
    """LightGBM's text of a model of 200 trees over the 34 features of real W1 events.

    It is fitted to a made-up risk of two in a hundred.
    """
    engine = Engine(W1, explain=True)
    read, names = engine.readers["Payment"].read, list(W1.definition.features)
    decided = engine.process([read(document) for document in documents])
    found = [one.features or {} for one in decided if isinstance(one, Decision)]
    rows = [[np.nan if value is None else float(value) for value in one.values()] for one in found]
    matrix = np.array(rows)
    rng = np.random.default_rng(seed)
    spread = np.nan_to_num(matrix[:, names.index("card_std_24h")]) * (
        1 + np.nan_to_num(matrix[:, names.index("merchant_declined_24h")])
    )
    risky = spread + rng.normal(0, spread.std() / 4, len(spread))
    label = risky > np.quantile(risky, 0.98)
    settings = {
        "objective": "binary",
        "num_leaves": 31,
        "max_depth": 6,
        "learning_rate": 0.05,
        "verbose": -1,
        "num_threads": 1,
    }
    fitted = lightgbm.train(settings, lightgbm.Dataset(matrix, label.astype(int), feature_name=names), 200)
    return str(fitted.model_to_string())


def forest(documents: list[bytes]) -> TreeModel:
    """The model that the flow asks for."""
    return TreeModel(parse_forest(forest_text(documents)), features=list(W1.definition.features))


def bodies_of(events: pl.DataFrame) -> list[bytes]:
    """The events as JSON documents."""
    columns = [events[name].to_list() for name in ("id", "at_ms", "card", "merchant", "amount_cents", "declined")]
    return [
        msgspec.json.encode(
            {
                "id": f"p{id}",
                "at": datetime.fromtimestamp(at / 1000, UTC),
                "card": card,
                "merchant": merchant,
                "amount_cents": amount,
                "declined": declined,
            }
        )
        for id, at, card, merchant, amount, declined in zip(*columns, strict=True)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    Targets.option(parser)
    args = parser.parse_args()
    w1 = workload()
    events = w1.make(args.events, args.seed)
    warm = args.events // 5
    # the peer goes first, in a process with nothing else on its heap that its garbage collector would have to look at
    theirs = plain_times(w1, events)[warm:]
    plain_rate = len(events) / w1.plain(events)
    gc.collect()
    documents = bodies_of(events)
    model = forest(documents[:40_000])
    engine = Engine(W1Decision, models={"w1@champion": model})
    times, approved = [], 0
    for document in documents:
        began = time.perf_counter_ns()
        answer = engine.decide_json(document)
        times.append(time.perf_counter_ns() - began)
        approved += b'"outcome":"approve"' in answer
    ours = np.array(times[warm:]) / 1000.0
    batches = Engine(W1Decision, models={"w1@champion": model})
    began_s = time.perf_counter()
    for start in range(0, len(documents), 1024):
        batches.decide_json_many(documents[start : start + 1024])
    batch_rate = len(documents) / (time.perf_counter() - began_s)
    rows = [
        ("decisions/s, in batches of 1,024", f"{batch_rate:,.0f}", f"{plain_rate:,.0f}", batch_rate / plain_rate),
        (
            "decisions/s, one at a time",
            f"{1e6 / ours.mean():,.0f}",
            f"{1e6 / theirs.mean():,.0f}",
            theirs.mean() / ours.mean(),
        ),
    ]
    for q in (50, 99):
        a, b = np.percentile(ours, q), np.percentile(theirs, q)
        rows.append((f"p{q}, microseconds", f"{a:.1f}", f"{b:.1f}", a / b))
    print(
        f"{args.events:,} events, seed {args.seed}; {1 - approved / len(documents):.2%} not approved, so with reasons"
    )
    print(f"{'':36}{'tidegate, all of it':>22}{'plain Python, W1 alone':>26}{'ratio':>8}")
    for name, own, other, ratio in rows:
        print(f"{name:36}{own:>22}{other:>26}{ratio:>7.2f}x")
    targets = Targets(held=not args.tiny)
    targets.ratio(rows[0][0], rows[0][3], least=2.2)
    for name, _, _, ratio in rows[2:]:
        targets.ratio(name, ratio, most=1)
    targets.end()


if __name__ == "__main__":
    main()
