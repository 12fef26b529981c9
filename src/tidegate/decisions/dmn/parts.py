"""A model and the models it imports, put together: who is meant by a reference, and which names are visible where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tidegate.decisions.dmn.elements import (
    Decision,
    Definitions,
    Element,
    Import,
    InputData,
    Knowledge,
    Reference,
    Service,
)
from tidegate.decisions.dmn.findings import Findings
from tidegate.decisions.dmn.item_types import ItemTypes
from tidegate.decisions.dmn.pmml import AbsentError, PmmlFiles, is_pmml
from tidegate.decisions.dmn.read import read_definitions
from tidegate.decisions.dmn.run import Site
from tidegate.errors import DocumentError

MOST_MODELS = 200
KINDS = {
    InputData: "input data",
    Decision: "decision",
    Knowledge: "business knowledge model",
    Service: "decision service",
}


@dataclass(eq=False)
class Part:
    """One model file among those that belong together.

    Args:
        definitions: what the file says.
        imports: the parts it imports, by the name of the import.
        types: the types that its expressions may name.
        findings: what is wrong in it.
        pmml: the PMML models that its functions may be.
        elements: its elements by id.
    """

    definitions: Definitions
    imports: "dict[str, Part]"
    types: ItemTypes
    findings: Findings
    pmml: PmmlFiles
    elements: dict[str, Element] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names: dict[str, Element] = {}
        for one in self.definitions.elements:
            if one.id in self.elements:
                self.findings.error(one.line, self.said(one), f'another element has the id "{one.id}".')
            if not one.name:
                self.findings.error(one.line, self.said(one), "it has no name.")
            elif one.name in names:
                self.findings.error(one.line, self.said(one), f"{self.said(names[one.name])} has the same name.")
            elif one.name in self.imports:
                self.findings.warning(one.line, self.said(one), "an import has the same name, and hides it beside it.")
            self.elements.setdefault(one.id, one)
            names.setdefault(one.name, one)

    @staticmethod
    def said(element: Element) -> str:
        """An element in words: `decision "Routing"`."""
        return f'{KINDS[type(element)]} "{element.name}"'

    def site(self, element: Element) -> Site:
        """Where an element stands."""
        return Site(self.definitions.file, element.line, self.said(element))

    def find(self, reference: Reference) -> "Found | None":
        """The element that is meant, if there is one."""
        if reference.namespace in ("", self.definitions.namespace):
            own = self.elements.get(reference.id)
            if own is not None:
                return Found(None, self, own)
            if "" not in self.imports or reference.namespace:
                return None
            merged = self.imports[""].elements.get(reference.id)  # an import without a name may be meant without one
            return None if merged is None else Found(None, self.imports[""], merged)
        for name, part in self.imports.items():
            if part.definitions.namespace == reference.namespace:
                element = part.elements.get(reference.id)
                return None if element is None else Found(name or None, part, element)
        return None

    def required(self, element: Element) -> "Iterator[Found]":
        """What an element requires, as far as it is there."""
        for reference in _references(element):
            found = self.find(reference)
            if found is not None:
                yield found

    def check(self) -> None:
        """Note references to what is not there, or of another kind than is required."""
        for element in self.definitions.elements:
            for reference in _references(element):
                self._check(element, reference)

    def _check(self, element: Element, reference: Reference) -> None:
        place, found = self.said(element), self.find(reference)
        shown = f"{reference.namespace}#{reference.id}"
        if found is None:
            if reference.namespace == "" and reference.id in self.definitions.other:
                return
            self.findings.error(
                reference.line,
                place,
                f'it refers to "{shown}", which is not there.',
                "Remove the reference, or add the element." if reference.namespace == "" else "Import its model.",
            )
            return
        wanted = _wanted(element, reference)
        if not isinstance(found.element, wanted):
            self.findings.error(reference.line, place, f"it cannot refer to {self.said(found.element)} in this way.")


@dataclass(frozen=True, slots=True)
class Found:
    """An element that was referred to: under which import's name, in which part."""

    prefix: str | None
    part: Part
    element: Element

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it among all parts."""
        return self.part.definitions.namespace, self.element.id


def _references(element: Element) -> tuple[Reference, ...]:
    """All that an element refers to."""
    if isinstance(element, Decision):
        return (*element.information, *element.knowledge)
    if isinstance(element, Knowledge):
        return element.knowledge
    if isinstance(element, Service):
        return (*element.outputs, *element.encapsulated, *element.given_decisions, *element.given_inputs)
    return ()


def _wanted(element: Element, reference: Reference) -> tuple[type[Element], ...]:
    """The kinds of element that a reference may point to."""
    if isinstance(element, Decision):
        return (Decision, InputData) if reference in element.information else (Knowledge, Service)
    if isinstance(element, Service):
        return (InputData,) if reference in element.given_inputs else (Decision,)
    return (Knowledge, Service)


class Assembly:
    """Reads a model and what it imports.

    Args:
        files: the files that may be imported, by name. Each is read only if an import asks for it.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.pmml = PmmlFiles(files)
        self.parts: dict[str, Part] = {}
        self._read: dict[str, Definitions | DocumentError] = {}

    def part(self, definitions: Definitions, way: tuple[str, ...] = ()) -> Part:
        """A model with its imports.

        Raises:
            DocumentError: models import each other in a circle, or an imported model cannot be read.
        """
        namespace = definitions.namespace
        if namespace in self.parts:
            return self.parts[namespace]
        way = (*way, namespace)
        findings = Findings(definitions.file)
        self.pmml.know(definitions)
        imports: dict[str, Part] = {}
        for one in definitions.imports:
            imported = self._imported(one, definitions, findings, way)
            if imported is not None:
                if one.name in imports:
                    findings.error(one.line, f'import "{one.name}"', "another import has this name.")
                imports[one.name] = self.part(imported, way)
        types = ItemTypes(definitions, {name: part.types for name, part in imports.items()}, findings)
        self.parts[namespace] = Part(definitions, imports, types, findings, self.pmml)
        return self.parts[namespace]

    def _imported(
        self, wanted: Import, into: Definitions, findings: Findings, way: tuple[str, ...]
    ) -> Definitions | None:
        """The model that an import asks for."""
        place = f'import "{wanted.name}"'
        if is_pmml(wanted.kind):
            try:
                self.pmml.file(wanted.location)
            except AbsentError as absent:
                findings.error(wanted.line, place, f"{absent}.")
            return None
        if wanted.kind and "DMN" not in wanted.kind.upper():
            findings.error(wanted.line, place, f"only DMN and PMML models are imported, not {wanted.kind}.")
            return None
        if wanted.namespace in way:
            raise DocumentError(
                f"{into.file} imports models that import it.",
                seen=" → ".join([*way[way.index(wanted.namespace) :], wanted.namespace]),
                do="Move what both need into a model of its own.",
                line=wanted.line,
            )
        found = self._of_namespace(wanted, into.file)
        if found is None:
            known = ", ".join(sorted(self.files)[:10])
            findings.error(
                wanted.line,
                place,
                f"no model of the namespace {wanted.namespace} was given.",
                f"Put its file beside the model. Looked at: {known}." if known else "Put its file beside the model.",
            )
        return found

    def _of_namespace(self, wanted: Import, into: str) -> Definitions | None:
        """The file of a namespace; the one that the import names, if it names one."""
        named = wanted.location.replace("\\", "/").rpartition("/")[2]
        names = [name for name in self.files if not name.lower().endswith(".pmml")]
        names.sort(key=lambda name: (name != named, name))
        found: Definitions | None = None
        for name in names[:MOST_MODELS]:
            definitions = self._definitions(name)
            if isinstance(definitions, DocumentError):
                if name == named:
                    raise definitions
                continue
            if definitions.namespace != wanted.namespace:
                continue
            if name == named:
                return definitions
            if found is not None and self.files[name] != self.files[found.file]:
                raise DocumentError(
                    f"{into} imports a namespace that two files have.",
                    seen=f"{found.file} and {name}: {wanted.namespace}",
                    do="Keep one of them, or name it in the import's locationURI.",
                    line=wanted.line,
                )
            found = found or definitions
        return found

    def _definitions(self, name: str) -> Definitions | DocumentError:
        if name not in self._read:
            try:
                self._read[name] = read_definitions(self.files[name], name)
            except DocumentError as error:
                self._read[name] = error
        return self._read[name]
