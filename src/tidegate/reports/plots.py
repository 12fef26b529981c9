"""The plots of a replay's report. Each takes what was found and gives one inline SVG."""

from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.reports import words
from tidegate.reports.budget import Budget
from tidegate.reports.canvas import ACCENT, FRAUD, HONEST, INK, LINE, MUTED, PAPER, PASS, STOP, WATCH, blank, quiet, svg
from tidegate.reports.detection import Calibration, Caught, Ranking
from tidegate.reports.figures import ReplayFigures
from tidegate.reports.rules import RuleWorth
from tidegate.reports.spread import Latency, OverTime, ScoreSpread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_RULES = 20
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _percent_axis(axes: "Axes", which: str = "y", top: float | None = 1.0) -> None:
    from matplotlib.ticker import FuncFormatter

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))
    if top is not None:
        (axes.set_ylim if which == "y" else axes.set_xlim)(0, top)


def _log_axis(axes: "Axes", low: float, high: float) -> None:
    """A logarithmic x axis with plain numbers on it: at 1, 10, 100, and at 2 and 5 between them when there is room."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    between = (1, 2, 5) if np.log10(high / low) < 2.5 else (1,)
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    axes.xaxis.set_major_locator(FixedLocator([m * 10.0**e for e in exponents for m in between]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _mark(axes: "Axes", x: float, y: float, text: str, colour: str) -> None:
    """A point with its name beside it, on the side where there is room."""
    axes.plot([x], [y], marker="D", markersize=6, color=colour, zorder=5, clip_on=False)
    left, right = axes.get_xlim()
    place = (np.log(x / left) / np.log(right / left)) if axes.get_xscale() == "log" else (x - left) / (right - left)
    side = "right" if place > 0.6 else "left"
    # A name that would lie over that of an earlier point goes to the other side of its own, or below it.
    fraction = (axes.transScale + axes.transLimits).transform
    here = fraction((x, y))
    near = [np.abs(fraction(note.xy) - here) for note in axes.texts if note.get_label() == "_mark"]  # type: ignore[attr-defined]
    crowd = sum(bool(apart[0] < 0.3 and apart[1] < 0.09) for apart in near)
    if crowd and 0.25 < place < 0.75:  # there is room on both sides: below, it might lie over the next point
        side, crowd = "left" if side == "right" else "right", crowd - 1
    note = axes.annotate(
        words.shortened(text, 24),
        (x, y),
        xytext=(-8 if side == "right" else 8, 5 - 18 * crowd),
        textcoords="offset points",
        ha=side,
        color=colour,
        fontsize=11,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        zorder=4,
    )
    note.set_label("_mark")


def precision_recall(found: Ranking, stops: tuple[Caught, ...]) -> str:
    """The precision-recall curve of the score, with the flow's own decisions as points."""
    figure, axes = blank()
    quiet(axes)
    base = found.frauds / found.rows
    axes.step(found.recall, found.precision, where="pre", color=ACCENT)
    axes.axhline(base, color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    axes.annotate(
        f"chance: {words.percent(base)}", (0, base), xytext=(6, 5), textcoords="offset points", color=MUTED, fontsize=11
    )
    _percent_axis(axes, "x")
    _percent_axis(axes, "y", 1.03)
    for stop, colour in zip(stops, (WATCH, STOP, INK), strict=False):
        if np.isfinite(stop.precision) and np.isfinite(stop.recall):
            _mark(axes, stop.recall, stop.precision, stop.name, colour)
    axes.set_xlabel("recall: frauds found, of all frauds")
    axes.set_ylabel("precision: frauds, of all flagged")
    description = (
        f"Average precision {words.number(found.average_precision)} over {words.count(found.rows)} events with a "
        f"score and a label, {words.count(found.frauds)} of them fraud."
    )
    return svg(figure, "pr", "Precision against recall", description)


def budget_curve(found: Budget, stops: tuple[Caught, ...], currency: str, exponent: int) -> str:
    """Fraud saved against alerts a day, with the best order there could be and the flow's own decisions."""
    from matplotlib.ticker import FuncFormatter

    figure, axes = blank(1040, 300)
    quiet(axes)
    low = max(float(found.per_day.min()), min(1.0, float(found.per_day.max()) / 10))
    shown = max((float(found.per_day[np.searchsorted(found.saved, 0.995 * found.saved[-1])]), 10 * low))
    marks = [s for s in stops if s.flagged]
    high = min(max([shown, *(2 * s.flagged / found.days for s in marks)]), max(float(found.per_day.max()), 2 * low))
    _percent_axis(axes, "y", 1.03)
    _log_axis(axes, low, high)
    axes.plot(
        np.append(found.best_per_day, max(high, found.best_per_day[-1])),
        np.append(found.best_saved, 1.0),
        color=MUTED,
        linewidth=1,
        linestyle=(0, (2, 3)),
        label="best possible order: frauds only, dearest first",
    )
    axes.plot(found.per_day, found.saved, color=ACCENT, drawstyle="steps-post", label="alerts in order of the score")
    for stop, colour in zip(stops, (WATCH, STOP, INK), strict=False):
        share = stop.value_share if found.by_value else stop.recall
        if stop.flagged and low <= stop.flagged / found.days <= high:
            _mark(axes, stop.flagged / found.days, share, stop.name, colour)
    axes.set_xlabel("alerts a day, on average (logarithmic)")
    axes.set_ylabel("fraud value saved" if found.by_value else "frauds found")
    axes.legend(loc="upper left", labelcolor=MUTED)
    if found.by_value:
        scale = found.whole / 10**exponent
        right = axes.secondary_yaxis("right", functions=(lambda share: share * scale, lambda value: value / scale))
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value)))
        right.set_ylabel(f"{words.shortened(currency, 8)} in all".strip())
        right.spines["right"].set_visible(False)
    description = "Cumulative fraud saved when the events with the highest scores are looked at first."
    return svg(figure, "budget", "Value saved against alert budget", description)


