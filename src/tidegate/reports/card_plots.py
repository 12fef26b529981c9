"""The plot of a scorecard's bins: their points beside the events that fell into them."""

from typing import TYPE_CHECKING

import numpy as np

from tidegate.reports import words
from tidegate.reports.canvas import ACCENT, HONEST, INK, MUTED, blank, quiet, svg
from tidegate.reports.scorecards import BinWorth, CardWorth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BINS = 60
"""How many bins are drawn; the table has all."""


def bin_bars(card: CardWorth, labelled: bool, name: str) -> str:
    """Points of each bin, the share of events in it, and how many of them are fraud, where that is known.

    Args:
        name: unique on the page; letters and hyphens.
    """
    from matplotlib.ticker import MaxNLocator

    shown = [one for one in card.bins if one.bin is not None][:MOST_BINS]
    figure, panes = blank(1040, 76 + 21 * len(shown), ncols=2 + labelled, sharey=True, squeeze=False)
    place = np.arange(len(shown))[::-1]
    points = [one.bin.points for one in shown if one.bin is not None]
    left, middle = panes[0][:2]
    left.barh(place, points, height=0.6, color=ACCENT, alpha=0.6)
    left.axvline(0, color=MUTED, linewidth=1)
    left.set_yticks(place, [_called(one) for one in shown], color=INK)
    left.set_ylim(-0.7, len(shown) - 0.3)
    left.set_xlabel("points")
    left.set_xlim(min(0.0, 1.25 * min(points)), max(0.0, 1.25 * max(points)) or 1.0)
    for y, value in zip(place, points, strict=True):
        _say(left, y, value, f"{value:g}")
    middle.barh(place, [one.share for one in shown], height=0.6, color=HONEST)
    for y, one in zip(place, shown, strict=True):
        _say(middle, y, one.share, words.percent(one.share))
    middle.set_xlabel("share of events")
    middle.set_xlim(0, 1.25 * max([one.share for one in shown]) or 1.0)
    if labelled:
        right = panes[0][2]
        rates = [float(np.nan_to_num(one.rate)) for one in shown]
        right.barh(place, rates, height=0.6, color=ACCENT, alpha=0.6)
        for y, one in zip(place, shown, strict=True):
            if one.known:
                right.plot([one.low, one.high], [y, y], color=INK, linewidth=1.2)
        right.set_xlabel("frauds among them (line: 95 % interval)")
        right.set_xlim(0, 1.1 * max([one.high for one in shown if one.known], default=1.0) or 1.0)
    for at, axes in enumerate(panes[0]):
        quiet(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        if at:
            axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    return svg(figure, name, f"Bins of {card.name}", "The same figures are in the table below.")


def _called(one: BinWorth) -> str:
    return words.shortened(f"{one.characteristic}: {one.bin.text if one.bin is not None else ''}", 38)


def _say(axes: "Axes", y: float, x: float, text: str) -> None:
    left = x < 0
    axes.annotate(
        text, (x, y), xytext=(-5 if left else 5, 0), textcoords="offset points", va="center",
        ha="right" if left else "left", color=INK, fontsize=11,
    )  # fmt: skip
