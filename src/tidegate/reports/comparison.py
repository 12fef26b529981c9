"""The report of a comparison: one HTML page that needs no network and no script, and its short form."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tidegate.reports import canvas, comparison_tables, words
from tidegate.reports.canvas import FRAUD as FRAUD_COLOUR
from tidegate.reports.canvas import HONEST as GOOD_COLOUR
from tidegate.reports.canvas import INK, PASS, blank, quiet, svg
from tidegate.reports.compared import Compared, Flip
from tidegate.reports.comparison_tables import LABELS, labels, money
from tidegate.reports.figures import FRAUD, HONEST, UNKNOWN
from tidegate.reports.findings import find
from tidegate.reports.template import fill

_COLOURS = {FRAUD: FRAUD_COLOUR, HONEST: GOOD_COLOUR, UNKNOWN: PASS}


def compared_in_words(found: Compared) -> list[tuple[str, str]]:
    """The key figures as (name, value), in the order to show them."""
    whole = found.same + found.flipped
    share = words.percent(found.flipped / whole) if whole else words.NOTHING
    lines = [
        ("events decided by both", words.count(whole)),
        ("decided otherwise", f"{words.count(found.flipped)} ({share})"),
    ]
    for label, name in labels(found).items():
        for up, way in ((True, "treated more severely now"), (False, "treated more mildly now")):
            group = found.total(label, up)
            if group.events:
                value = money(found, group.money)
                lines.append((f"{name}, {way}", words.count(group.events) + (f", {value}" if value else "")))
    if said := _unvalued(found):
        lines.append(("not in the sums", said))
    only_old, only_new = found.alarms
    if only_old or only_new:
        lines.append(("alarms", f"{words.count(only_new)} more, {words.count(only_old)} fewer"))
    if found.levels:
        lines.append(("another level", words.count(found.levels)))
    if found.scores[0]:
        lines.append(
            ("another score", f"{words.count(found.scores[0])}, by {words.number(found.scores[1], 4)} at most")
        )
    if found.reasons:
        lines.append(("same outcome, other rules", words.count(found.reasons)))
    if any(found.alone):
        lines.append(
            ("taken by one version only", f"{words.count(found.alone[0])} old, {words.count(found.alone[1])} new")
        )
    if any(found.elsewhere):
        lines.append(("left out of these, decided by another version", _elsewhere(found)))
    return lines


def _elsewhere(found: Compared) -> str:
    """How many events are not compared, since in one of the stores it was another version that decided them."""
    in_shadow, live = map(words.count, found.elsewhere)
    return f"{live} live, {in_shadow} in the shadow"


def render_comparison(found: Compared) -> str:
    """The comparison as one HTML page; the same figures always give the same page.

    Raises:
        TidegateError: matplotlib or Jinja2 is not installed.
    """
    old, new = find(found.old), find(found.new)
    with canvas.style():
        drawing = _flips_plot(found) if found.flipped else ""
    from markupsafe import Markup

    whole = found.same + found.flipped
    return fill(
        "comparison.html",
        found=found,
        lead=_lead(found),
        notes=list(_notes(found)),
        cards=compared_in_words(found),
        flips=comparison_tables.flips(found),
        causes=comparison_tables.causes(found),
        changed=comparison_tables.changed(found),
        both=comparison_tables.figures(found, old, new) if whole else None,
        ranks=comparison_tables.ranks(old, new),
        moved=comparison_tables.moved(old, new),
        flips_plot=Markup(drawing),
        examples=[_example(found, flip) for flip in found.examples],
        span=_span(found),
        made=words.when(found.new.made_at) if found.new.made_at is not None else "",
    )


def _unvalued(found: Compared) -> str:
    """How many flips are in no sum of money; empty if all are."""
    if not found.unvalued:
        return ""
    what = f"amount in {found.new.currency}" if found.new.currency else "amount"
    return f"{words.count(found.unvalued)} of {words.count(found.flipped)} decided otherwise have no {what}"


def _span(found: Compared) -> str:
    at = found.new.at
    return f"{words.when(int(at.min()))} to {words.when(int(at.max()))}" if len(at) else ""


def _lead(found: Compared) -> str:
    whole = found.same + found.flipped
    if not whole:
        return "No event was decided by both versions, so there is nothing to compare."
    if not found.flipped:
        return f"All {words.count(whole)} events come out as before."
    up = sum(found.total(label, True).events for label in LABELS)
    share = words.percent(found.flipped / whole)
    text = (
        f"Of {words.count(whole)} events {words.count(found.flipped)} ({share}) are decided otherwise: "
        f"{words.count(up)} more severely, {words.count(found.flipped - up)} more mildly. "
    )
    fraud, good = ([found.total(label, way) for way in (True, False)] for label in (FRAUD, HONEST))
    if fraud[0].events or fraud[1].events:
        more, fewer = (words.count(group.events) for group in fraud)
        known = words.looked_for(found.new.label_name)[1]
        text += f"Of known {known} {more} are treated more severely and {fewer} more mildly. "
    if good[0].events or good[1].events:
        more, fewer = (words.count(group.events) for group in good)
        text += f"Of good events {more} are treated more severely and {fewer} more mildly."
    return text


def _notes(found: Compared) -> Iterator[str]:
    """What a careful reader must know before using the figures."""
    unknown = sum(g.events for (old, new, label), g in found.groups.items() if label == UNKNOWN and old != new)
    if unknown:
        yield f"{words.count(unknown)} flips are of events without a known label: which is right, nobody can say."
    if said := _unvalued(found):
        yield f"{said}: sums of money are without them."
    if any(found.alone):
        only_old, only_new = map(words.count, found.alone)
        yield f"Only the old version took {only_old} events, and only the new one {only_new}; they are not compared."
    if any(found.elsewhere):
        yield f"Of these another version had decided, neither the old nor the new one: {_elsewhere(found)}."
    if found.new.quarantined or found.new.refused:
        yield (
            f"{words.count(found.new.refused)} rows were refused and {words.count(found.new.quarantined)} quarantined; "
            "they are not in any figure."
        )
    yield (
        "History was made under the decisions of its time. An event that was declined then has no later events that it "
        "would have led to, and its label may never have become known."
    )


def _flips_plot(found: Compared) -> str:
    """Flips by outcome before and after, severer ones to the right, split by what the event turned out to be."""
    outcomes = found.new.outcomes
    kinds = sorted({(o, n) for o, n, _ in found.groups if o != n}, key=lambda p: (p[0] - p[1], -p[1]))
    figure, axes = blank(1040, 84 + 34 * len(kinds))
    place = np.arange(len(kinds))[::-1].astype(np.float64)
    left = np.zeros(len(kinds))
    for label, name in labels(found).items():
        wide = np.array([found.groups[o, n, label].events if (o, n, label) in found.groups else 0 for o, n in kinds])
        if wide.any():
            axes.barh(place, wide, left=left, height=0.55, color=_COLOURS[label], label=name)
        left = left + wide
    for y, x in zip(place, left, strict=True):
        axes.annotate(
            words.count(x), (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=INK, fontsize=11
        )
    axes.set_yticks(place, [f"{outcomes[o]} → {outcomes[n]}" for o, n in kinds], color=INK)
    axes.set_xlim(0, 1.1 * float(left.max()))
    axes.set_xlabel("events")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(LABELS), borderaxespad=0.2)
    quiet(axes, "x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return svg(figure, "flips", "Decisions that flip", "The same figures are in the table below.")


def _example(found: Compared, flip: Flip) -> Mapping[str, Any]:
    old, new, label = flip.kind
    outcomes = found.new.outcomes
    said = {name: pair for name, pair in flip.values.items() if pair != (None, None)}
    return {
        "id": flip.id,
        "at": words.when(flip.at),
        "old": outcomes[old],
        "new": outcomes[new],
        "tone": "pass" if new == 0 else "stop" if new == len(outcomes) - 1 else "watch",
        "amount": money(found, flip.amount) if flip.amount is not None else "",
        "label": {HONEST: "known to be good", FRAUD: f"known to be {labels(found)[FRAUD]}"}.get(label, "label unknown"),
        "scores": " → ".join(dict.fromkeys(words.number(score, 4) for score in flip.scores)),
        "because": ", ".join(flip.because),
        "values": [(name, _seen(before), _seen(after)) for name, (before, after) in said.items()],
    }


def _seen(value: Any) -> str:
    if value is None:
        return words.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words.number(value, 3) if isinstance(value, float) else str(value)


def plain(found: Compared) -> dict[str, Any]:
    """The comparison for scripts."""
    outcomes = found.new.outcomes

    def groups(of: Any) -> list[dict[str, Any]]:
        return [
            {"old": outcomes[o], "new": outcomes[n], "label": LABELS[label], "events": g.events, "money": g.money}
            for (o, n, label), g in sorted(of.items())
        ]

    return {
        "old": {"flow": found.old.flow, "digest": found.old.digest},
        "new": {"flow": found.new.flow, "digest": found.new.digest},
        "currency": found.new.currency,
        "same": found.same,
        "flipped": found.flipped,
        "unvalued": found.unvalued,
        "changes": [{"line": c.name, "old": c.old, "new": c.new} for c in found.changes],
        "groups": groups(found.groups),
        "causes": [
            {
                "rule": cause.rule,
                "fires": cause.fires,
                "because": cause.because,
                "changes": [{"line": c.name, "old": c.old, "new": c.new} for c in (*cause.changes, *cause.models)],
                "flips": cause.flips,
                "groups": groups(cause.groups),
            }
            for cause in found.causes
        ],
        "alarms": {"only_old": found.alarms[0], "only_new": found.alarms[1]},
        "levels": found.levels,
        "scores": {"events": found.scores[0], "largest": found.scores[1]},
        "reasons": found.reasons,
        "only_old": found.alone[0],
        "only_new": found.alone[1],
        "other_version": {"live": found.elsewhere[1], "shadow": found.elsewhere[0]},
        "examples": [
            {
                "id": flip.id,
                "old": outcomes[flip.kind[0]],
                "new": outcomes[flip.kind[1]],
                "label": LABELS[flip.kind[2]],
                "amount": flip.amount,
                "because": flip.because,
                "values": {name: {"old": before, "new": after} for name, (before, after) in flip.values.items()},
            }
            for flip in found.examples
        ],
    }
