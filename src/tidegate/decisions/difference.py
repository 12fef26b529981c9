"""What tells two versions of a flow apart: the lines that changed, and in a rule the expression that did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tidegate.decisions.definition import Definition
from tidegate.decisions.rule import Rule
from tidegate.decisions.scorecards import lines as cards
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.lines import told
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.events.durations import written
from tidegate.expressions.node import Call, Expr, Literal
from tidegate.expressions.text import write

ABSENT = ""
MOST_LINES = 4
"""How many rows of a table are told as what made the difference in a rule; `changes` tells all of them."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that reads differently in two versions. Either text is empty where there is nothing."""

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        if not self.old or not self.new:
            return f"{self.name}: {'added ' + self.new if self.new else 'removed ' + self.old}"
        return f"{self.name}: {self.old} → {self.new}"


def changes(old: Definition, new: Definition) -> tuple[Change, ...]:
    """The lines of a flow that were added, removed or written otherwise, in the order of the flow.

    A line that only uses a line that changed did not change itself.
    """
    return tuple(_lines_apart(dict(_lines(old)), dict(_lines(new))))


def _lines(flow: Definition) -> Iterator[tuple[str, str]]:
    names = _named(flow)
    for name, feature in flow.features.items():
        if isinstance(feature, Scorecard) and names[id(feature)] == name:
            yield from cards.told(name, feature, lambda part: _said(part, names))
        else:
            yield name, _said(feature, {node: known for node, known in names.items() if known != name})
    for name, table in flow.tables.items():
        yield from told(name, table, lambda part: write(part, names))
    for name, rule in flow.rules.items():
        if not name.isidentifier():  # made by a table, which is told itself
            continue
        yield name, f"{rule.outcome.word}({write(rule.when, names)}, because={rule.because!r})"
    if flow.alarm is not None:
        yield "alarm", _said(flow.alarm, names)
    if flow.level is not None:
        steps = zip(flow.level.names, flow.level.thresholds, strict=True)
        yield "level", f"bands({_said(flow.level.of, names)}, {', '.join(f'{n}={t!r}' for n, t in steps)})"
    yield "currency", flow.currency or ABSENT
    yield "lateness", written(flow.lateness)
    for cap in flow.caps:
        yield (
            f"at most {cap.outcome.word} in {written(cap.last)}",
            f"{cap.count}, then {cap.then.word}",
        )
    if flow.deadline is not None:
        yield "deadline", f"{written(flow.deadline.within)}, then {flow.deadline.answer.word}"


def _said(expr: Expr, names: Mapping[int, str]) -> str:
    """An expression as a line that uses others writes it: one that is another line by its name."""
    return names.get(id(expr)) or write(expr, names)


def _named(flow: Definition) -> dict[int, str]:
    names: dict[int, str] = {}
    for name, feature in flow.features.items():
        names.setdefault(id(feature), name)
    for name, table in flow.tables.items():
        names |= {id(node): f"{name}.{node.label}" for node in table.outputs()}
    return names


def apart(name: str, old: Definition, new: Definition) -> tuple[Change, ...]:
    """How a rule of two flows differs: as little of its condition as tells the two apart; empty if nothing does."""
    before, after = old.rules.get(name), new.rules.get(name)
    if before is None or after is None:
        return (Change(name, _condition(before, old), _condition(after, new)),)
    found = []
    if before.outcome is not after.outcome:
        found.append(Change("outcome", before.outcome.word, after.outcome.word))
    old_names, new_names = _named(old), _named(new)
    for left, right in _parts(before.when, after.when):
        where = (left is not None and old_names.get(id(left))) or (right is not None and new_names.get(id(right)))
        if isinstance(left, Scorecard) and isinstance(right, Scorecard):
            found += _bins_apart(where or left.card.name, (left, old_names), (right, new_names))
            continue
        if isinstance(left, TableOutput) and isinstance(right, TableOutput):
            lines = _rows_apart((left.of, old, old_names), (right.of, new, new_names))
            found += [line for line in lines if line not in found]
            if lines:
                continue
        texts = [
            write(part, _without(names, id(part))) if part is not None else ABSENT
            for part, names in ((left, old_names), (right, new_names))
        ]
        found.append(Change(where or name, *texts))
    return tuple(found)