def rule_bars(rules: tuple[RuleWorth, ...], base: float, labelled: bool) -> str:
    """Hit rate of each rule beside how often it is right, with its 95 % interval; a rule that approves is right about
    honest events.
    """
    shown = [rule for rule in rules if rule.hits][:MOST_RULES]
    columns = 2 if labelled else 1
    figure, panes = blank(1040, 74 + 25 * len(shown), ncols=columns, sharey=True, squeeze=False)
    place = np.arange(len(shown))[::-1]
    left = panes[0][0]
    left.barh(place, [r.hit_rate for r in shown], height=0.55, color=HONEST)
    _bar_words(left, place, [r.hit_rate for r in shown], [f"{words.count(r.hits)}" for r in shown])
    left.set_yticks(place, [words.shortened(r.name, 34) for r in shown], color=INK)
    left.set_ylim(-0.6, len(shown) - 0.4)
    left.set_xlabel("hit rate: share of events on which it fires (number: hits)")
    _percent_axis(left, "x", 1.18 * max(r.hit_rate for r in shown))
    if labelled:
        right = panes[0][1]
        colours = [HONEST if r.approves else ACCENT for r in shown]
        right.barh(place, [np.nan_to_num(r.right) for r in shown], height=0.55, color=colours, alpha=0.6)
        for y, rule in zip(place, shown, strict=True):
            if np.isfinite(rule.right):
                right.plot([rule.low, rule.high], [y, y], color=INK, linewidth=1.2)
            by_chance = 1 - base if rule.approves else base
            right.plot([by_chance, by_chance], [y - 0.5, y + 0.5], color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
        ends = [np.nan_to_num(r.high) for r in shown]
        _bar_words(right, place, ends, [words.percent(r.right) for r in shown])
        _percent_axis(right, "x", 1.14)
        right.set_xticks([0, 0.25, 0.5, 0.75, 1])
        honest = "; of a rule that approves, honest ones" if any(r.approves for r in shown) else ""
        right.set_xlabel(f"frauds among its hits{honest} (line: 95 % interval; dotted: chance)")
    for axes in panes[0]:
        quiet(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return svg(
        figure, "rules", "Rules by hit rate and how often they are right", "The same figures are in the table below."
    )


def _bar_words(axes: "Axes", places: "np.typing.NDArray[np.int64]", ends: list[float], texts: list[str]) -> None:
    for y, x, text in zip(places, ends, texts, strict=True):
        axes.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=INK, fontsize=11)


def outcomes_over_time(found: OverTime, outcomes: tuple[str, ...], labelled: bool) -> str:
    """Share of each outcome that does not let pass, stacked, above the number of events."""
    import matplotlib.dates as dates
    from matplotlib.ticker import FuncFormatter

    figure, (upper, lower) = blank(1040, 330, nrows=2, sharex=True, height_ratios=(2.2, 1))
    # In days since 1970, as matplotlib counts them; times no calendar of its has stay plain numbers of days.
    edges = np.append(found.start, found.start[-1] + found.step_us) / 86_400e6
    events = np.maximum(found.events, 1)
    below = np.zeros(len(found.events))
    colours = [WATCH, STOP] if len(outcomes) > 2 else [STOP]
    colours = colours[:1] * (len(outcomes) - 1 - len(colours)) + colours
    for code in range(len(outcomes) - 1, 0, -1):
        share = found.by_outcome[code] / events
        colour = colours[code - 1]
        upper.stairs(
            below + share,
            edges,
            baseline=below,
            fill=True,
            color=colour,
            alpha=0.85,
            label=words.shortened(outcomes[code], 24),
        )
        below = below + share
    if labelled:
        rate = np.where(found.known > 0, found.frauds / np.maximum(found.known, 1), np.nan)
        upper.plot((edges[:-1] + edges[1:]) / 2, rate, color=INK, linewidth=1.2, label="known fraud")
    else:
        rate = below
    top = max(float(below.max()), float(np.nanmax(rate)) if np.isfinite(rate).any() else 0.0)
    _percent_axis(upper, "y", 1.25 * top or 1.0)
    upper.set_ylabel("share of events")
    upper.legend(loc="upper left", ncols=len(outcomes), labelcolor=INK, columnspacing=1.4, handlelength=1.2)
    lower.stairs(found.events, edges, fill=True, color=PASS, alpha=0.7)
    lower.set_ylabel("events")
    lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value)))
    lower.set_ylim(bottom=0)
    lower.set_xlim(edges[0], edges[-1])
    if edges[0] > -700_000 and edges[-1] < 2_900_000:
        locator: Any = dates.AutoDateLocator
        lower.xaxis.set_major_locator(locator(maxticks=10, interval_multiples=False))
        lower.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _date(value, edges[-1] - edges[0])))
        years = sorted({words.day(int(edge * 86_400e6))[:4] for edge in (edges[0], edges[-1])})
        lower.set_xlabel(" to ".join(years) + ", UTC")
    for axes in (upper, lower):
        quiet(axes)
    figure.align_ylabels()
    return svg(figure, "time", "Outcomes over time", f"Shares of outcomes and number of events per {found.step}, UTC.")


