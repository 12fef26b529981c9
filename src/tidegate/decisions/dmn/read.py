"""A model file from XML: its version, types, imports and elements. Nothing is resolved yet."""

from tidegate.decisions.dmn import versions
from tidegate.decisions.dmn.boxed import Parameter
from tidegate.decisions.dmn.camunda import as_meant, is_camundas
from tidegate.decisions.dmn.elements import (
    Decision,
    Definitions,
    Import,
    InputData,
    Item,
    Knowledge,
    Reference,
    Service,
)
from tidegate.decisions.dmn.read_boxed import DEEPEST, BoxedReader, name_in, tests_below, too_deep
from tidegate.documents import xml
from tidegate.documents.xml import child, children, line_of, name_of
from tidegate.errors import DocumentError

CELLS = 2_000_000
"""The most cells that all decision tables of a file may have."""


def read_definitions(data: bytes, file: str) -> Definitions:
    """What a model file says.

    Args:
        data: the file's bytes.
        file: what it is called in messages.

    Raises:
        DocumentError: it is no XML, no DMN, of a version that is not read, or too large; with the line.
    """
    root = xml.read(data, file)
    version = _version(root, file)
    _count_cells(root, file)
    imports = tuple(
        Import(
            name_in(one),
            one.get("namespace", ""),
            one.get("locationURI", ""),
            one.get("importType", ""),
            line_of(one),
        )
        for one in children(root, "import")
    )
    namespace = root.get("namespace", "")
    reader = BoxedReader(file, {one.namespace: one.name for one in imports if one.namespace != namespace})
    elements = []
    for one in children(root):
        make = _ELEMENTS.get(name_of(one))
        if make is not None:
            elements.append(make(reader, one))
    model = Definitions(
        file,
        name_in(root),
        namespace,
        version,
        tuple(_item(reader, one) for one in children(root, "itemDefinition")),
        imports,
        tuple(elements),
        frozenset(
            one.get("id", "")
            for one in children(root)
            if name_of(one) in ("knowledgeSource", "textAnnotation", "group")
        ),
    )
    said = {name: root.get(name, "") for name in ("exporter", "namespace")}
    return as_meant(model) if is_camundas(said) else model


def _version(root: xml.Element, file: str) -> str:
    """The version, by the root's name and namespace."""
    namespace = xml.namespace_of(root)
    version = versions.version_of(namespace)
    if name_of(root) == "definitions" and version is not None:
        return version
    if namespace in versions.OTHERS:
        raise DocumentError(
            f"{file} is DMN {versions.OTHERS[namespace]}, which is not read.",
            seen=namespace,
            do="Save it as DMN 1.1 to 1.5, which most modelling tools can.",
            line=line_of(root),
        )
    if "DMN" in namespace.upper() and name_of(root) == "definitions":
        raise DocumentError(
            f"{file} is of a version of DMN that is not known.",
            seen=namespace,
            do=f"These are read: {', '.join(versions.MODEL.values())}.",
            line=line_of(root),
        )
    raise DocumentError(
        f"{file} is no DMN model.",
        seen=f"<{name_of(root)}>" + (f" of {namespace}" if namespace else " without a namespace"),
        do="A DMN model begins with <definitions> of a DMN namespace.",
        line=line_of(root),
    )


def _count_cells(root: xml.Element, file: str) -> None:
    """Refuse tables that could be read only in unbounded time."""
    for cells, one in enumerate(root.iter("{*}inputEntry", "{*}outputEntry"), 1):
        if cells > CELLS:
            raise DocumentError(
                f"{file} has too many table cells.",
                seen=f"more than {CELLS:,}",
                do="Keep large tables as data, CSV or Excel, and ask them from a decision.",
                line=line_of(one),
            )


def _item(reader: BoxedReader, element: xml.Element, depth: int = 1) -> Item:
    """An item definition, or a component of one."""
    if depth > DEEPEST:
        raise too_deep(reader.file, element)
    kind = child(element, "typeRef")
    function = child(element, "functionItem")
    signature: tuple[tuple[Parameter, ...], str] | None = None
    if function is not None:
        parameters = tuple(reader.parameter(one) for one in children(function, "parameters"))
        signature = (parameters, reader.type_ref(function, function.get("outputTypeRef", "")))
    return Item(
        name_in(element),
        line_of(element),
        "" if kind is None else reader.type_ref(kind, kind.text or ""),
        element.get("isCollection", "").strip() in ("true", "1"),
        tests_below(element, "allowedValues"),
        tests_below(element, "typeConstraint"),
        tuple(_item(reader, one, depth + 1) for one in children(element, "itemComponent")),
        signature,
    )


def _base(reader: BoxedReader, element: xml.Element) -> tuple[str, str, str, int]:
    """What all elements have: id, name, type and line. The name is the element's own, which its variable repeats."""
    variable = child(element, "variable")
    name = name_in(element) or ("" if variable is None else name_in(variable))
    kind = "" if variable is None else reader.type_ref(variable)
    return element.get("id", "") or name, name, kind, line_of(element)


def _reference(element: xml.Element) -> Reference:
    """Where an `href` points: `#id` in the same file, `namespace#id` in another."""
    namespace, hash_, id = element.get("href", "").strip().rpartition("#")
    return Reference(namespace if hash_ else "", id, line_of(element))


def _required(element: xml.Element, requirement: str, *names: str) -> tuple[Reference, ...]:
    """What an element requires, in order."""
    return tuple(_reference(below) for one in children(element, requirement) for below in children(one, *names))


def _input(reader: BoxedReader, element: xml.Element) -> InputData:
    return InputData(*_base(reader, element))


def _decision(reader: BoxedReader, element: xml.Element) -> Decision:
    question = child(element, "question")
    return Decision(
        *_base(reader, element),
        reader.below(element),
        _required(element, "informationRequirement", "requiredDecision", "requiredInput"),
        _required(element, "knowledgeRequirement", "requiredKnowledge"),
        "" if question is None else (question.text or "").strip(),
    )


def _knowledge(reader: BoxedReader, element: xml.Element) -> Knowledge:
    logic = child(element, "encapsulatedLogic")
    return Knowledge(
        *_base(reader, element),
        None if logic is None else reader.definition(logic),
        _required(element, "knowledgeRequirement", "requiredKnowledge"),
    )


def _service(reader: BoxedReader, element: xml.Element) -> Service:
    groups = ("outputDecision", "encapsulatedDecision", "inputDecision", "inputData")
    return Service(
        *_base(reader, element), *(tuple(_reference(one) for one in children(element, group)) for group in groups)
    )


_ELEMENTS = {
    "inputData": _input,
    "decision": _decision,
    "businessKnowledgeModel": _knowledge,
    "decisionService": _service,
}
