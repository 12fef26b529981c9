"""The tables of a report: every number a plot shows, in words, ready for the page."""

import math
from dataclasses import dataclass

from tidegate.reports import words
from tidegate.reports.figures import ReplayFigures
from tidegate.reports.findings import Findings
from tidegate.reports.spread import OverTime


@dataclass(frozen=True, slots=True)
class Table:
    """A table: a caption, headings, and rows of text. The first `text_columns` columns are words, the others numbers.

    A cell may be a pair: what is said, and in smaller letters what explains it.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | tuple[str, str], ...], ...]
    text_columns: int = 1


def _money(figures: ReplayFigures, minor: int) -> str:
    return words.money(minor, figures.currency, figures.exponent)


def stops(figures: ReplayFigures, found: Findings) -> Table:
    """What the flow's own decisions catch, per threshold of severity."""
    one, many, rest = words.looked_for(figures.label_name)
    head = ["what is flagged", "events", "of all"]
    head += ["precision", "recall", "F1", f"{rest} flagged", f"{rest} per {one}"] if found.frauds else []
    head += [f"{one} value", f"of all {one} value"] if found.frauds and found.fraud_value is not None else []
    rows = []
    for stop in found.stops:
        row: list[str | tuple[str, str]] = [stop.name, words.count(stop.flagged), words.percent(stop.flagged_share)]
        if found.frauds:
            against = (1 - stop.precision) / stop.precision if stop.precision > 0 else math.nan
            row += [
                (words.percent(stop.precision), words.interval(stop.low, stop.high)),
                (words.percent(stop.recall), f"{words.count(stop.frauds)} {many}"),
                words.number(stop.f1),
                words.percent(stop.honest_rate),
                words.rate(against),
            ]
            if found.fraud_value is not None:
                row += [_money(figures, stop.value), words.percent(stop.value_share)]
        rows.append(tuple(row))
    return Table("Decisions of the flow", tuple(head), tuple(rows))


def budget(figures: ReplayFigures, found: Findings) -> Table | None:
    """What a team finds with 1, 2, 5, 10, ... alerts a day."""
    if found.budget is None or not found.budget.lines:
        return None
    one, many, _ = words.looked_for(figures.label_name)
    head = ["alerts a day", "alerts in all", "score from", "precision", f"{many} found"]
    head += ["value saved", f"of all {one} value"] if found.budget.by_value else []
    rows = []
    for line in found.budget.lines:
        row = [
            f"up to {words.count(line.per_day)}",
            words.count(line.alerts),
            words.number(line.threshold, 4),
            words.percent(line.precision),
            words.percent(line.recall),
        ]
        row += [_money(figures, line.value), words.percent(line.value_share)] if found.budget.by_value else []
        rows.append(tuple(row))
    return Table("What a budget of alerts finds, highest scores first", tuple(head), tuple(rows))


def rules(figures: ReplayFigures, found: Findings) -> Table | None:
    """Every rule with its words and its worth."""
    if not found.rules:
        return None
    head = ["rule", "asks for", "hits", "hit rate"]
    head += ["right", "lift", "frauds among hits"] if found.frauds else []
    head += ["fraud value"] if found.frauds and found.fraud_value is not None else []
    head += ["alone"]
    rows = []
    for rule in found.rules:
        row: list[str | tuple[str, str]] = [
            (rule.name, rule.because),
            rule.outcome,
            words.count(rule.hits),
            words.percent(rule.hit_rate),
        ]
        if found.frauds:
            row += [
                (words.percent(rule.right), words.interval(rule.low, rule.high)),
                words.rate(rule.lift) + ("×" if math.isfinite(rule.lift) else ""),
                (words.count(rule.found.frauds), words.percent(rule.found.recall)),
            ]
            row += [_money(figures, rule.found.value)] if found.fraud_value is not None else []
            row += [(words.count(rule.alone), f"{words.count(rule.alone_frauds)} frauds")]
        else:
            row += [words.count(rule.alone)]
        rows.append(tuple(row))
    return Table("Rules of the flow", tuple(head), tuple(rows), text_columns=2)


