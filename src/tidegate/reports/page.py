"""The report of a replay: one HTML page that needs no network and no script, and its short form for the terminal."""

import math
from collections.abc import Iterator
from typing import Any

from tidegate.events.currency import decimals
from tidegate.reports import canvas, card_plots, card_tables, plots, tables, words
from tidegate.reports.detection import Caught
from tidegate.reports.figures import FRAUD, HONEST, ReplayFigures
from tidegate.reports.findings import Findings, find
from tidegate.reports.scorecards import CardWorth
from tidegate.reports.spread import OverTime
from tidegate.reports.template import fill
from tidegate.reports.unseen import fitted_on, unvalued


def summary(figures: ReplayFigures, found: Findings | None = None) -> list[tuple[str, str]]:
    """The key figures as (name, value), in the order to show them; pass `found` when it is at hand already."""
    found = found or find(figures)
    lines = [("events decided", words.count(figures.rows))]
    if figures.rows:
        lines.append(("time span", f"{words.when(int(figures.at.min()))} to {words.when(int(figures.at.max()))}"))
    if figures.events_per_second:
        lines.append(("events per second", words.count(figures.events_per_second)))
    for name, many in (
        ("refused", figures.refused),
        ("quarantined", figures.quarantined),
        ("repeated", figures.repeated),
    ):
        lines += [(name, words.count(many))] if many else []
    for name, many in zip(figures.outcomes, found.outcome_counts, strict=True):
        share = words.percent(many / figures.rows if figures.rows else math.nan)
        lines.append((name, f"{words.count(many)} ({share})"))
    lines.append(("alarms", words.count(found.alarms)))
    one, plural, _ = words.looked_for(figures.label_name)
    if found.known:
        lines.append((f"known {plural}", f"{words.count(found.frauds)} of {words.count(found.known)} labelled"))
    elif figures.rows:
        lines.append((f"known {plural}", "the source has no labels"))
    if found.frauds:
        for stop in found.stops:
            text = f"precision {words.percent(stop.precision)}, recall {words.percent(stop.recall)}"
            if found.fraud_value is not None:
                value = words.money(stop.value, figures.currency, figures.exponent)
                text += f", {value} of {one} ({words.percent(stop.value_share)})"
            lines.append((stop.name, text))
    if found.ranking:
        lines.append(("average precision", words.number(found.ranking.average_precision, 4)))
        lines.append(("ROC AUC", words.number(found.ranking.roc_auc, 4)))
    if lacking := unvalued(figures):
        said = (
            f"{words.count(lacking)} of {words.count(found.frauds)} known {plural} have no amount in {figures.currency}"
        )
        lines.append(("not in the sums", said))
    lines += fitted_on(figures)
    if found.latency:
        times = ", ".join(f"p{100 * q:g} {words.duration(t)}" for q, t in found.latency.quantiles)
        lines.append(("time of one decision", f"{times} ({_timed(figures, found.latency.samples)})"))
    elif figures.latency_us is not None and len(figures.latency_us):
        lines.append(("time of one decision", f"not told: {_timed(figures, len(figures.latency_us))}, too few"))
    return lines


def _timed(figures: ReplayFigures, many: int) -> str:
    """What the times are of: a replay with a store waits for the disk in each."""
    return f"{words.count(many)} timed one by one" + (", each kept on disk" if "keep" in figures.stages else "")


def render(figures: ReplayFigures, found: Findings | None = None) -> str:
    """The report as one HTML page; the same figures always give the same page.

    Args:
        figures: what the replay left behind.
        found: what `find(figures)` gave, when it is at hand already.

    Raises:
        TidegateError: matplotlib or Jinja2 is not installed.
    """
    found = found or find(figures)
    with canvas.style():
        drawings = _drawings(figures, found)
        scorecards = [_scorecard(card, place, found.frauds > 0) for place, card in enumerate(found.cards)]
    return fill("replay.html", **_content(figures, found), **drawings, scorecards=scorecards)


def _scorecard(card: CardWorth, place: int, labelled: bool) -> dict[str, Any]:
    """What the template says of a scorecard."""
    from markupsafe import Markup

    own = "".join(chr(ord("a") + int(digit)) for digit in str(place))
    drawn = {"points_plot": "", "bins_plot": ""}
    if card.spread:
        drawn["points_plot"] = plots.score_histogram(card.spread, labelled, f"points-{own}", "points")
    if any(one.bin is not None and one.events for one in card.bins):
        drawn["bins_plot"] = card_plots.bin_bars(card, labelled, f"bins-{own}")
    return {name: Markup(drawing) for name, drawing in drawn.items()} | {
        "name": card.name,
        "worse": card.worse,
        "points": card_tables.points(card, labelled),
        "bins": card_tables.bins(card, labelled),
        "reasons": card_tables.reasons(card),
        "drawn": card_plots.MOST_BINS,
        "more": sum(one.bin is not None for one in card.bins) > card_plots.MOST_BINS,
    }


