"""Decision tables by index, with the trace, against zen-engine on the same tables and inputs.

    python -m benchmarks.tables

Tables of five inputs: ranges of an amount and of a score, sets of countries, a channel, an age in days, where some
cells ask nothing; the first row that matches decides. The inputs match rows from the top to the bottom alike.
zen-engine is called the fast way: `ZenEngine.evaluate`, its content parsed beforehand. Ours gives the trace with every
answer; zen-engine is asked for its answer alone. The answers must be equal.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import zen

from tidegate.decisions.tables.evaluator import Evaluator
from tidegate.decisions.tables.index import lay
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.decisions.tables.table import Table, made

COUNTRIES = [a + b for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]
CHANNELS = ["app", "web", "desk", "phone"]
INPUTS = ("amount", "score", "country", "channel", "age")
HEADS = (
    "if amount (number)", "if score (number)", "if country (text)", "if channel (text)", "if age (whole number)",
)  # fmt: skip


def rows_of(many: int, seed: int) -> list[list[str]]:
    """Random rows: each cell asks nothing now and then, and the last row asks nothing at all."""
    rng = random.Random(seed)

    def span(most: int, share: float) -> str:
        low = rng.randrange(most)
        return f"[{low}..{low + 1 + rng.randrange(max(1, int(most * share)))})"

    rows = []
    for number in range(many - 1):
        countries = rng.sample(COUNTRIES, rng.randint(1, 4))
        cells = [
            span(100_000, 0.05) if rng.random() < 0.95 else "",
            span(1_000, 0.3) if rng.random() < 0.7 else "",
            ", ".join(f'"{one}"' for one in countries) if rng.random() < 0.8 else "",
            f'"{rng.choice(CHANNELS)}"' if rng.random() < 0.5 else "",
            f">= {rng.randrange(400)}" if rng.random() < 0.5 else "",
        ]
        rows.append([*cells, str(number)])
    return [*rows, ["", "", "", "", "", str(many - 1)]]


def inputs_of(many: int, seed: int) -> list[dict[str, Any]]:
    """What the tables are asked."""
    rng = random.Random(seed)
    return [
        {
            "amount": rng.randrange(100_000), "score": rng.randrange(1_000), "country": rng.choice(COUNTRIES),
            "channel": rng.choice(CHANNELS), "age": rng.randrange(500),
        }
        for _ in range(many)
    ]  # fmt: skip


def ours(rows: Sequence[Sequence[str]]) -> Table:
    """The table as Tidegate reads it from a file."""
    head = ["first", *HEADS, "then rate"]
    lines = list(enumerate([head, *(["", *row] for row in rows)], 1))
    return made(sheet_of("bench", lines, lambda line, head: f"line {line}"))


def theirs(rows: Sequence[Sequence[str]]) -> Callable[[dict[str, Any]], int]:
    """The table in zen-engine, ready to be asked."""
    rules = [{"_id": str(n), **dict(zip(INPUTS, row[:-1], strict=True)), "rate": row[-1]} for n, row in enumerate(rows)]
    content = {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
            {
                "id": "table",
                "type": "decisionTableNode",
                "name": "table",
                "position": {"x": 0, "y": 0},
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": name, "name": name, "field": name} for name in INPUTS],
                    "outputs": [{"id": "rate", "name": "rate", "field": "rate"}],
                    "rules": rules,
                },
            },
            {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
        ],
        "edges": [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    parsed = zen.ZenDecisionContent(json.dumps(content))
    engine = zen.ZenEngine({"loader": lambda key: parsed})
    return lambda inputs: int(engine.evaluate("table", inputs)["result"]["rate"])


def rate(ask: Callable[[dict[str, Any]], Any], inputs: Sequence[dict[str, Any]], least: float) -> float:
    """Answers a second: the best of several passes, so that what else the machine does counts least."""
    best, spent = 0.0, 0.0
    while spent < least:
        began = time.perf_counter()
        for one in inputs:
            ask(one)
        took = time.perf_counter() - began
        best, spent = max(best, len(inputs) / took), spent + took
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each figure is measured, at least")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    inputs = inputs_of(5_000, args.seed + 1)
    found: dict[int, float] = {}
    print(
        f"{'rows':>7} {'tidegate, with trace':>22} {'a kernel call alone':>20} {'zen-engine':>12} {'faster':>8}   index"
    )
    for many in (100, 1_000, 4_000, 16_000):
        rows = rows_of(many, args.seed)
        table, peer = ours(rows), theirs(rows)
        evaluator = Evaluator(table)
        few = inputs[: max(20, 200_000 // many // 5)]
        for one in few:
            mine, other = int(evaluator.evaluate(one).outputs["rate"]), peer(one)
            assert mine == other, f"not the same answer to {one}: {mine}, zen-engine {other}"
        slow = rate(peer, few, args.seconds)
        found[many] = rate(evaluator.evaluate, inputs, args.seconds)
        batch = kernel_rate(evaluator, inputs, args.seconds)
        size = lay(evaluator.indexed.plan).nbytes / 1e6
        print(
            f"{many:>7,} {found[many]:>20,.0f}/s {batch:>18,.0f}/s {slow:>10,.0f}/s {found[many] / slow:>7.0f}x"
            f"   {size:.1f} MB"
        )
    print(f"time per evaluation at 16,000 rows against 1,000: {found[1_000] / found[16_000]:.2f}x")


def kernel_rate(evaluator: Evaluator, inputs: Sequence[dict[str, Any]], least: float) -> float:
    """Answers a second in a batch, as in a flow: from cells to cells."""
    cells = np.zeros((len(evaluator._single), len(inputs)), np.int64)
    for i, one in enumerate(inputs):
        evaluator.evaluate(one)
        cells[:, i] = evaluator._single[:, 0]
    best, spent = 0.0, 0.0
    while spent < least / 4:
        began = time.perf_counter()
        evaluator.indexed.answer(cells, 0, len(inputs))
        took = time.perf_counter() - began
        best, spent = max(best, len(inputs) / took), spent + took
    return best


if __name__ == "__main__":
    main()
