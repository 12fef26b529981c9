"""Every element of a model made ready to be evaluated, and everything found wrong on the way."""

from collections.abc import Iterator

from tidegate.decisions.dmn import kinds
from tidegate.decisions.dmn.boxed import Definition
from tidegate.decisions.dmn.elements import Decision, Element, InputData, Knowledge, Reference, Service
from tidegate.decisions.dmn.evaluation import Key, Ready
from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.logic import Logic, Nothing
from tidegate.decisions.dmn.parts import KINDS, Found, Part
from tidegate.decisions.dmn.prepare import Names, Preparer
from tidegate.expressions.feel.functions import Parameter
from tidegate.expressions.feel.types import ANY, ContextType, FunctionType, ListType, Type


def make_ready(part: Part) -> dict[Key, Ready]:
    """The elements of a model and of all it imports."""
    made: dict[Key, Ready] = {}
    for one in _all(part, set()):
        one.check()
        reader = _Reader(one)
        for element in one.definitions.elements:
            found = Found(None, one, element)
            made.setdefault(found.key, reader.read(found))
    return made


def _all(part: Part, seen: set[int]) -> Iterator[Part]:
    """A part and those below, each once, those below first."""
    if id(part) in seen:
        return
    seen.add(id(part))
    for one in part.imports.values():
        yield from _all(one, seen)
    yield part


class _Reader:
    """Makes the elements of one part ready."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.preparer = Preparer(part.types, part.findings, part.pmml)

    def read(self, found: Found) -> Ready:
        element = found.element
        site, kind = self.part.site(element), self._kind(element)
        required = tuple(self.part.required(element))
        if isinstance(element, Service):
            return self._service(found, element)
        logic: Logic = Nothing(site, "it was not given.")
        if isinstance(element, Decision):
            logic = self.preparer.ready(element.logic, self._names(element, required), site, kind)
        elif isinstance(element, Knowledge):
            logic = self._function(element, required, kind)
        return Ready(found, site, kind, logic, required)

    def _kind(self, element: Element) -> Kind:
        """What an element's variable may hold; of a function what it gives, however the file puts it."""
        kind = self.part.types.of(element.type_ref, element.line, self.part.said(element))
        if isinstance(element, Knowledge | Service) and isinstance(kind.type, FunctionType):
            return Kind(kind.type.result)
        if isinstance(element, Knowledge) and isinstance(kind.type, ListType):
            return kinds.or_element(kind, kind.type)  # models that run elsewhere name here the list of what it makes
        return kind

    def _function(self, element: Knowledge, required: tuple[Found, ...], kind: Kind) -> Logic:
        site = self.part.site(element)
        if element.logic is None:
            return Nothing(site, "the function has no body.")
        seen = self._names(element, required)
        names = Names({element.name: type_of(self.part, element), **seen.known}, seen.types, seen.elsewhere)
        return self.preparer.function(element.logic, names, site, kind)

    def _service(self, found: Found, element: Service) -> Ready:
        site, kind = self.part.site(element), self._kind(element)
        given = [one for one in map(self.part.find, (*element.given_inputs, *element.given_decisions)) if one]
        parameters = tuple((Parameter(one.element.name, own_type(one.part, one.element)), one.key) for one in given)
        outputs = tuple(one for one in map(self.part.find, element.outputs) if one)
        if not outputs:
            self.part.findings.warning(site.line, site.place, "it has no output decision, so answers nothing.")
        self._check_service(element, {one.key for one in given})
        return Ready(found, site, kind, Nothing(site, "it is a service."), (), parameters, outputs)

    def _check_service(self, element: Service, given: set[Key]) -> None:
        """Note decisions that a service would have to make and does not own, and inputs that it does not take."""
        own = {one.key for one in map(self.part.find, (*element.outputs, *element.encapsulated)) if one}
        said: set[Key] = set()
        for reference in (*element.outputs, *element.encapsulated):
            found = self.part.find(reference)
            for one in found.part.required(found.element) if found else ():
                if one.key in own or one.key in given or one.key in said:
                    continue
                if isinstance(one.element, Decision | InputData):
                    said.add(one.key)
                    self.part.findings.warning(
                        element.line,
                        self.part.said(element),
                        f"it does not take {one.part.said(one.element)}, which it needs.",
                        "Add it to what the service is given"
                        + (" or encapsulates." if isinstance(one.element, Decision) else "; it is null."),
                    )

    def _names(self, element: Element, required: tuple[Found, ...]) -> Names:
        """The names that an element's logic may use."""
        known: dict[str, Type | None] = {}
        imported: dict[str, dict[str, Type]] = {}
        for one in required:
            kind = type_of(one.part, one.element)
            if one.prefix is None:
                known[one.element.name] = kind
            else:
                imported.setdefault(one.prefix, {})[one.element.name] = kind or ANY
        known.update({prefix: ContextType(members) for prefix, members in imported.items()})
        elsewhere = {
            one.name: f"{'' if isinstance(one, InputData) else 'a '}{KINDS[type(one)]}"
            for one in self.part.definitions.elements
            if one.name not in known and one is not element
        }
        return Names(known, self.part.types, elsewhere)


def own_type(part: Part, element: Element) -> Type:
    """The declared type of an element's variable, in its own part."""
    return part.types.get(element.type_ref, ANY)


def type_of(part: Part, element: Element) -> Type | None:
    """The type of what an element's name stands for, as far as it can be told."""
    declared = own_type(part, element)
    preparer = Preparer(part.types, part.findings, part.pmml)
    if isinstance(element, Decision):
        return preparer.type_of(element.logic, declared, Names({}, part.types))
    result = declared.result if isinstance(declared, FunctionType) else declared
    if isinstance(element, Knowledge):
        signature = preparer.signature(element.logic or Definition(0, "", "FEEL", (), None))
        return FunctionType(signature.parameters, result)
    if isinstance(element, Service):
        given = [one for one in map(part.find, (*element.given_inputs, *element.given_decisions)) if one]
        if result is ANY:
            result = _outputs(part, element.outputs) or ANY
        return FunctionType(tuple(own_type(one.part, one.element) for one in given), result)
    return declared if declared is not ANY else None


def _outputs(part: Part, outputs: tuple[Reference, ...]) -> Type | None:
    """The type of what a service answers."""
    found = [one for one in map(part.find, outputs) if one]
    if len(found) == 1:
        return type_of(found[0].part, found[0].element)
    return ContextType({one.element.name: type_of(one.part, one.element) or ANY for one in found})
