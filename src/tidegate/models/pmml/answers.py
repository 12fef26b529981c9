"""What a PMML model says: an answer, its values by name, and what is shown of how it came about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from tidegate.models.pmml.evaluator import Written
from tidegate.models.pmml.outputs import Output
from tidegate.models.pmml.texts import Vocabulary, is_text

__all__ = ["Answer", "Value", "decoded", "given_by", "trace_of"]

Value = float | int | str | bool | date | datetime | None


class Answer(NamedTuple):
    """What a model says of one row.

    Attributes:
        values: by name of output; None where there is none.
        invalid: why the model says nothing of the row, with the line of the document; empty if it does.
        reasons: a scorecard's reason codes with the points that each weighs, the most weighty first.
    """

    values: Mapping[str, Value]
    invalid: str = ""
    reasons: tuple[tuple[str, float], ...] = ()


def decoded(number: float, kind: str, texts: Vocabulary | Sequence[str]) -> Value:
    """A number of a register as a value of its type."""
    if number != number:
        return None
    if is_text(kind):
        return texts[int(number)]
    if kind == "boolean":
        return number == 1.0
    if kind == "integer" and number.is_integer():
        return int(number)
    try:
        if kind == "date":
            return date(1970, 1, 1) + timedelta(days=number)
        if kind == "dateTime":
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    except OverflowError:
        return None
    return number


def given_by(written: Written, texts: Sequence[str]) -> tuple[Output, ...]:
    """What a model gives: its outputs, and each target that is not one of them under another name.

    A model that names no outputs gives the probabilities of its categories too.
    """
    several, found = len(written.targets) > 1, list(written.outputs)
    named = {one.name for one in found}
    plain = not found
    for target in written.targets:
        said = written.prediction.targets[target.name] if several else written.prediction
        known = not several and any(one.register == said.value.register for one in found)
        if not known and (target.name or plain) and target.name not in named:
            name = target.name or "prediction"
            value = said.value
            found.append(
                Output(name, value.kind, "predictedValue", value.register, False, target.values, said.additive)
            )
        for segment, one in said.segments.items() if said.apart else ():
            name = f"{target.name or 'prediction'}({segment})"
            found.append(Output(name, one.value.kind, "predictedValue", one.value.register, declared=False))
        for label, register in said.probabilities.items() if plain else ():
            word = decoded(label, target.kind, texts)
            name = f"probability({target.name}, {word})" if several else f"probability({word})"
            found.append(Output(name, "double", "probability", register, additive=said.odds.get(label)))
    return tuple(found)


def trace_of(written: Written) -> list[tuple[str, str, int]]:
    """Names, types and registers of what can be shown of how an answer came about."""
    said, inputs = written.prediction, {one.name for one in written.inputs}
    named = {one.name for one in written.outputs} | {one.name for one in written.targets}
    found = [
        (f"field {name}", field.kind, field.register)
        for name, field in written.scope.fields.items()
        if name not in inputs and name not in named
    ]
    found += [(f"partial score {name}", "double", register) for name, register in said.parts.items()]
    found += [("entity", "string", register) for register in said.entities[:1]]
    found += [(f"segment {name}", one.value.kind, one.value.register) for name, one in said.segments.items()]
    return found
