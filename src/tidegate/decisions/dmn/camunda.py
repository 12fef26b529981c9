"""Models as Camunda Modeler saves them: read as its engine means them, where the standard would make a name null.

Its engine sees every variable that it is given in every decision, so its models often have no input data at all, or
have it for the drawing alone, under another name: here each name that is asked for becomes input data, which the
decision requires. It calls what a required decision gives by the columns of its table, and has types of Java's. A file
of another tool is read by the standard.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tidegate.decisions.dmn import boxed as b
from tidegate.decisions.dmn.elements import Decision, Definitions, Element, InputData, Reference
from tidegate.decisions.dmn.versions import is_feel
from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.refusals import FeelError

_SIGN = "camunda.org/schema"
_NUMBERS = ("integer", "long", "double")
_TYPES = ("string", "number", "boolean", "date", "time", "dateTime")


def is_camundas(attributes: Mapping[str, str]) -> bool:
    """Whether the attributes of a file's root say that Camunda's tools made it."""
    return attributes.get("exporter", "").startswith("Camunda") or _SIGN in attributes.get("namespace", "")


def as_meant(model: Definitions) -> Definitions:
    """The model by the standard."""
    tables = {one.id: one for one in model.elements if isinstance(one, Decision)}
    elements = [_by_decisions(one, tables) if isinstance(one, Decision) else one for one in model.elements]
    return _with_inputs(replace(model, elements=tuple(elements)))


def _by_decisions(decision: Decision, others: Mapping[str, Decision]) -> Decision:
    """With the types of the standard, and inputs that are columns of required decisions' tables read from these."""
    table = decision.logic
    if not isinstance(table, b.Table):
        return decision
    columns: dict[str, str] = {}
    for other in (others[ref.id] for ref in decision.information if ref.id in others):
        if isinstance(other.logic, b.Table):
            outputs = other.logic.outputs
            columns |= {one.name: other.name if len(outputs) == 1 else f"{other.name}.{one.name}" for one in outputs}
    inputs = []
    for one in table.inputs:
        name = one.expression.text.strip()
        text = replace(one.expression, text=columns.get(name, one.expression.text))
        inputs.append(replace(one, label=one.label or name, expression=text, type_ref=_type(one.type_ref)))
    outputs = tuple(replace(one, type_ref=_type(one.type_ref)) for one in table.outputs)
    kind = _type(decision.type_ref)
    return replace(decision, type_ref=kind, logic=replace(table, inputs=tuple(inputs), outputs=outputs))


def _type(name: str) -> str:
    return "number" if name in _NUMBERS else name


def _with_inputs(model: Definitions) -> Definitions:
    """The model with input data for each name that its decisions ask for and nothing in it has.

    A name that input data, a decision or a column of a decision's output has is left as it is: whoever asks for it
    lacks a requirement, and is told so.
    """
    named = {one.id: one.name for one in model.elements}
    made_of = {name for one in model.elements for name in _made_by(one)}
    inputs: dict[str, InputData] = {one.name: one for one in model.elements if isinstance(one, InputData)}
    elements: list[Element] = []
    own: dict[str, InputData] = {}
    for one in model.elements:
        if not isinstance(one, Decision):
            elements.append(one)
            continue
        known = {named.get(ref.id, ""): None for ref in (*one.information, *one.knowledge)}
        asked: dict[str, Reference] = {}
        for name, kind, line in _asked(one, known):
            if name in made_of:
                continue
            found = inputs.get(name) or own.get(name)
            if found is None:
                own[name] = found = InputData(_free(name, named), name, kind, line)
            elif name in own and found.type_ref != kind:
                own[name] = found = replace(found, type_ref="")
            asked.setdefault(name, Reference("", found.id, line))
        elements.append(replace(one, information=(*one.information, *asked.values())))
    return replace(model, elements=(*own.values(), *elements))


def _made_by(element: Element) -> Iterator[str]:
    """What the result of a decision is called: by its own name, and by the columns of its table."""
    if isinstance(element, InputData):
        return
    yield element.name
    if isinstance(element, Decision) and isinstance(element.logic, b.Table):
        yield from (one.name for one in element.logic.outputs if one.name)


def _asked(decision: Decision, known: Mapping[str, None]) -> Iterator[tuple[str, str, int]]:
    """Names that a decision asks for and does not require, each with its type, if it stands alone, and line."""
    if isinstance(decision.logic, b.Table):
        texts = [(one.expression, one.type_ref) for one in decision.logic.inputs]
    elif isinstance(decision.logic, b.Literal):
        texts = [(decision.logic.text, "")]
    else:
        return
    for text, kind in texts:
        if not is_feel(text.language):
            continue
        try:
            unknown = parse(text.text, known).unknown
        except FeelError:
            continue  # told with its place when the model is made ready
        for one in unknown:
            yield one.name, kind if one.name == text.text.strip() and kind in _TYPES else "", text.line


def _free(name: str, taken: Mapping[str, str]) -> str:
    """An id that no element has."""
    made = f"input {name}"
    while made in taken:
        made += "'"
    return made
