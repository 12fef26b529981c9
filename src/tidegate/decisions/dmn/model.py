"""A DMN model to be asked: read once, checked, and evaluated as often as is wanted."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from tidegate.decisions.dmn.circles import refuse_circles
from tidegate.decisions.dmn.elements import Decision, Element, InputData, Knowledge, Service
from tidegate.decisions.dmn.evaluation import Evaluation, Key, Ready
from tidegate.decisions.dmn.findings import Finding, not_called
from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.parts import KINDS, Assembly, Part
from tidegate.decisions.dmn.read import read_definitions
from tidegate.decisions.dmn.ready import make_ready
from tidegate.decisions.dmn.run import Reason, Run, Step, deep
from tidegate.decisions.dmn.values import NoValue, to_feel, to_plain
from tidegate.errors import DocumentError
from tidegate.expressions.feel.extent import too_large
from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.given import External, Place
from tidegate.expressions.feel.invocation import invoke
from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.temporal import DateTime
from tidegate.expressions.feel.types import Type

MOST_GIVEN = 10_000_000
"""How many elements an input may have, what several of its lists share counted in each."""


@dataclass(frozen=True, slots=True)
class DmnResult:
    """What a decision, service or function came to.

    Args:
        value: the FEEL value: numbers are decimals, dates and durations are FEEL's own.
        reasons: every place that came to nothing on the way, and why, in the order they were met.
        steps: what was evaluated, in order, with the rows of decision tables that matched.
        refused: whether an input was given that its type or its allowed values do not take, and null went for it.
        untaken: the reasons among them that say of a value that a column of a table did not take it, and saw null: what
            came out may be something all the same.
    """

    value: Any
    reasons: tuple[Reason, ...]
    steps: tuple[Step, ...]
    refused: bool = False
    untaken: tuple[Reason, ...] = ()

    @property
    def plain(self) -> Any:
        """The value in Python's own kinds: numbers as decimals, dates and durations as texts."""
        return to_plain(self.value)


