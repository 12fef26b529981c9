"""How a scorecard's bins are shown: points, and what they tell of good and bad."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.decisions.scorecards.card import Card, Characteristic

_LEVEL = 1e-9


def bins_of(card: "Card") -> list[dict[str, Any]]:
    """Every characteristic with its bins, as plain values."""
    from tidegate.decisions.scorecards.woe import information_value, weights_of_evidence

    found = []
    for part in card.characteristics:
        counts = part.counts
        weights = weights_of_evidence(counts) if counts else [None] * len(part.bins)
        values: list[float | None] = [*information_value(counts)] if counts else [None] * len(part.bins)
        bins = [
            {
                "bin": one.cell.text, "points": one.points, "because": one.because, "code": one.code,
                "count": one.count, "events": one.events,
                "event_rate": (one.events or 0) / one.count if one.count else None, "woe": weight, "iv": value,
            }
            for one, weight, value in zip(part.bins, weights, values, strict=True)
        ]  # fmt: skip
        found.append(
            {
                "name": part.name, "type": str(part.column.type), "baseline": part.baseline, "bins": bins,
                "iv": sum(value or 0.0 for value in values) if counts else None, "trend": trend_of(part),
            }
        )  # fmt: skip
    return found


def trend_of(part: "Characteristic") -> str:
    """How event rates go from bin to bin of an ordered characteristic: rising, falling, a peak, a valley or mixed."""
    if not part.column.line.has_order:
        return ""
    ordered = sorted((one for one in part.bins if one.cell.ranges and one.count), key=lambda one: one.cell.ranges)
    rates = [(one.events or 0) / (one.count or 1) for one in ordered]
    steps = [b - a for a, b in pairwise(rates) if abs(b - a) > _LEVEL]
    ways = [steps[0] > 0] if steps else []
    ways += [b > 0 for a, b in pairwise(steps) if (a > 0) != (b > 0)]
    named = {(): "", (True,): "rising", (False,): "falling", (True, False): "a peak", (False, True): "a valley"}
    return named.get(tuple(ways), "mixed")


def show_bins(console: "Console", card: "Card") -> None:
    """A table of every characteristic's bins."""
    from rich.table import Table

    for part in bins_of(card):
        counted = part["iv"] is not None
        told = f"  information value {part['iv']:.3f}" if counted else ""
        told += f", event rate {part['trend']}" if counted and part["trend"] else ""
        console.print(Text.assemble("\n", (part["name"], "bold"), (told, "dim")), soft_wrap=True)
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column("bin", overflow="fold")
        for head in ("points", *(("rows", "events", "event rate", "WoE", "IV") if counted else ())):
            table.add_column(head, justify="right", no_wrap=True)
        for one in part["bins"]:
            cells = [f"{one['points']:g}"]
            if counted:
                rate, woe = one["event_rate"], one["woe"]
                cells += [f"{one['count']:,.0f}", f"{one['events']:,.0f}", "" if rate is None else f"{rate:.1%}"]
                cells += ["" if woe is None else f"{woe:+.3f}", f"{one['iv']:.3f}"]
            table.add_row(Text(one["bin"]), *cells)
        console.print(table)


__all__ = ["bins_of", "show_bins", "trend_of"]