def _drawings(figures: ReplayFigures, found: Findings) -> dict[str, Any]:
    """The plots that can be drawn, as markup; the others are empty."""
    from markupsafe import Markup

    labelled = found.frauds > 0
    drawn: dict[str, str] = dict.fromkeys(("pr", "budget", "rules", "time", "scores", "fit", "latency", "stages"), "")
    if found.ranking:
        drawn["pr"] = plots.precision_recall(found.ranking, found.stops)
    if found.budget:
        drawn["budget"] = plots.budget_curve(found.budget, found.stops, figures.currency, figures.exponent)
    if any(rule.hits for rule in found.rules):
        base = found.frauds / found.known if found.known else 0.0
        drawn["rules"] = plots.rule_bars(found.rules, base, labelled)
    if found.over_time and len(found.over_time.events) > 1:
        drawn["time"] = plots.outcomes_over_time(found.over_time, figures.outcomes, labelled)
    if found.scores:
        drawn["scores"] = plots.score_histogram(found.scores, found.known > 0)
    if found.calibration:
        drawn["fit"] = plots.calibration_curve(found.calibration)
    if found.latency:
        drawn["latency"] = plots.latency_histogram(found.latency)
    if figures.stages:
        drawn["stages"] = plots.stage_bars(figures)
    return {f"{name}_plot": Markup(drawing) for name, drawing in drawn.items()}


def _content(figures: ReplayFigures, found: Findings) -> dict[str, Any]:
    """Everything the template says, as words."""
    labelled = found.frauds > 0
    steps: OverTime | None = found.over_time
    return {
        "figures": figures,
        "found": found,
        "labelled": labelled,
        "span": f"{words.when(int(figures.at.min()))} to {words.when(int(figures.at.max()))}" if figures.rows else "",
        "made": words.when(figures.made_at) if figures.made_at is not None else "",
        "lead": _lead(figures, found),
        "cards": list(_cards(figures, found)),
        "notes": list(_notes(figures, found)),
        "steps": steps,
        "stops": tables.stops(figures, found),
        "budget": tables.budget(figures, found),
        "rules": tables.rules(figures, found),
        "rules_drawn": plots.MOST_RULES,
        "rules_firing": sum(1 for rule in found.rules if rule.hits),
        "approving": any(rule.approves for rule in found.rules),
        "silent": [rule.name for rule in found.rules if not rule.hits],
        "over_time": tables.over_time(figures, steps, labelled) if steps else None,
        "fit": tables.calibration(found),
        "latency": tables.latency(found),
        "stages": tables.stages(figures),
        "models": tables.models(figures),
        "run": tables.run(figures, found),
        "examples": [_example(figures, e) for e in figures.examples],
    }


def _example(figures: ReplayFigures, example: Any) -> dict[str, Any]:
    severity = figures.outcomes.index(example.outcome) if example.outcome in figures.outcomes else 1
    last = len(figures.outcomes) - 1
    of = (example.currency, decimals(example.currency)) if example.currency else (figures.currency, figures.exponent)
    amount = words.money(example.amount, *of) if example.amount is not None else ""
    return {
        "id": example.id,
        "at": words.when(example.at),
        "outcome": example.outcome,
        "tone": "pass" if severity == 0 else "stop" if severity == last else "watch",
        "score": words.number(example.score, 4),
        "amount": amount,
        "label": _known_as(example.label, figures.label_name),
        "reasons": example.reasons,
    }


def _known_as(label: int, name: str) -> str:
    one, _, rest = words.looked_for(name)
    good = "honest" if rest == "honest" else f"not {one}"
    return {HONEST: f"known to be {good}", FRAUD: f"known to be {one}"}.get(label, "label unknown")


def _widest(found: Findings) -> Caught | None:
    """The mildest outcome that does not let pass, which includes the severer ones."""
    return found.stops[0] if found.stops else None