def _bins_apart(
    name: str, old: tuple[Scorecard, Mapping[int, str]], new: tuple[Scorecard, Mapping[int, str]]
) -> list[Change]:
    """The lines in which two scorecards differ."""
    before, after = (dict(cards.told(name, one, partial(_said, names=names))) for one, names in (old, new))
    return _lines_apart(before, after)


def _rows_apart(
    old: tuple[DecisionTable, Definition, Mapping[int, str]], new: tuple[DecisionTable, Definition, Mapping[int, str]]
) -> list[Change]:
    """The rows in which two tables differ, the first few of them; empty if what differs is none of them."""
    before, after = (
        dict(told(_line_of(table, flow), table, partial(_said, names=names))) for table, flow, names in (old, new)
    )
    found = _lines_apart(before, after)
    more = len(found) - MOST_LINES
    if more <= 1:
        return found
    name = _line_of(old[0], old[1])
    return [*found[:MOST_LINES], Change(f"{more:,} more lines of {name}", "as they were", "as they are")]


def _line_of(table: DecisionTable, flow: Definition) -> str:
    return next((name for name, one in flow.tables.items() if one.read == table.read), table.table.name)


def _lines_apart(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    lines = [*before, *(line for line in after if line not in before)]
    found = (Change(line, before.get(line, ABSENT), after.get(line, ABSENT)) for line in lines)
    return [change for change in found if change.old != change.new]


def _condition(rule: Rule | None, flow: Definition) -> str:
    return write(rule.when, _named(flow)) if rule is not None else ABSENT


def _without(names: Mapping[int, str], node: int) -> dict[int, str]:
    return {known: name for known, name in names.items() if known != node}


def _parts(old: Expr, new: Expr) -> list[tuple[Expr | None, Expr | None]]:
    """The smallest parts that differ. A constant is told with what it is compared to, or says nothing."""
    if old.key == new.key:
        return []
    if _flat(old) or _flat(new):
        return _operands(old, new)
    alike = type(old) is type(new) and old._own_key() == new._own_key() and len(old.args) == len(new.args)
    if not alike or not old.args:
        return [(old, new)]
    pairs = [(a, b) for a, b in zip(old.args, new.args, strict=True) if a.key != b.key]
    constants = [isinstance(a, Literal) or isinstance(b, Literal) for a, b in pairs]
    inside = [part for (a, b), constant in zip(pairs, constants, strict=True) if not constant for part in _parts(a, b)]
    return [(old, new), *inside] if any(constants) else inside


def _flat(node: Expr) -> str:
    return node.op if isinstance(node, Call) and node.op in ("and", "or") else ""


def _operands(old: Expr, new: Expr) -> list[tuple[Expr | None, Expr | None]]:
    """Of `a & b & c` and `a & d & c` only b and d: operands that are in both are left out, whatever their order."""
    op = _flat(old) or _flat(new)
    if _flat(old) and _flat(new) and _flat(old) != _flat(new):
        return [(old, new)]
    left, right = list(_chain(old, op)), list(_chain(new, op))
    mine, theirs = {part.key for part in left}, {part.key for part in right}
    gone, come = [p for p in left if p.key not in theirs], [p for p in right if p.key not in mine]
    if len(gone) == len(come) == 1:
        return _parts(gone[0], come[0])
    most = max(len(gone), len(come))
    padded = zip(gone + [None] * (most - len(gone)), come + [None] * (most - len(come)), strict=True)
    return list(padded)


def _chain(node: Expr, op: str) -> Iterator[Expr]:
    if _flat(node) == op:
        for part in node.args:
            yield from _chain(part, op)
    else:
        yield node
