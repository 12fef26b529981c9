"""The tables of a scorecard: its points, its bins, its reasons."""

from tidegate.reports import words
from tidegate.reports.scorecards import CardWorth
from tidegate.reports.tables import Table


def points(card: CardWorth, labelled: bool) -> Table:
    """How its points are spread."""
    names = ("least", "a quarter has at most", "half", "three quarters", "most")
    rows = [(name, f"{value:g}") for name, value in zip(names, card.quantiles, strict=False)]
    rows.append(("events with points", words.count(card.scored)))
    if card.unscored:
        rows.append(("events with a value that no bin is for", words.count(card.unscored)))
    if labelled:
        rows.append(("ROC AUC of the points", words.number(card.roc_auc, 4)))
    side = "worse" if card.worse else "better"
    return Table(f"How the points of {card.name} are spread; more are {side}", ("points", ""), tuple(rows))


def bins(card: CardWorth, labelled: bool) -> Table:
    """Every bin, with what it is worth and what fell into it."""
    head = ["characteristic", "bin", "points", "lost", "events", "of all"]
    head += ["frauds", "of those known"] if labelled else []
    rows, before = [], ""
    for one in card.bins:
        own = one.bin
        row: list[str | tuple[str, str]] = [
            one.characteristic if one.characteristic != before else "",
            own.text if own is not None else "in no bin",
            f"{own.points:g}" if own is not None else "",
            f"{own.lost:g}" if own is not None else "",
            words.count(one.events),
            words.percent(one.share),
        ]
        if labelled:
            row += [words.count(one.frauds), (words.percent(one.rate), words.interval(one.low, one.high))]
        rows.append(tuple(row))
        before = one.characteristic
    return Table(f"Bins of {card.name}", tuple(head), tuple(rows), 2)


def reasons(card: CardWorth) -> Table | None:
    """The reasons for points lost, as decisions name them."""
    if not card.reasons:
        return None
    rows = tuple(
        (
            (one.code, one.words if one.words != one.code else ""),
            words.count(one.named),
            words.percent(one.named / card.scored) if card.scored else "",
            words.count(one.first),
            words.number(one.lost, 1) if one.named else "",
        )
        for one in card.reasons
    )
    head = ("reason", "decisions", "of those with points", "as the first", "points lost, on average")
    return Table(f"Reasons that {card.name} gives for points lost", head, rows)
