"""What a replay measures on events that the flow's models were fitted on, and on those they had not seen."""

from dataclasses import replace

from tidegate.reports import words
from tidegate.reports.detection import MISSING_AMOUNT, Ranking
from tidegate.reports.figures import FRAUD, ReplayFigures
from tidegate.reports.findings import find


def fitted_on(figures: ReplayFigures) -> list[tuple[str, str]]:
    """How many events lie in the span that a model was fitted on, and the figures on the rest; empty if none do."""
    inside = figures.fitted
    seen = int(inside.sum())
    if not seen:
        return []
    rest = figures.only(~inside)
    share = f"{words.count(seen)} of {words.count(figures.rows)} events ({words.percent(seen / figures.rows)})"
    lines = [("fitted on", f"{share} lie in the span that a model was fitted on: figures above flatter it")]
    if not rest.rows:
        return [*lines, ("on the rest", "no event is left to judge on")]
    found = find(replace(rest, models=(), latency_us=None))
    judged: Ranking | None = found.ranking
    said = f"{words.count(rest.rows)} events"
    if judged is not None:
        said += f": average precision {words.number(judged.average_precision, 4)}"
        said += f", ROC AUC {words.number(judged.roc_auc, 4)}"
    lines.append(("on the rest", said))
    for stop in found.stops if found.frauds else ():
        text = f"precision {words.percent(stop.precision)}, recall {words.percent(stop.recall)}"
        lines.append((f"on the rest, {stop.name}", text))
    return lines


def unvalued(figures: ReplayFigures) -> int:
    """How many known frauds have no amount in the currency that is added up, and so are in no sum."""
    if figures.label is None or figures.amount is None:
        return 0
    return int(((figures.label == FRAUD) & (figures.amount == MISSING_AMOUNT)).sum())