class DmnModel:
    """A model that was read. Made by `read_dmn`; never changes, so it may be shared.

    Attributes:
        name: as the file says.
        version: of DMN: 1.1 to 1.5.
        findings: what is wrong with the model, that it can still be evaluated around.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.name, self.version = part.definitions.name, part.definitions.version
        self._ready = make_ready(part)
        self._names = {kind: _named(part, kind) for kind in KINDS}
        # A decision without logic is made elsewhere: its value may be given as an input is.
        self._open = {
            name: key
            for name, key in self._names[Decision].items()
            if getattr(self._ready[key].found.element, "logic", None) is None
        }
        self.findings: tuple[Finding, ...] = tuple(finding for one in _parts(part) for finding in one.findings.all())
        self._told = {(one.file, one.line, one.wrong): one for one in self.findings if one.do}

    @property
    def inputs(self) -> dict[str, Kind]:
        """The inputs by name, with what each may hold; of imported models under the import's name."""
        return {name: self._ready[key].kind for name, key in self._names[InputData].items()}

    @property
    def decisions(self) -> tuple[str, ...]:
        """The names of the model's own decisions, in the order of the file."""
        return tuple(one.name for one in self.part.definitions.elements if isinstance(one, Decision))

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the model's own decision services."""
        return tuple(one.name for one in self.part.definitions.elements if isinstance(one, Service))

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the model's own business knowledge models."""
        return tuple(one.name for one in self.part.definitions.elements if isinstance(one, Knowledge))

    @property
    def pmml(self) -> tuple[str, ...]:
        """The PMML files that its functions are, by name."""
        return self.part.pmml.read

    def name_of(self, name: str, namespace: str) -> str:
        """What a decision of a namespace is called in this model: with the names of the imports that lead to it."""
        for known, key in self._names[Decision].items():
            if key[0] == namespace and self._ready[key].found.element.name == name:
                return known
        return name

    def needed(self, decision: str) -> dict[str, Kind]:
        """The inputs that a decision needs, directly or by way of others, with the type of each.

        Raises:
            DocumentError: there is no such decision.
        """
        names = {key: name for name, key in self._names[InputData].items()}
        found: dict[str, Kind] = {}
        waiting, seen = [self._key(Decision, decision)], set()
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            if key in names:
                found[names[key]] = self._ready[key].kind
            waiting.extend(one.key for one in reversed(self._ready[key].required))
        return found

    def evaluate(
        self,
        decision: str,
        inputs: Mapping[str, Any],
        *,
        now: DateTime | None = None,
        functions: External | None = None,
        explain: bool = False,
    ) -> DmnResult:
        """Make a decision.

        Args:
            decision: its name or id; of an imported model with the import's name and a dot before it, or without if no
                other is called so.
            inputs: values by the names of input data: of Python, of JSON, or FEEL's. What is not given is null. Those
                of an imported model may be given by name, by `import.name`, or by `{namespace}name`.
            now: what `now()` and `today()` say; without it they are null.
            functions: calls functions of the host, for function definitions of kind Java and PMML; a PMML model that
                was given with the DMN model needs none.
            explain: account for every row of a decision table that did not match, and not only where none did.

        Raises:
            DocumentError: there is no such decision.
            FeelLimitError: it took too many steps, or called too deep.
        """
        key = self._key(Decision, decision)
        run = Run(now, functions, self.part.pmml, explain=explain)
        given, refused = self._given(inputs, run)
        evaluation = Evaluation(self._ready, run, given, refused)
        return self._result(run, lambda: evaluation.value(key), refused=bool(refused))

    def service(
        self,
        name: str,
        inputs: Mapping[str, Any],
        *,
        now: DateTime | None = None,
        functions: External | None = None,
        explain: bool = False,
    ) -> DmnResult:
        """Ask a decision service. `inputs` are the values of its input data and input decisions, by name.

        The answer is the value of its output decision, or a context of its output decisions where it has several.
        Arguments and errors are those of `evaluate`.
        """
        one = self._ready[self._key(Service, name)]
        run = Run(now, functions, self.part.pmml, explain=explain)
        given, refused = {}, set()
        for parameter, key in one.parameters:
            site = self._ready[key].site
            if parameter.name not in inputs:
                run.nothing(site, "it was not given.")
            value = _fed(inputs.get(parameter.name), parameter.type, run, key, self)
            given[key] = run.coerced(value, self._ready[key].kind, site)
            if given[key] is None and inputs.get(parameter.name) is not None:
                refused.add(key)
        evaluation = Evaluation(self._ready, run, {})
        return self._result(run, lambda: evaluation.serve(one, given, refused), refused=bool(refused))

    def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        now: DateTime | None = None,
        functions: External | None = None,
        explain: bool = False,
    ) -> DmnResult:
        """Call a business knowledge model with arguments by name. The rest is as in `evaluate`."""
        key = self._key(Knowledge, name)
        run = Run(now, functions, self.part.pmml, explain=explain)
        evaluation = Evaluation(self._ready, run, {})

        def ask() -> Any:
            function = evaluation.value(key)
            if not isinstance(function, Function):
                return function
            kinds = {one.name: one.type for one in function.parameters}
            fed = {
                one: _fed(value, kinds[one], run, key, self) if one in kinds else value
                for one, value in arguments.items()
            }
            run.enter(self._ready[key].site)
            value = invoke(function, list(fed.values()), list(fed), run.feel, Place(name, 0, len(name)))
            return run.bounded(value, self._ready[key].site)

        return self._result(run, ask)

    def _result(self, run: Run, ask: Any, *, refused: bool = False) -> DmnResult:
        try:
            with deep():
                value = ask()
        except FeelLimitError as error:
            seen = ": ".join(filter(None, (_where(run), error.seen)))
            raise FeelLimitError(error.wrong, seen=seen, do=error.do) from None
        except RecursionError:
            raise FeelLimitError(
                "Functions call each other too deep.", seen=_where(run), do="End the recursion, or make it shallower."
            ) from None
        run.leave(run.site)
        return DmnResult(value, tuple(map(self._as_found, run.reasons)), tuple(run.steps), refused, tuple(run.untaken))

    def _as_found(self, reason: Reason) -> Reason:
        """A reason in the words of the finding of the same name at the same place, which say what to do."""
        found = self._told.get((reason.file, reason.line, not_called(reason.text))) if self._told else None
        return reason if found is None else replace(reason, why=f"{found.wrong} {found.do}")

    def _given(self, inputs: Mapping[str, Any], run: Run) -> tuple[dict[Key, Any], set[Key]]:
        """The values of input data, and of decisions without logic, as others see them; and which were refused."""
        given: dict[Key, Any] = {}
        refused = set()
        for name, key in (*self._names[InputData].items(), *self._open.items()):
            one = self._ready[key]
            found, value = _lookup(inputs, name, key[0], one.found.element.name)
            if found:
                given[key] = run.coerced(_fed(value, one.kind.type, run, key, self), one.kind, one.site)
                if given[key] is None and (value is not None or not _may_be_null(one, run)):
                    refused.add(key)
        return given, refused

    def _key(self, kind: type[Element], name: str) -> Key:
        names = self._names[kind]
        if name in names:
            return names[name]
        alike = [key for key in names.values() if self._ready[key].found.element.name == name]
        if len(alike) == 1:
            return alike[0]
        own = self.part.elements.get(name)
        if isinstance(own, kind):
            return self.part.definitions.namespace, name
        what = KINDS[kind]
        near = difflib.get_close_matches(name, list(names), 1)
        raise DocumentError(
            f'{self.part.definitions.file} has no {what} "{name}".',
            do=f'Did you mean "{near[0]}"?' if near else f"It has {', '.join(names) or 'none'}.",
        )


