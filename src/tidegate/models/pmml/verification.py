"""ModelVerification: rows with what the model that was exported said of them, checked when a document is read."""

import math
from typing import TYPE_CHECKING

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.reading import number, optional, required
from tidegate.models.pmml.texts import single, text_of

if TYPE_CHECKING:
    from tidegate.models.pmml.answers import Value
    from tidegate.models.pmml.fields import Input
    from tidegate.models.pmml.model import PmmlModel

__all__ = ["verify"]


def verify(element: Element, model: "PmmlModel") -> None:
    """Raise DocumentError at the first row of which the model says something else than its verification has it."""
    held = child(element, "ModelVerification")
    if held is None:
        return
    listed = child(held, "VerificationFields")
    fields = list(children(listed, "VerificationField")) if listed is not None else []
    table = child(held, "InlineTable")
    rows = reading.rows(table, held)
    columns = {required(part, "field"): _column(part) for part in fields}
    given = {one.name: [_given(one, row.get(columns.get(one.name, ""))) for row in rows] for one in model.inputs}
    known = {one.name for one in model.outputs} | {one.name for one in model.inputs} | set(model.targets)
    for part in fields:
        if required(part, "field") not in known:
            raise refuse(part, f"The verification is of {part.get('field')!r}, which the model does not give.")
    singles = {one.name for one in model.outputs if one.kind == "float"}
    answers = model.answers(given) if given else []
    for place, (row, answer) in enumerate(zip(rows, answers, strict=False), start=1):
        for part in fields:
            name = required(part, "field")
            if name not in answer.values or columns[name] not in row:
                continue
            wanted, seen = row[columns[name]].strip(), answer.values[name]
            if not _agree(wanted, seen, part, narrow=name in singles):
                said = answer.invalid or repr(seen)
                raise refuse(
                    held, f"The model does not say of row {place} of its verification what it says there.",
                    seen=f"{name} {said} where {wanted!r} is due", do="Export the model again, or report this.",
                )  # fmt: skip


def _given(one: "Input", text: str | None) -> str | None:
    """A cell as an input: an empty one is a missing value, unless an empty text is a valid one."""
    return text if text or one.blank else None


def _column(part: Element) -> str:
    """The name of a field's cells, without the prefix of its namespace."""
    return reading.column(optional(part, "column", required(part, "field")))


def _agree(wanted: str, seen: "Value", part: Element, *, narrow: bool) -> bool:
    """Equal texts, or numbers within the field's precision: relative, or absolute about zero.

    A number of single precision is written with as few digits as name it among these.
    """
    if wanted == "" or seen is None:
        return wanted == "" and seen in (None, "")
    try:
        due = single(float(wanted)) if narrow else float(wanted)
    except ValueError:
        return text_of(seen) == wanted
    if isinstance(seen, bool) or not isinstance(seen, (int, float)):
        return text_of(seen) == wanted
    if not math.isfinite(due):
        return False
    zero = number(part, "zeroThreshold", 1e-16)
    if abs(due) <= zero:
        return abs(seen) <= zero
    precision = number(part, "precision", 1e-6)
    return abs(seen - due) <= precision * abs(due)