def over_time(figures: ReplayFigures, steps: OverTime, labelled: bool) -> Table:
    """Counts per step of time."""
    head = (f"{steps.step} from (UTC)", "events", *figures.outcomes, *(("known frauds",) if labelled else ()))
    say = words.day if steps.step_us % 86_400_000_000 == 0 else words.when
    rows = []
    for i, start in enumerate(steps.start.tolist()):
        counts = [words.count(n) for n in (steps.events[i], *steps.by_outcome[:, i])]
        rows.append((say(start), *counts, *((words.count(steps.frauds[i]),) if labelled else ())))
    return Table("Outcomes over time", head, tuple(rows))


def calibration(found: Findings) -> Table | None:
    """What the score says against what happened."""
    if found.calibration is None:
        return None
    rows = tuple(
        (
            f"{b.low:g} to {b.high:g}",
            words.count(b.rows),
            words.percent(b.said),
            words.percent(b.happened),
            words.interval(b.least, b.most),
        )
        for b in found.calibration.bins
    )
    return Table("Calibration of the score", ("score", "events", "mean score", "were fraud", "95 % interval"), rows)


def latency(found: Findings) -> Table | None:
    """Quantiles of the time one decision takes."""
    if found.latency is None:
        return None
    rows = [(f"p{100 * q:g}", words.duration(time)) for q, time in found.latency.quantiles]
    rows += [("mean", words.duration(found.latency.mean)), ("longest", words.duration(found.latency.longest))]
    return Table("Time of one decision", ("figure", "time"), tuple(rows))


def stages(figures: ReplayFigures) -> Table | None:
    """Where the time of the run went."""
    if not figures.stages:
        return None
    whole = sum(figures.stages.values())
    rows = tuple(
        (
            name,
            words.duration(1e6 * seconds),
            words.percent(seconds / whole if whole else math.nan),
            words.duration(1e6 * seconds / figures.rows if figures.rows else math.nan),
        )
        for name, seconds in figures.stages.items()
    )
    return Table("Time by stage", ("stage", "in all", "share", "per event"), rows)


def models(figures: ReplayFigures) -> Table | None:
    """Models and what training measured of them."""
    rows = [
        (metric, value)
        for model in figures.models
        for metric, value in (
            (f"model {model.name}", model.digest[:16] or words.NOTHING),
            *((measured(name), _measure(value)) for name, value in model.metrics.items()),
        )
    ]
    return Table("Models of the flow, as training measured them", ("measure", "value"), tuple(rows)) if rows else None


_METRICS = {
    "rows": "events judged on",
    "positives": "positives among them",
    "roc_auc": "ROC AUC",
    "roc_auc_low": "ROC AUC, 95 % interval from",
    "roc_auc_high": "ROC AUC, 95 % interval to",
    "brier": "Brier score",
}


def measured(name: str) -> str:
    """What training measured, in words: precision_at_0.001 is the precision when 0.1 % of the events are alerted on."""
    what, at, share = name.partition("_at_")
    if at:
        return f"{what} when the {100 * float(share):g} % with the highest scores are alerted on"
    return _METRICS.get(name, name.replace("_", " "))


def _measure(value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    return words.count(value) if float(value).is_integer() and abs(value) > 1 else words.number(float(value), 4)


def run(figures: ReplayFigures, found: Findings) -> Table:
    """Where every row of the source went."""
    rows = [
        ("rows read", words.count(figures.rows_read)),
        ("decided", words.count(figures.rows)),
        ("answered with their first decision (same id, same content)", words.count(figures.repeated)),
        ("refused", words.count(figures.refused)),
        ("quarantined as unreadable", words.count(figures.quarantined)),
        ("decided without a score", words.count(found.unscored)),
        ("decided with a known label", words.count(found.known)),
    ]
    return Table("Rows of the source", ("what became of them", "rows"), tuple(rows))
