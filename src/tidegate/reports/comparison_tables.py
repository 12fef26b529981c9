"""The tables of a comparison: every number in words, ready for the page and for the terminal."""

from collections.abc import Callable, Mapping

from tidegate.reports import words
from tidegate.reports.compared import Cause, Compared, Group, Kind
from tidegate.reports.figures import FRAUD, HONEST, UNKNOWN
from tidegate.reports.findings import Findings
from tidegate.reports.tables import Table

LABELS = {FRAUD: "fraud", HONEST: "good", UNKNOWN: "unknown"}
Cell = str | tuple[str, str]


def labels(found: Compared) -> dict[int, str]:
    """What events turned out to be, in words: as `LABELS`, or by the name of the label."""
    return LABELS | {FRAUD: words.looked_for(found.new.label_name)[0]}


def money(found: Compared, minor: int) -> str:
    """An amount of the comparison in words; nothing if it has none."""
    return words.money(minor, found.new.currency, found.new.exponent) if found.new.amount is not None else ""


def by_label(found: Compared, groups: Mapping[Kind, Group]) -> list[Cell]:
    """Events and money of each label, in the order fraud, good, unknown."""
    cells: list[Cell] = []
    for label in LABELS:
        whole = sum((group for kind, group in groups.items() if kind[2] == label), Group())
        cells.append((words.count(whole.events), money(found, whole.money)) if whole.events else words.NOTHING)
    return cells


def flips(found: Compared) -> Table:
    """From which outcome to which, severer ones first."""
    outcomes = found.new.outcomes
    kinds = {(old, new) for old, new, _ in found.groups if old != new}
    rows = []
    for old, new in sorted(kinds, key=lambda pair: (pair[0] - pair[1], -pair[1])):
        groups = {kind: group for kind, group in found.groups.items() if kind[:2] == (old, new)}
        many = sum(group.events for group in groups.values())
        share = words.percent(many / (found.same + found.flipped))
        rows.append((f"{outcomes[old]} → {outcomes[new]}", (words.count(many), share), *by_label(found, groups)))
    return Table("Decisions that flip", ("from → to", "events", *labels(found).values()), tuple(rows))


def causes(found: Compared) -> Table:
    """Which rule made the difference, and what is written otherwise in it."""
    rows = []
    for cause in found.causes:
        fires = "fires now" if cause.fires == "new" else "fires no more"
        rows.append(
            (
                (cause.rule, cause.because),
                (fires, _difference(cause)),
                words.count(cause.flips),
                *by_label(found, cause.groups),
            )
        )
    head = ("rule", "what made the difference", "flips", *labels(found).values())
    return Table("Rules that made decisions flip", head, tuple(rows), text_columns=2)


def _difference(cause: Cause) -> str:
    if cause.rule == "limits":
        return "other decisions were counted towards a limit"
    said = "; ".join(str(change).removeprefix(f"{cause.rule}: ") for change in (*cause.changes, *cause.models))
    return said or "what it reads came out otherwise"


def changed(found: Compared) -> Table:
    """The lines of the flow that are written otherwise."""
    rows = tuple((c.name, c.old or words.NOTHING, c.new or words.NOTHING) for c in found.changes)
    return Table("What is written otherwise", ("line", "old", "new"), rows, text_columns=3)


def figures(found: Compared, old: Findings, new: Findings) -> Table:
    """What both versions catch, side by side."""
    rows: list[tuple[Cell, ...]] = []
    outcomes = zip(found.new.outcomes, old.outcome_counts, new.outcome_counts, strict=True)
    rows += [_row(name, before, after, words.count) for name, before, after in outcomes]
    rows.append(_row("alarms", old.alarms, new.alarms, words.count))
    for before, after in zip(old.stops, new.stops, strict=False):
        if old.frauds and before.name == after.name:
            rows.append(_row(f"precision, {before.name}", before.precision, after.precision, words.percent))
            rows.append(_row(f"recall, {before.name}", before.recall, after.recall, words.percent))
            rows.append(
                _row(f"good events flagged, {before.name}", before.honest_rate, after.honest_rate, words.percent)
            )
            if old.fraud_value is not None:
                rows.append(
                    _row(
                        f"{labels(found)[FRAUD]} value caught, {before.name}",
                        before.value,
                        after.value,
                        lambda v: money(found, int(v)),
                    )
                )
    if old.ranking and new.ranking:
        before_, after_ = old.ranking.average_precision, new.ranking.average_precision
        rows.append(_row("average precision", before_, after_, lambda v: words.number(v, 4)))
    return Table("Both versions on the same events", ("figure", "old", "new", "difference"), tuple(rows))


def _row(name: str, old: float, new: float, say: Callable[[float], str]) -> tuple[Cell, ...]:
    return (name, say(old), say(new), _apart(new - old, say))


def _apart(value: float, say: Callable[[float], str]) -> str:
    """A difference with its sign; of two shares it is one of percentage points."""
    if value != value:
        return words.NOTHING
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(100 * value):.2f} points" if say is words.percent else sign + say(abs(value))


def ranks(old: Findings, new: Findings) -> Table:
    """Every rule's place among the rules, by the fraud it finds and then by its hits, before and after."""
    before = {rule.name: (place, rule) for place, rule in enumerate(old.rules, 1)}
    after = {rule.name: (place, rule) for place, rule in enumerate(new.rules, 1)}
    names = [*after, *(name for name in before if name not in after)]
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        was, now = before.get(name), after.get(name)
        because = next(one[1].because for one in (now, was) if one is not None)
        rows.append(
            (
                (name, because),
                _place(was[0] if was else 0, now[0] if now else 0),
                *(words.count(one[1].hits) if one else words.NOTHING for one in (was, now)),
                *(words.count(one[1].found.frauds) if one else words.NOTHING for one in (was, now)),
                *(words.percent(one[1].found.precision) if one else words.NOTHING for one in (was, now)),
            )
        )
    head = ("rule", "rank", "hits, old", "new", "frauds found, old", "new", "precision, old", "new")
    return Table("Rules by the fraud they find, then by hits", head, tuple(rows))


def _place(was: int, now: int) -> str:
    if not was or not now:
        return f"new, {now}" if now else f"was {was}"
    return str(now) if was == now else f"{was} → {now}"


def moved(old: Findings, new: Findings) -> tuple[str, ...]:
    """The rules whose rank changed."""
    before = {rule.name: place for place, rule in enumerate(old.rules, 1)}
    after = {rule.name: place for place, rule in enumerate(new.rules, 1)}
    return tuple(name for name in after if name in before and before[name] != after[name])
