"""A large decision table of a DMN model, against reading its rows from the top, and zen-engine; in processor time.

    python -m benchmarks.dmn

The tables are those of `benchmarks.tables`, written as DMN: five inputs, of which cells ask nothing now and then, and
the first row that matches decides. A whole evaluation is measured: inputs made FEEL's, the table, the trace with the
row. The peers are the same model with its index switched off, and zen-engine on the same rows as a table of its own,
called as in `benchmarks.tables`, for its answer alone. All answers must be equal. Rounds of them take turns, and the
median of their ratios is what counts, so that other work on the machine does not.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock
from xml.sax.saxutils import escape

from benchmarks.tables import INPUTS, KINDS, Ask, rows_of, theirs
from benchmarks.targets import Targets
from tidegate.decisions.dmn import DmnModel, read_dmn
from tidegate.decisions.dmn import table as tables

_TYPES = {"text": "string", "number": "number", "whole number": "number"}


def model(shape: str, rows: Sequence[Sequence[str]]) -> DmnModel:
    """The table as the one decision of a DMN model."""
    kinds = dict(zip(INPUTS, (_TYPES[kind] for kind in KINDS[shape]), strict=True))
    given = "".join(
        f'<inputData id="{n}" name="{n}"><variable name="{n}" typeRef="{k}"/></inputData>' for n, k in kinds.items()
    )
    needs = "".join(
        f'<informationRequirement><requiredInput href="#{name}"/></informationRequirement>' for name in INPUTS
    )
    columns = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in INPUTS)
    rules = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text>{escape(cell or '-')}</text></inputEntry>" for cell in row[:-1])
        + f"<outputEntry><text>{row[-1]}</text></outputEntry></rule>"
        for row in rows
    )
    return read_dmn(
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="bench" namespace="urn:bench">'
        f'{given}<decision id="rate" name="rate"><variable name="rate"/>{needs}'
        f'<decisionTable hitPolicy="FIRST">{columns}<output/>{rules}</decisionTable></decision></definitions>'.encode(),
        "bench.dmn",
    )


def spent(ask: Callable[[Ask], Any], asks: Sequence[Ask]) -> float:
    """Seconds of the processor for one evaluation."""
    began = time.process_time()
    for one in asks:
        ask(one)
    return (time.process_time() - began) / len(asks)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often the two take turns")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 3_000, 16_000], help="rows of the tables")
    Targets.option(parser)
    args = parser.parse_args()
    targets = Targets(held=not args.tiny)
    for shape in KINDS:
        heads = ("by index", "from the top", "faster", "zen-engine", "faster")
        columns = "".join(f"{head:>{width}}" for head, width in zip(heads, (15, 15, 9, 15, 9), strict=True))
        print(f"{shape:<7}{columns}   evaluations a second of the processor")
        for many in args.rows:
            compare(shape, many, args.seed, args.rounds, targets)
        print()
    targets.end()


def compare(shape: str, many: int, seed: int, rounds: int, targets: Targets) -> None:
    """One table."""
    rows, asks = rows_of(shape, many, seed)
    quick, slow, peer = model(shape, rows), model(shape, rows), theirs(rows, trace=False)
    asks = asks[:: max(1, many // 300)]
    few = asks[:: max(1, len(asks) * many // 60_000)]
    with mock.patch.object(tables, "INDEXED_AFTER", 0):
        quick.evaluate("rate", asks[0])
    with mock.patch.object(tables, "INDEXED_AFTER", 10**12):
        for one in few:
            mine, right = quick.evaluate("rate", one).value, slow.evaluate("rate", one).value
            assert mine == right and mine is not None, f"not the same answer to {one}: {mine}, from the top {right}"
            assert int(mine) == peer(one), f"not the same answer to {one}: {mine}, zen-engine {peer(one)}"
        times = [
            (
                spent(lambda one: quick.evaluate("rate", one), asks),
                spent(lambda one: slow.evaluate("rate", one), few),
                spent(peer, few),
            )
            for _ in range(rounds)
        ]
    to_top, to_peer = (statistics.median(one[k] / one[0] for one in times) for k in (1, 2))
    index, top, zen = (statistics.median(one) for one in zip(*times, strict=True))
    print(f"{many:>6,} {1 / index:>12,.0f}/s{1 / top:>13,.0f}/s{to_top:>8.0f}x{1 / zen:>13,.0f}/s{to_peer:>8.1f}x")
    if many == 3_000:
        targets.ratio(f"{shape}, 3,000 rows against reading them from the top", to_top, least=50)


if __name__ == "__main__":
    main()
