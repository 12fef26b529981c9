"""PMML models that functions of a DMN model are (kind PMML): found beside it, read once, asked by name (10.3.2.13.3).

The mapping of values is that of DMN 1.5, table 47: numbers, strings, booleans, dates, times, dates and times; what has
no counterpart is null.
"""

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tidegate.decisions.dmn.elements import Definitions
from tidegate.errors import DocumentError
from tidegate.expressions.feel import types
from tidegate.expressions.feel.numbers import number
from tidegate.expressions.feel.temporal import Date, DateTime, Time, parse_date, parse_date_time
from tidegate.expressions.feel.types import ANY, Type

if TYPE_CHECKING:
    from tidegate.models.pmml.model import Answer, PmmlModel

_TYPES: dict[str, Type] = {
    "string": types.STRING, "boolean": types.BOOLEAN, "integer": types.NUMBER, "float": types.NUMBER,
    "double": types.NUMBER, "date": types.DATE, "time": types.TIME, "dateTime": types.DATE_TIME,
}  # fmt: skip


class AbsentError(LookupError):
    """There is no such document among the files given."""


class PmmlFiles:
    """The PMML documents that a DMN model may ask: those among the files it was given, each read when first meant.

    Args:
        files: the files by name; nothing outside of them is opened, and no network is asked.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._imported: dict[str, str] = {}
        self._models: dict[tuple[str, str], PmmlModel | DocumentError] = {}

    def know(self, definitions: Definitions) -> None:
        """Take note of the PMML documents that a model imports: functions may go by the import's name."""
        for one in definitions.imports:
            if is_pmml(one.kind) and one.name:
                self._imported.setdefault(one.name, one.location)

    def model(self, document: str, name: str) -> "PmmlModel":
        """The model of a document, by the name of its file or of its import.

        Args:
            document: a file's name, or an import's.
            name: which of its models; "" is the first.

        Raises:
            AbsentError: there is no such file.
            DocumentError: it is no PMML, holds what is not supported, or has no model of that name.
        """
        from tidegate.models.pmml.model import read_pmml

        file = self.file(document)
        if (file, name) not in self._models:
            try:
                self._models[file, name] = read_pmml(self._files[file], file, named=name)
            except DocumentError as error:
                self._models[file, name] = error
        found = self._models[file, name]
        if isinstance(found, DocumentError):
            raise found
        return found

    @property
    def read(self) -> tuple[str, ...]:
        """The files that were read so far."""
        return tuple(dict.fromkeys(file for file, _ in self._models))

    def file(self, document: str) -> str:
        """The name of a document's file.

        Raises:
            AbsentError: there is no such file, or it does not lie beside the model.
        """
        named = self._imported.get(document, document).removeprefix("./")
        if not named or any(sign in named for sign in ("/", "\\", ":")) or named == "..":
            raise AbsentError(
                f'the PMML document "{document}" is no file beside the model: name one that is, without a folder or '
                "an address"
            )
        if named not in self._files:
            known = [one for one in self._files if one.lower().endswith(".pmml")]
            near = difflib.get_close_matches(named, known, 1)
            also = f': is it "{near[0]}"?' if near else ""
            raise AbsentError(f'there is no PMML file "{named}" beside the model{also}')
        return named

    def __call__(self, definition: Mapping[str, Any], names: list[str], arguments: list[Any]) -> Any:
        """Ask the model that an external function is defined by, as FEEL's `External`.

        Raises:
            LookupError: it is no function of PMML, or there is no such document.
            ValueError: the model does not take the arguments, or says nothing of them.
        """
        where = definition.get("pmml")
        if not isinstance(where, Mapping) or not isinstance(where.get("document"), str):
            raise LookupError("it names no PMML document")
        name = where.get("model")
        model = self.model(where["document"], name if isinstance(name, str) else "")
        return ask(model, dict(zip(names, arguments, strict=True)))


def is_pmml(kind: str) -> bool:
    """Whether an import's type is PMML, as in http://www.dmg.org/PMML-4_4."""
    return "PMML" in kind.upper()


def ask(model: "PmmlModel", arguments: Mapping[str, Any]) -> Any:
    """What a model says of arguments by name: its one output, or a context of its outputs where it names several.

    Raises:
        ValueError: it lacks an argument, or says nothing of them.
    """
    absent = [one.name for one in model.inputs if one.needed and one.name not in arguments]
    if absent:
        raise ValueError(f'the model reads "{absent[0]}", which is no parameter of the function')
    given = {one.name: to_pmml(arguments.get(one.name)) for one in model.inputs}
    answer = model.answer(given)
    if answer.invalid:
        raise ValueError(answer.invalid)
    found = _said(model, answer)
    if found is None:
        without = ", ".join(f'"{name}"' for name, value in given.items() if value is None)
        raise ValueError("the model says nothing of these arguments" + (f", without {without}" if without else ""))
    return found


def _said(model: "PmmlModel", answer: "Answer") -> Any:
    named = [one for one in model.outputs if one.declared or not model.names_outputs]
    made = {one.name: from_pmml(answer.values[one.name], one.kind) for one in named}
    return made if model.names_outputs and len(made) > 1 else next(iter(made.values()))


def unlike(model: "PmmlModel", parameters: Sequence[tuple[str, Type]]) -> list[str]:
    """What is wrong with the parameters of a function that is this model, a sentence each."""
    kinds, wrong = dict(parameters), []
    for one in model.inputs:
        if one.name not in kinds:
            near = difflib.get_close_matches(one.name, list(kinds), 1)
            also = f': is it "{near[0]}"?' if near else "."
            wrong.append(f'the PMML model reads "{one.name}", which is no parameter of the function{also}')
        elif kinds[one.name] not in (ANY, _TYPES.get(one.kind, ANY)) and one.kind in _TYPES:
            wrong.append(f'the PMML model reads "{one.name}" as {one.kind}, and the parameter is {kinds[one.name]}.')
    return wrong


def to_pmml(value: Any) -> Any:
    """A FEEL value as PMML's; nothing where there is none for it."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.adjusted() < 15 else float(value)
    try:
        if isinstance(value, Date):
            return dt.date(value.year, value.month, value.day)
        if isinstance(value, Time):
            return _time(value)
        if isinstance(value, DateTime):
            return dt.datetime.combine(dt.date(value.date.year, value.date.month, value.date.day), _time(value.time))
    except ValueError:
        return None  # a year that Python's calendar does not have
    return None


def _time(value: Time) -> dt.time:
    return dt.time(value.hour, value.minute, value.second, value.nanosecond // 1000)


def from_pmml(value: Any, kind: str) -> Any:
    """A value of PMML as FEEL's; null where there is none for it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, dt.datetime):
        return parse_date_time(value.replace(tzinfo=None).isoformat())
    if isinstance(value, dt.date):
        return parse_date(value.isoformat())
    return number(value) if kind in ("integer", "float", "double") else None