def _date(days: float, span: float) -> str:
    """A tick of a time axis: the hour on axes of up to two days, the month on those of over two years, else the day."""
    moment = np.datetime64(round(days * 1440), "m").item()
    month = MONTHS[moment.month - 1]
    if span > 730:
        return f"{month} {moment.year}"
    return f"{moment.day} {month}" + (f" {moment:%H:%M}" if span <= 2 else "")


def score_histogram(found: ScoreSpread, labelled: bool, name: str = "scores", what: str = "score") -> str:
    """Where the scores of honest events and of frauds lie, on a logarithmic count; or the points of a scorecard."""
    from matplotlib.ticker import FuncFormatter

    figure, axes = blank()
    quiet(axes)
    if labelled:
        axes.stairs(found.honest, found.edges, fill=True, color=HONEST, alpha=0.55, label="honest")
        axes.stairs(found.fraud, found.edges, color=FRAUD, linewidth=1.8, label="fraud", baseline=None)
        axes.legend(loc="upper center", ncols=2, labelcolor=INK)
    else:
        axes.stairs(found.all, found.edges, fill=True, color=HONEST, alpha=0.7)
    axes.set_yscale("log")
    axes.set_ylim(0.8, 3.0 * max(1, int(found.all.max())))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.compact(value)))
    axes.set_xlim(found.edges[0], found.edges[-1])
    axes.set_xlabel(what)
    axes.set_ylabel("events (logarithmic)")
    title = what.capitalize() if what.endswith("s") else f"{what.capitalize()}s"
    return svg(figure, name, title, f"Number of events by {what}, on a logarithmic axis.")


