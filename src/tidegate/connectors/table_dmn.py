"""Decision tables of DMN models, as far as their cells are plain.

Plain are constants, comparisons, ranges, lists, not(…) and null: they mean the same in FEEL and in a table's own
language, save that FEEL's `not(1)` holds for null, since null = 1 is false. `not(< 1)` does not: null < 1 is null. A
constant is of the type that it is written as: "1" is a text, which no number equals. A cell that needs more of FEEL, or
can never hold since it is of another type than its column, is refused with its line; the whole model runs by
`tidegate dmn`.

A row that decides says why by the table's annotation `because`; without one, by its output `because`.
"""

import re
from collections.abc import Sequence

from tidegate.decisions.dmn import boxed
from tidegate.decisions.dmn.elements import Decision
from tidegate.decisions.dmn.read import read_definitions
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import Head, Sheet, Written, checked
from tidegate.decisions.tables.table import OUTCOME
from tidegate.errors import DocumentError, nearest

_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)"
_CONSTANT = re.compile(rf'"(?:[^"\\]|\\["\\])*"|{_NUMBER}|true\b|false\b|null\b')
_PLAIN = re.compile(rf"\s*(?:{_CONSTANT.pattern}|not\s*\(|<=|>=|<|>|=|\.\.|[\[\](),])")
_TYPES = {"number": "number", "string": "text", "boolean": "bool"}
BECAUSE = "because"
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
    noted, worded = _because(table)
    rows = [
        Written(
            str(number),
            [
                *(_cell(one, what) for one in rule.tests),
                *(_output(one, place == worded, what) for place, one in enumerate(rule.outputs)),
                *([rule.annotations[noted] if noted < len(rule.annotations) else ""] if noted is not None else []),
            ],
            rule.line,
        )
        for number, rule in enumerate(table.rules, 1)
    ]
    heads: list[Head] = []
    for place, given in enumerate(table.inputs):
        type = _TYPES.get(given.type_ref.removeprefix("feel:"), "")
        cells = [rule.tests[place] for rule in table.rules if place < len(rule.tests)]
        written = _type_of([*cells, *([given.values] if given.values is not None else [])], type, what)
        values = _cell(given.values, what) if given.values is not None else "-"
        name_of, only = given.expression.text.strip(), values != "-"
        heads.append(Head("if", name_of, len(heads) + 1, type, values if only else "", written, only))
    for place, output in enumerate(table.outputs):
        type = "text" if place == worded else _TYPES.get(output.type_ref.removeprefix("feel:"), "")
        cells = [rule.outputs[place] for rule in table.rules if place < len(rule.outputs)]
        written = _type_of([*cells, *([output.default] if output.default else [])], type, what)
        values = output.values.text if output.values is not None else ""
        role = BECAUSE if place == worded else "then"
        heads.append(Head(role, output.name or name, len(heads) + 1, type, values, written))
    if noted is not None:
        heads.append(Head(BECAUSE, BECAUSE, len(heads) + 1))
    defaults = [output.default for output in table.outputs]
    default = None
    if any(one is not None for one in defaults):
        blank = [""] * len(table.inputs)
        values_of = [
            _output(one, place == worded, what) if one is not None else "" for place, one in enumerate(defaults)
        ]
        default = Written("default", [*blank, *values_of, *([""] if noted is not None else [])], 0)

    def where(line: int, head: Head) -> str:
        return f"line {line} ({head.name})" if line else f"default ({head.name})"

    return checked(Sheet(name, policy, tuple(heads), tuple(rows), default, where, f"{what}, decision {name!r}"))


def _because(table: boxed.Table) -> tuple[int | None, int | None]:
    """The place of the annotation that says why, or else of the output; neither if the table decides nothing."""
    outputs = [one.name for one in table.outputs]
    if OUTCOME not in outputs:
        return None, None
    if BECAUSE in table.annotations:
        return table.annotations.index(BECAUSE), None
    return None, outputs.index(BECAUSE) if BECAUSE in outputs else None


def _output(text: boxed.Text, is_because: bool, what: str) -> str:
    plain = _constant(text, what)
    return re.sub(r'\\(["\\])', r"\1", plain[1:-1]) if is_because else plain


def _type_of(cells: Sequence[boxed.Text], declared: str, what: str) -> str:
    """The type that the constants of a column are written as; "" where it has none."""
    known = declared
    for cell in cells:
        for found in _CONSTANT.findall(cell.text):
            type = "text" if found[0] == '"' else "bool" if found in ("true", "false") else "number"
            if found != "null" and type != (known := known or type):
                raise DocumentError(
                    f"{what}: A cell holds a {type}, and its column is of the type {known}, so this is never equal.",
                    seen=cell.text.strip()[:80],
                    do='Write every constant of a column alike: 1 is a number, "1" a text, true a bool.',
                    line=cell.line,
                )
    return known


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
        parts.append("missing" if found[0].strip() == "null" else found[0].strip())
        at = found.end()
    made = " ".join(parts)
    ordered = any(sign in parts for sign in ("<", "<=", ">", ">=", ".."))
    if "missing" in parts and (ordered or "=" in parts):
        raise _refuse(text, what)
    # null equals no constant, so it passes `not(1)`; how it compares is null, and so is what `not(< 1)` makes of that.
    passes = plain.startswith("not") and "missing" not in parts and not ordered
    return f"{made}, missing" if passes else made


def _constant(text: boxed.Text, what: str) -> str:
    """An output of FEEL as a constant."""
    plain = text.text.strip()
    if plain in ("", "-", "null"):
        return ""
    if not _CONSTANT.fullmatch(plain):
        raise _refuse(text, what)
    return plain
