"""Decision tables by index, with the trace, against zen-engine on the same tables and inputs.

    python -m benchmarks.tables

Tables of five inputs, of which cells ask nothing now and then; the first row that matches decides. In *bands* all
inputs are numbers and the cells ranges of them, as in tables of prices and limits; in *mixed* there are countries and a
channel among them, of which zen-engine keeps an index of its own. The inputs match rows from the top to the bottom
alike.

zen-engine is called the fast way, `ZenEngine.evaluate` with its content parsed beforehand; for its answer alone, and
with its trace. Ours gives the trace with every answer. The answers must be equal. In bands of 1,000 rows, which it
reads from the top, ours is to be 30 times as fast as either; in mixed its index answers, as ours does, so the two are
told side by side without a target, which the output says.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import zen

from benchmarks.targets import Targets
from tidegate.decisions.tables.evaluator import Evaluator
from tidegate.decisions.tables.sheet import sheet_of
from tidegate.decisions.tables.table import Table, made

COUNTRIES = [a + b for a in "ABCDEFGHIJ" for b in "KLMNOPQRST"]
CHANNELS = ["app", "web", "desk", "phone"]
INPUTS = ("amount", "score", "country", "channel", "age")
KINDS = {
    "mixed": ("number", "number", "text", "text", "whole number"),
    "bands": ("number", "number", "number", "number", "whole number"),
}


Ask = dict[str, Any]


def rows_of(shape: str, many: int, seed: int) -> tuple[list[list[str]], list[Ask]]:
    """Random rows, of which cells ask nothing now and then, and for each an input that it matches."""
    rng = random.Random(seed)
    rows, asks = [], []

    def span(most: int, share: float) -> tuple[str, int]:
        low, width = rng.randrange(most), 1 + rng.randrange(int(most * share))
        return f"[{low}..{low + width})", rng.randrange(low, low + width)

    for number in range(many):
        amount, score, days = span(100_000, 0.02), span(1_000, 0.2), rng.randrange(400)
        if shape == "bands":
            country, channel = span(200, 0.4), span(100, 0.5)
            named: list[tuple[str, Any]] = [country, channel]
        else:
            countries, one = rng.sample(COUNTRIES, rng.randint(1, 4)), rng.choice(CHANNELS)
            named = [(", ".join(f'"{name}"' for name in countries), rng.choice(countries)), (f'"{one}"', one)]
        cells = [
            amount[0],
            score[0] if rng.random() < 0.8 else "",
            named[0][0] if rng.random() < 0.9 else "",
            named[1][0] if rng.random() < 0.7 else "",
            f">= {days}" if rng.random() < 0.5 else "",
        ]
        rows.append([*cells, str(number)])
        values = (amount[1], score[1], named[0][1], named[1][1], rng.randrange(days, 500))
        asks.append(dict(zip(INPUTS, values, strict=True)))
    return rows, asks


def ours(shape: str, rows: Sequence[Sequence[str]]) -> Table:
    """The table as Tidegate reads it from a file."""
    head = ["first", *(f"if {n} ({kind})" for n, kind in zip(INPUTS, KINDS[shape], strict=True)), "then rate"]
    lines = list(enumerate([head, *(["", *row] for row in rows)], 1))
    return made(sheet_of("bench", lines, lambda line, head: f"line {line}"))


def theirs(rows: Sequence[Sequence[str]], *, trace: bool) -> Callable[[Ask], int]:
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
    options: Any = {"trace": True} if trace else {}
    return lambda inputs: int(engine.evaluate("table", inputs, options)["result"]["rate"])


def rate(ask: Callable[[Ask], Any], inputs: Sequence[Ask], least: float) -> float:
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
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 1_000, 4_000, 16_000], help="rows of the tables")
    Targets.option(parser)
    args = parser.parse_args()
    targets = Targets(held=not args.tiny)
    for shape in KINDS:
        compare(shape, args.seed, args.seconds, args.rows, targets)
    targets.end()


def compare(shape: str, seed: int, seconds: float, sizes: Sequence[int], targets: Targets) -> None:
    """One shape of table, at all sizes."""
    found: dict[int, float] = {}
    ratios: dict[int, tuple[float, float]] = {}
    evaluators: dict[int, tuple[Evaluator, list[Ask]]] = {}
    heads = ("ours, traced", "batch, untraced", "zen-engine", "faster", "its trace", "faster")
    print(f"{shape:<7}" + "".join(f"{head:>{w}}" for head, w in zip(heads, (15, 17, 14, 8, 14, 8), strict=True)))
    for many in sizes:
        rows, asks = rows_of(shape, many, seed)
        inputs = random.Random(seed + 1).sample(asks, min(many, 1_000))
        evaluator, peer, traced = Evaluator(ours(shape, rows)), theirs(rows, trace=False), theirs(rows, trace=True)
        few = inputs[: max(20, 100_000 // many)]
        for one in few:
            mine, other = int(evaluator.evaluate(one).outputs["rate"]), peer(one)
            assert mine == other, f"not the same answer to {one}: {mine}, zen-engine {other}"
        slow, slower = rate(peer, few, seconds), rate(traced, few[:40], seconds)
        found[many] = rate(evaluator.evaluate, inputs, seconds)
        ratios[many], evaluators[many] = (found[many] / slow, found[many] / slower), (evaluator, inputs)
        batch = kernel_rate(evaluator, inputs, seconds)
        print(
            f"{many:>6,} {found[many]:>13,.0f}/s{batch:>15,.0f}/s{slow:>12,.0f}/s{found[many] / slow:>7.0f}x"
            f"{slower:>12,.0f}/s{found[many] / slower:>7.0f}x"
        )
    if 1_000 in found:
        targets.figure(f"{shape}, 1,000 rows, answers a second with the trace", found[1_000], least=100_000)
        if shape == "bands":
            targets.ratio("bands, 1,000 rows against zen-engine", ratios[1_000][0], least=30)
            targets.ratio("bands, 1,000 rows against zen-engine with its trace", ratios[1_000][1], least=30)
        else:
            told = "{:.3g}x, with its trace {:.3g}x".format(*ratios[1_000])
            print(f"NO TARGET  {shape}, 1,000 rows against zen-engine: {told}; it has an index of texts, as we have")
    if {1_000, 16_000} <= found.keys():
        grown = in_turns(evaluators[16_000], evaluators[1_000], seconds)
        targets.ratio(f"{shape}, time per evaluation at 16,000 rows against 1,000", grown, most=2)
    print()


def in_turns(large: tuple[Evaluator, list[Ask]], small: tuple[Evaluator, list[Ask]], least: float) -> float:
    """How many times as long an evaluation of the large one takes: the median of rounds in which the two take turns."""
    ratios, spent = list[float](), 0.0
    while spent < 2 * least or len(ratios) < 5:
        pair = []
        for evaluator, inputs in (large, small):
            began = time.process_time()
            for one in inputs:
                evaluator.evaluate(one)
            pair.append((time.process_time() - began) / len(inputs))
            spent += pair[-1] * len(inputs)
        ratios.append(pair[0] / max(pair[1], 1e-12))
    return statistics.median(ratios)


def kernel_rate(evaluator: Evaluator, inputs: Sequence[Ask], least: float) -> float:
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