def calibration_curve(found: Calibration) -> str:
    """What the score says against what happened, with 95 % intervals."""
    figure, axes = blank()
    quiet(axes)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (2, 3)))
    said = [b.said for b in found.bins]
    for b in found.bins:
        axes.plot([b.said, b.said], [b.least, b.most], color=ACCENT, linewidth=1.2)
    axes.plot(said, [b.happened for b in found.bins], color=ACCENT, marker="o", markersize=4.5, linewidth=1.2)
    _percent_axis(axes, "x")
    _percent_axis(axes, "y", 1.03)
    axes.set_xlabel("mean score of the group")
    axes.set_ylabel("frauds in the group")
    return svg(
        figure, "calibration", "Calibration", "Observed share of fraud against the mean score, by group of score."
    )


def latency_histogram(found: Latency) -> str:
    """Times of single decisions on a logarithmic axis, with quantiles as lines."""
    figure, axes = blank()
    quiet(axes, "")
    share = found.counts / found.samples
    axes.stairs(share, found.edges, fill=True, color=ACCENT, alpha=0.55)
    _log_axis(axes, float(found.edges[0]), float(found.edges[-1]))
    _percent_axis(axes, "y", 1.35 * float(share.max()))
    for place, (q, time) in enumerate(found.quantiles):
        height = (0.97, 0.88, 0.97, 0.88)[place % 4]
        time = max(time, float(found.edges[0]))
        axes.axvline(time, ymax=height - 0.02, color=INK if q == 0.5 else MUTED, linewidth=1, linestyle=(0, (2, 2)))
        axes.annotate(
            f"p{100 * q:g}",
            (time, height),
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            va="top",
            color=INK,
            fontsize=11,
        )
    axes.set_xlabel("time of one decision in µs (logarithmic)")
    axes.set_ylabel("share of decisions")
    return svg(figure, "latency", "Latency", "Distribution of the time one decision takes; quantiles in the table.")


def stage_bars(figures: ReplayFigures) -> str:
    """Where the time of the run went, by stage."""
    shown = list(figures.stages.items())[:12]
    figure, axes = blank(520, 60 + 26 * max(3, len(shown)))
    quiet(axes, "x")
    place = np.arange(len(shown))[::-1]
    axes.barh(place, [s for _, s in shown], height=0.55, color=ACCENT)
    _bar_words(axes, place, [s for _, s in shown], [words.duration(1e6 * s) for _, s in shown])
    axes.set_yticks(place, [words.shortened(n, 24) for n, _ in shown], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_color(LINE)
    axes.set_xlim(0, 1.2 * max([s for _, s in shown] + [1e-9]))
    axes.set_xlabel("seconds in all")
    return svg(figure, "stages", "Time by stage", "Seconds spent in each stage of the run.")