def _named(part: Part, kind: type[Element]) -> dict[str, Key]:
    """The elements of a kind by name, those of imports with the import's name before it."""
    found: dict[str, Key] = {}
    waiting, seen = [("", part)], {id(part)}
    while waiting:
        prefix, one = waiting.pop(0)
        for element in one.definitions.elements:
            if isinstance(element, kind):
                found.setdefault(f"{prefix}{element.name}", (one.definitions.namespace, element.id))
        for name, below in one.imports.items():
            if id(below) not in seen:
                seen.add(id(below))
                waiting.append((f"{prefix}{name}." if name else prefix, below))
    return found


def _lookup(inputs: Mapping[str, Any], name: str, namespace: str, own: str) -> tuple[bool, Any]:
    """A value among those given: by its name from the model, by namespace, by nested contexts, or by its own name."""
    for known in (name, f"{{{namespace}}}{own}"):
        if known in inputs:
            return True, inputs[known]
    for prefix in inputs:
        below = inputs[prefix]
        if name.startswith(f"{prefix}.") and isinstance(below, Mapping):
            found, value = _lookup(below, name[len(prefix) + 1 :], namespace, "")
            if found:
                return True, value
    return (True, inputs[own]) if own in inputs else (False, None)


def _fed(value: Any, kind: Type, run: Run, key: Key, model: DmnModel) -> Any:
    """A value that was given, as FEEL's; null, with the reason, if there is none for it."""
    site = model._ready[key].site
    why = too_large(value, MOST_GIVEN, deepest=inf)  # `to_feel` looks at how deep it is
    if why:
        return run.nothing(site, f"it is too large: {why}.")
    try:
        return to_feel(value, kind)
    except NoValue as error:
        return run.nothing(site, f"{error}.")


def _may_be_null(one: Ready, run: Run) -> bool:
    """Whether an input may be given as null: allowed values have to name it."""
    why = "" if one.kind.check is None else one.kind.check.wrong(None)
    if why:
        run.nothing(one.site, f"{why}.")
    return not why


def _where(run: Run) -> str:
    """The place that was being evaluated."""
    site = run.site
    return f"{site.place} ({site.file}:{site.line})" if site.line else ""


def _parts(part: Part) -> list[Part]:
    """A part and all below, each once."""
    found: list[Part] = []
    waiting = [part]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting.extend(one.imports.values())
    return found


def read_dmn(data: bytes, file: str = "model.dmn", *, imports: Mapping[str, bytes] | None = None) -> DmnModel:
    """Read a DMN model, of version 1.1 to 1.5.

    What is wrong in it and leaves the rest standing is among the model's `findings`; what depends on it is null, with
    the reason.

    Args:
        data: the file's bytes.
        file: what it is called in messages.
        imports: the files that it may import, by name, and the PMML models that its functions are; each is looked at
            only if it is asked for.

    Raises:
        DocumentError: it is no DMN model, of a version that is not read, too large, or goes in circles, or a PMML model
            that it names cannot be read; with the line.
    """
    try:
        part = Assembly(imports or {}).part(read_definitions(data, file))
        for one in _parts(part):
            refuse_circles(one)
        return DmnModel(part)
    except RecursionError:
        raise DocumentError(f"{file} is nested too deep.", do="Give the inner parts names of their own.") from None
