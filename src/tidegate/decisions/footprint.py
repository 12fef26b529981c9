"""What a flow keeps in memory beside its windows, in words: texts, limits, lists and snoozes, each with its end."""

from tidegate.decisions.definition import Definition
from tidegate.decisions.plan import Plan
from tidegate.events.durations import written

TEXT, TIME, LISTED, SNOOZED = 260, 9, 450, 700
"""Bytes for a text beside its characters, an answer that a limit counts, a change of a list, a snooze beside its words:
the most that was measured, which `tests/decisions/test_footprint.py` holds them to."""

FORGET = 1024
"""Times that no limit can look back to are dropped so many at once."""


def beside_windows(definition: Definition, plan: Plan) -> list[str]:
    """What is kept beside what `Windows.bound` tells of each stream: each by its own bound, or that it has none."""
    late = written(plan.lateness)
    return [
        *_texts(plan),
        *(
            f"{cap.outcome.word}s, for the limit of {cap.count:,} in {written(cap.last)}: {TIME} bytes for each one "
            f"answered in {written(cap.last + plan.lateness)}, and for {FORGET:,} more"
            for cap in definition.caps
        ),
        *(
            f"list {known.name}: {LISTED} bytes for each key that is on it, and for each change of the last {late}"
            for known in definition.lists
        ),
        f"snoozes: {SNOOZED} bytes and their words for each that is in force, or ended in the last {late}",
        "not counted: the models, tables and rules themselves, and, without a store, the latest ids with their answers "
        "(`remember=`)",
    ]


def _texts(plan: Plan) -> list[str]:
    columns = set(plan.worded)
    names = [
        f"{kind.event}.{name}"
        for kind in plan.kinds
        for name, column in [(f.name, f.column) for f in kind.fields] + [(t.field, t.column) for t in kind.texts]
        if column in columns
    ]
    if not names:
        return []
    return [
        f"texts of {', '.join(dict.fromkeys(names))}: {TEXT} bytes, and 1 to 4 a character, for each different one, "
        f"once for all entities, until it has not come for {written(plan.reach)} to {written(2 * plan.reach)}"
    ]
