"""A PMML model, ready to answer: one row, or a batch of rows."""

import difflib
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tidegate.documents.xml import Element, child, children, name_of, read
from tidegate.errors import DocumentError, ModelError
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.answers import Answer, Value, decoded, given_by, trace_of
from tidegate.models.pmml.evaluator import Written, write_model
from tidegate.models.pmml.fields import Input
from tidegate.models.pmml.grammar import MODELS, check, refuse
from tidegate.models.pmml.host_calls import call, places_of
from tidegate.models.pmml.one_row import OneRow
from tidegate.models.pmml.outputs import Output
from tidegate.models.pmml.program import Program, reason_of
from tidegate.models.pmml.reading import optional, required
from tidegate.models.pmml.scope import Document
from tidegate.models.pmml.texts import Vocabulary, number_of, text_of
from tidegate.models.pmml.verification import verify

__all__ = ["Answer", "PmmlModel", "read_pmml"]

VERSIONS = ("3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.2.1", "4.3", "4.4", "4.4.1")
_NUMBERS = ("double", "float", "integer")
BLOCK = 64


_new = tuple.__new__  # past the class's own, which is a function of Python


class PmmlModel:
    """A model read from PMML. It is asked for one row by `answer`, for many by `table`.

    Attributes:
        kind: the model's element, as in "TreeModel".
        function: "regression", "classification", "clustering" or "anomalyDetection".
        inputs: what it must be given, in the order of its mining schema.
        outputs: what it gives: its output fields and its targets; if it has no output fields, probabilities too.
        targets: the names of what it predicts; an empty one if it does not say.
        names_outputs: whether it names its output fields.
        treated: the inputs' names by the registers where they are treated: missing, invalid, outlying values replaced.
    """

    def __init__(self, written: Written, document: Document, element: Element) -> None:
        self.kind, self.function = name_of(element), str(element.get("functionName"))
        self.name = optional(element, "modelName")
        self.version = document.version
        self.inputs: tuple[Input, ...] = tuple(sorted(written.inputs, key=lambda one: not one.needed))
        self.targets = tuple(one.name for one in written.targets)
        self.texts = list(document.texts.texts)
        self._codes = document.texts.codes
        self._host = list(document.host)
        self.outputs: tuple[Output, ...] = given_by(written, self.texts)
        self.names_outputs = bool(written.outputs)
        status = document.builder.register()
        checked = [
            written.scope.fields[one.name].register
            for one in self.inputs
            if one.needed and one.treatment.invalid == "returnInvalid"
        ]
        nothing = document.constant(0.0, "double")
        code = document.constants + written.code
        document.builder.emit(code, o.FIRST_FAULT, status, nothing.register, len(checked), *checked)
        self.reason_registers = list(zip(written.prediction.reasons, written.prediction.points, strict=True))
        self._bad = document.builder.fault("a value that is not of the field's type", element)
        self.program: Program = document.builder.built(code)
        self._bad_value = float(self.program.numbers[self._bad])
        self._hosts = places_of(code)
        self.treated = {written.scope.fields[one.name].register: one.name for one in self.inputs if one.needed}
        self.in_registers = np.array([one.register for one in self.inputs], np.int64)
        reasons = [register for pair in self.reason_registers for register in pair]
        self.out_registers = np.array([status, *[one.register for one in self.outputs], *reasons], np.int64)
        self.trace = trace_of(written)
        self._gives = [(one.name, one.kind) for one in self.outputs]
        self._names = tuple(one.name for one in self.outputs)
        self._numbers_do = not self.reason_registers and len(set(self._names)) == len(self._names)
        self._others = [one for one in self._gives if one[1] not in ("double", "float")]
        self._words = Vocabulary(self.texts, self._codes)
        self._one: OneRow | None = None
        self._quick = not self._hosts and OneRow.fits(self.inputs) and all(one.needed for one in self.inputs)

    def answers(self, columns: Mapping[str, Sequence[Any]]) -> list[Answer]:
        """What the model says of each row of a table, given by column. Raises ModelError if a column is not there."""
        matrix, words = self._encoded(columns)
        return [self._answer(row, words) for row in self._run(matrix, self.out_registers, words).tolist()]

    def answer(self, row: Mapping[str, Any]) -> Answer:
        """What the model says of one row."""
        try:
            if not self._quick:
                return self._slowly(row)
            if self._one is None:
                names = self._names if self._numbers_do else ()
                known = 1 + len(self.outputs)
                self._one = OneRow(self.program, self.inputs, self.out_registers, known, self._codes, names)
            found = self._one(row)
            if found is None:
                return self._slowly(row)
        except KeyError:
            self.require(row)
            raise
        if isinstance(found, dict):
            values = cast(dict[str, Value], found)
            for name, kind in self._others:
                values[name] = decoded(found[name], kind, self._words)
            return _new(Answer, (values, "", ()))
        return self._answer(found, self._words)

    def _slowly(self, row: Mapping[str, Any]) -> Answer:
        """What the model says of a row of any values. Raises KeyError if one is not there."""
        words = Vocabulary(self.texts, self._codes)
        given = [row[one.name] if one.needed else row.get(one.name) for one in self.inputs]
        matrix = np.array([[self._encode(one, value, words) for one, value in zip(self.inputs, given, strict=True)]])
        return self._answer(self._run(matrix, self.out_registers, words)[0].tolist(), words)

    def table(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The same as columns, which is quickest for many rows: numbers as floats, NaN where there is none, texts as
        objects. Raises ModelError as `answers` does."""
        matrix, words = self._encoded(columns)
        numbers = self._run(matrix, self.out_registers, words)
        failed = np.isnan(numbers[:, 0])
        found = dict[str, NDArray[Any]]()
        for place, one in enumerate(self.outputs, start=1):
            column = np.where(failed, np.nan, numbers[:, place])
            if one.kind in _NUMBERS:
                found[one.name] = column
            else:
                found[one.name] = np.array([decoded(x, one.kind, words) for x in column.tolist()], object)
        return found

    @staticmethod
    def make_ready() -> None:
        """Have the kernels compiled, or loaded from disk, so that no answer waits for the compiler."""
        from tidegate.models.pmml.kernels import run, single

        del run, single

    @property
    def computes_texts(self) -> bool:
        """Whether Python has a part in an answer, because texts are made on the way."""
        return bool(self._hosts)

    def numbers(self, values: NDArray[np.float64], registers: Sequence[int]) -> NDArray[np.float64]:
        """Rows of numbers, one per input, to rows of the status (invalid or 0) and of what is in the registers."""
        wanted = np.array([self.out_registers[0], *registers], np.int64)
        actual = len(self.inputs) - values.shape[1]  # which are never known where a model is asked
        if actual:
            values = np.hstack([values, np.full((len(values), actual), math.nan)])
        return self._run(values, wanted, Vocabulary(self.texts, self._codes))

    def explain(self, row: Mapping[str, Any]) -> dict[str, Value]:
        """What the answer to one row is made of: derived fields, partial scores, the leaf, what segments say."""
        matrix, words = self._encoded({name: [value] for name, value in row.items()})
        wanted = np.array([register for _, _, register in self.trace], np.int64)
        numbers = self._run(matrix, wanted, words)[0].tolist() if len(wanted) else []
        pairs = zip(self.trace, numbers, strict=True)
        return {name: decoded(number, kind, words) for (name, kind, _), number in pairs}

    def _encoded(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> tuple[NDArray[np.float64], Vocabulary]:
        self.require(columns)
        rows = len(next(iter(columns.values()), ()))
        words, matrix = Vocabulary(self.texts, self._codes), np.empty((rows, len(self.inputs)))
        for place, one in enumerate(self.inputs):
            column = columns[one.name] if one.needed else columns.get(one.name, [None] * rows)
            if isinstance(column, np.ndarray) and column.dtype.kind in "fiu" and one.kind in ("double", "integer"):
                matrix[:, place] = np.where(np.isnan(column), np.nan, column)  # a NaN of ours says nothing more
            else:
                matrix[:, place] = [self._encode(one, value, words) for value in column]
        return matrix, words

    def _encode(self, one: Input, value: Any, words: Vocabulary) -> float:
        """A value from outside as a number; what is none of the field's type is invalid, not missing."""
        if value is None or (isinstance(value, float | np.floating) and value != value):
            return math.nan
        if isinstance(value, Decimal) and value.is_nan():
            return math.nan
        if one.kind == "string":
            return float(words.code(text_of(value)))
        if isinstance(value, str) and value in one.absent:
            return math.nan
        number = number_of(value, one.kind)
        return number if number == number else self._bad_value

    def _run(
        self, values: NDArray[np.float64], wanted: NDArray[np.int64], words: Vocabulary
    ) -> NDArray[np.float64]:  # fmt: skip
        """Rows of numbers to rows of what is in the wanted registers."""
        from tidegate.models.pmml.kernels.run import run

        program, answers = self.program, np.empty((len(values), len(wanted)))
        if len(values) and not self._hosts:
            run(program.code, program.numbers, program.registers, self.in_registers, values, wanted, answers)
        elif len(values):
            self._with_texts(values, wanted, answers, words)
        return answers

    def _with_texts(
        self, values: NDArray[np.float64], wanted: NDArray[np.int64], answers: NDArray[np.float64], words: Vocabulary
    ) -> None:
        """The kernels, and Python's part between runs of them, block by block."""
        from tidegate.models.pmml.kernels.run import steps

        program = self.program
        for first in range(0, len(values), BLOCK):
            rows = min(BLOCK, len(values) - first)
            registers = np.empty((program.registers, rows))
            registers[self.in_registers] = values[first : first + rows].T
            start = 0
            for place in self._hosts:
                steps(program.code, program.numbers, registers, start, place, rows)
                call(self._host, program.code, place, registers, words)
                start = place + int(program.code[place + 1])
            steps(program.code, program.numbers, registers, start, len(program.code), rows)
            answers[first : first + rows] = registers[wanted].T

    def require(self, names: Mapping[str, Any]) -> None:
        """Raise ModelError, with the nearest name, unless every input of the model is among the names."""
        for one in self.inputs:
            if one.needed and one.name not in names:
                near = difflib.get_close_matches(one.name, list(names), n=1)
                raise ModelError(
                    f"The model reads {one.name!r}, which is not given.", seen=", ".join(names) or "nothing",
                    do=f"Is it {near[0]!r}?" if near else "Give it, with an empty value if it is not known.",
                )  # fmt: skip

    def _answer(self, row: Sequence[float], texts: Vocabulary) -> Answer:
        faults = self.program.faults
        invalid = reason_of(row[0], faults) if row[0] != row[0] else ""
        values = dict[str, Value]()
        for place, (name, kind) in enumerate(self._gives, start=1):
            number = row[place]
            if number != number and not invalid:
                invalid = reason_of(number, faults)
            values[name] = None if invalid else number if kind == "double" else decoded(number, kind, texts)
            if number != number:
                values[name] = None
        if invalid:
            return Answer(dict.fromkeys(values), invalid)
        if not self.reason_registers:
            return Answer(values)
        rest = row[1 + len(self.outputs) :]
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return Answer(values, "", tuple((texts[int(code)], points) for code, points in pairs if code == code))


def read_pmml(data: bytes, what: str = "the model", *, named: str = "") -> PmmlModel:
    """A model from the bytes of a PMML document.

    Args:
        data: the document.
        what: what it is called in messages.
        named: which of several models, by its modelName; "" is the first, as the specification has it.

    Raises:
        DocumentError: it is no PMML, of a version that is not read, holds what is not supported, or no such model; with
            its name, the line and the element.
    """
    try:
        return _read(data, what, named)
    except DocumentError as error:
        raise error.within(what) from None


def _read(data: bytes, what: str, named: str) -> PmmlModel:
    root = read(data, what)
    if name_of(root) != "PMML":
        raise refuse(root, f"{what} is no PMML.", "Its outermost element is PMML.")
    version = required(root, "version")
    if version not in VERSIONS:
        raise refuse(root, f"PMML {version} is not read.", f"Versions {VERSIONS[0]} to {VERSIONS[-1]} are.")
    try:
        check(root)
        document = Document(version)
        dictionary = child(root, "DataDictionary")
        for part in children(dictionary, "DataField") if dictionary is not None else ():
            if required(part, "name") in document.data:
                raise refuse(part, f"The data dictionary has {part.get('name')!r} twice.")
            document.data[str(part.get("name"))] = part
        models = [part for part in children(root) if name_of(part) in MODELS]
        if not models:
            raise refuse(root, f"{what} holds no model.")
        element = _one_of(models, what, named)
        model = PmmlModel(write_model(element, document), document, element)
        verify(element, model)
        document.steps_left = math.inf
        return model
    except RecursionError:
        raise DocumentError(f"{what} is nested too deep.", do="Make its parts derived fields.") from None


def _one_of(models: Sequence[Element], what: str, named: str) -> Element:
    """The model that is meant."""
    if named:
        names = [optional(one, "modelName") for one in models]
        if named not in names:
            near = difflib.get_close_matches(named, names, 1) or [name for name in names if name][:1]
            do = f"Is it {near[0]!r}?" if near else "Its models have no names: name none, and the first is meant."
            raise refuse(models[0], f"{what} has no model {named!r}.", do)
        return models[names.index(named)]
    return models[0]
