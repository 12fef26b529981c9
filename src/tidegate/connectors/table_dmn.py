"""Decision tables of DMN models, as far as their cells are plain.

Plain are constants, comparisons, ranges, lists, not(…) and null: they mean the same in FEEL and in a table's own
language, save that FEEL's `not(…)` holds for null. A cell that needs more of FEEL is refused with its line; the whole
model runs by `tidegate dmn`.
"""

import re

from tidegate.decisions.dmn import boxed
from tidegate.decisions.dmn.elements import Decision
from tidegate.decisions.dmn.read import read_definitions
from tidegate.decisions.tables.line import nearest
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import Head, Sheet, Written, checked
from tidegate.errors import DocumentError

_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)"
_CONSTANT = re.compile(rf'"(?:[^"\\]|\\["\\])*"|{_NUMBER}|true\b|false\b|null\b')
_PLAIN = re.compile(rf"\s*(?:{_CONSTANT.pattern}|not\s*\(|<=|>=|<|>|=|\.\.|[\[\](),])")
_TYPES = {"number": "number", "string": "text", "boolean": "bool"}
_TOGETHER = {"SUM": Policy.SUM, "MIN": Policy.LEAST, "MAX": Policy.GREATEST, "COUNT": Policy.COUNT}


def read_dmn_table(data: bytes, what: str, decision: str | None = None) -> Sheet:
    """The decision table of a decision in a DMN model.

    Args:
        data: the model.
        what: what it is called in messages, as in "credit.dmn".
        decision: the decision's name; it may be left out where one decision is a table.

    Raises:
        DocumentError: it is no DMN model, has no such table, or a cell that is not plain, with its line.
        FlowError: the table has no inputs, outputs or rules.
    """
    tables = {
        one.name: one.logic
        for one in read_definitions(data, what).elements
        if isinstance(one, Decision) and isinstance(one.logic, boxed.Table)
    }
    if decision is None and len(tables) == 1:
        decision = next(iter(tables))
    if decision not in tables:
        near = nearest(decision or "", tables)
        raise DocumentError(
            f"{what} has no decision table {decision!r}." if decision else f"{what} has {len(tables)} decision tables.",
            seen=", ".join(tables)[:200],
            do=f"Did you mean {near}?" if near and decision else "Name one with --sheet (in Python sheet=…).",
        )
    return _sheet(tables[decision], what, decision)


def _sheet(table: boxed.Table, what: str, name: str) -> Sheet:
    together = table.hit_policy == "COLLECT" and table.aggregation
    policy = _TOGETHER[table.aggregation] if together else Policy[table.hit_policy.replace(" ", "_")]
    heads: list[Head] = []
    for given in table.inputs:
        label = given.expression.text.strip()
        heads.append(Head("if", label, len(heads) + 1, _TYPES.get(given.type_ref.removeprefix("feel:"), "")))
    for output in table.outputs:
        values = output.values.text if output.values is not None else ""
        label = output.name or name
        heads.append(Head("then", label, len(heads) + 1, _TYPES.get(output.type_ref.removeprefix("feel:"), ""), values))
    rows = [
        Written(
            str(number),
            [*(_cell(one, what) for one in rule.tests), *(_constant(one, what) for one in rule.outputs)],
            rule.line,
        )
        for number, rule in enumerate(table.rules, 1)
    ]
    defaults = [output.default for output in table.outputs]
    default = None
    if any(one is not None for one in defaults):
        blank = [""] * len(table.inputs)
        values_of = [_constant(one, what) if one is not None else "" for one in defaults]
        default = Written("default", [*blank, *values_of], 0)

    def where(line: int, head: Head) -> str:
        return f"line {line} ({head.name})"

    return checked(Sheet(name, policy, tuple(heads), tuple(rows), default, where))


def _refuse(text: boxed.Text, what: str) -> DocumentError:
    return DocumentError(
        f"{what}: A cell is not plain, so this table cannot be a line of a flow.",
        seen=text.text.strip()[:80],
        do="Write constants, comparisons, ranges, lists or not(…); or run the model by `tidegate dmn run`.",
        line=text.line,
    )


def _cell(text: boxed.Text, what: str) -> str:
    """A unary test of FEEL as a cell."""
    plain = text.text.strip()
    if plain in ("", "-"):
        return "-"
    at, parts = 0, []
    while at < len(plain):
        found = _PLAIN.match(plain, at)
        if found is None:
            raise _refuse(text, what)
        parts.append("missing" if found[0].strip() == "null" else found[0])
        at = found.end()
    made = " ".join(parts)
    if "missing" in parts and any(sign in made for sign in ("<", ">", "=", "..")):
        raise _refuse(text, what)
    inverted = plain.startswith("not") and "null" not in plain
    return f"{made}, missing" if inverted else made


def _constant(text: boxed.Text, what: str) -> str:
    """An output of FEEL as a constant."""
    plain = text.text.strip()
    if plain in ("", "-", "null"):
        return ""
    if not _CONSTANT.fullmatch(plain):
        raise _refuse(text, what)
    return plain