def _lead(figures: ReplayFigures, found: Findings) -> str:
    """The report in two or three sentences."""
    if not figures.rows:
        return "No event was decided, so there is nothing to measure. The last table says where the rows went."
    stop = _widest(found)
    if stop is None:
        return f"{words.count(figures.rows)} events were decided; the flow has one outcome only."
    days = f"{found.days:,.1f} days" if found.days > 1 else "a day or less"
    text = (
        f"Over {days}, {words.count(figures.rows)} event{'s were' if figures.rows != 1 else ' was'} decided and "
        f"{words.count(stop.flagged)} ({words.percent(stop.flagged_share)}) were flagged. "
    )
    one, many, rest = words.looked_for(figures.label_name)
    if not found.known:
        return text + f"The source has no labels, so it cannot be said how many of these were {one}."
    if not found.frauds:
        return text + f"None of the {words.count(found.known)} labelled events is {one}, so nothing could be found."
    text += f"Of {words.count(found.frauds)} known {many}, {words.count(stop.frauds)} ({words.percent(stop.recall)})"
    if found.fraud_value is not None:
        value = words.money(stop.value, figures.currency, figures.exponent)
        text += (
            f" were caught, worth {value} ({words.percent(stop.value_share)} of the {one} value in {figures.currency})"
        )
    else:
        text += " were caught"
    against = (1 - stop.precision) / stop.precision if stop.precision > 0 else math.nan
    return text + (f"; for each of them {words.rate(against)} {rest} events were flagged too." if against > 0 else ".")


def _cards(figures: ReplayFigures, found: Findings) -> Iterator[tuple[str, str, str]]:
    """Name, value and a word of explanation for each key figure."""
    one, plural, rest = words.looked_for(figures.label_name)
    speed = f"{words.count(figures.events_per_second)} a second" if figures.events_per_second else ""
    yield "Events decided", words.count(figures.rows), speed
    for code, name in enumerate(figures.outcomes[1:], start=1):
        many = found.outcome_counts[code]
        share = many / figures.rows if figures.rows else math.nan
        yield f"Outcome: {name}", words.percent(share), f"{words.count(many)} events"
    if found.alarms:
        yield "Alarms", words.count(found.alarms), f"{words.rate(found.alarms / found.days)} a day"
    stop = _widest(found)
    if found.frauds and stop:
        of = f"of {words.count(found.frauds)} known (recall)"
        yield f"{plural.capitalize()} caught", words.percent(stop.recall), of
        yield "Right when it flags", words.percent(stop.precision), f"{plural} among flagged (precision)"
        if found.fraud_value is not None:
            whole = words.money(found.fraud_value, figures.currency, figures.exponent)
            yield f"{one.capitalize()} value caught", words.percent(stop.value_share), f"of {whole}"
    if found.ranking:
        share = found.ranking.frauds / found.ranking.rows
        by_chance = f"chance would give {words.number(share)}"
        yield "Average precision", words.number(found.ranking.average_precision), by_chance
        yield "ROC AUC", words.number(found.ranking.roc_auc), f"how often {one} outranks {rest}"
    if found.latency:
        quantiles = dict(found.latency.quantiles)
        most = max(q for q in quantiles if q <= 0.99)
        yield (
            f"One decision, p{100 * most:g}",
            words.duration(quantiles[most]),
            f"half take {words.duration(quantiles[0.5])} at most",
        )


def _notes(figures: ReplayFigures, found: Findings) -> Iterator[str]:
    """What a careful reader must know before using the figures."""
    one, many, _ = words.looked_for(figures.label_name)
    if seen := fitted_on(figures):
        yield (
            "Part of this was seen in training. "
            + ". ".join(f"{name.capitalize()}: {text}" for name, text in seen)
            + "."
        )
    if lacking := unvalued(figures):
        yield (
            f"{words.count(lacking)} of {words.count(found.frauds)} known {many} have no amount in {figures.currency}: "
            "they count among these, and are in no sum of money nor in a share of it."
        )
    unknown = figures.rows - found.known
    if figures.rows and not found.known:
        yield "The source has no labels: precision, recall, value saved and calibration cannot be given."
    elif unknown:
        share = words.percent(unknown / figures.rows)
        yield f"{_events(unknown)} ({share}) without a known label: left out of precision and recall."
    if found.known and not found.frauds:
        yield f"No {one} among the {words.count(found.known)} labelled events: recall and value saved cannot be given."
    if 0 < found.frauds < 30:
        yield f"Only {words.count(found.frauds)} known {many}: the shares below are uncertain; see their intervals."
    if figures.rows and found.unscored == figures.rows:
        yield "No decision has a score: there is no ranking to judge."
    elif found.unscored:
        text = f"{_events(found.unscored)} without a score."
        if found.frauds:
            text += (
                " They are left out of the precision-recall curve and never alerted on in the value curve, where their "
                f"{one} still counts in the whole."
            )
        yield text
    lost = figures.refused + figures.quarantined
    if lost:
        yield (
            f"Rows refused: {words.count(figures.refused)}; quarantined: {words.count(figures.quarantined)}; "
            "they are not in any figure."
        )
    if figures.rows and found.frauds and figures.amount is None:
        yield f"The events have no amount in one currency, so value is counted in {many}."
    if figures.rows and (int(figures.at.max()) - int(figures.at.min())) < 86_400_000_000:
        yield "The events span less than a day, which is counted as one day where figures are per day."


def _events(many: int) -> str:
    return f"{words.count(many)} event{'' if many == 1 else 's'}"
