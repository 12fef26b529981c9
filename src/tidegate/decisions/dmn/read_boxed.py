"""Boxed expressions from XML."""

from tidegate.decisions.dmn.boxed import (
    Boxed,
    Conditional,
    Context,
    Definition,
    Entry,
    Filter,
    Input,
    Invocation,
    Items,
    Iterator,
    Literal,
    Output,
    Parameter,
    Relation,
    Rule,
    Table,
    Text,
)
from tidegate.documents.xml import Element, child, children, line_of, name_of
from tidegate.errors import DocumentError

_HIT_POLICIES = {
    "U": "UNIQUE",
    "A": "ANY",
    "P": "PRIORITY",
    "F": "FIRST",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
    "C": "COLLECT",
}
DEEPEST = 64
"""How deep boxed expressions, and the components of types, may be nested."""
_KINDS = {"F": "FEEL", "J": "Java", "P": "PMML", "FEEL": "FEEL", "JAVA": "Java", "PMML": "PMML"}


class BoxedReader:
    """Reads boxed expressions; `names` are the names of the imports by namespace, for types of other models."""

    def __init__(self, file: str, names: dict[str, str]) -> None:
        self.file, self.names = file, names
        self._depth = 0

    def below(self, element: Element | None) -> Boxed | None:
        """The first boxed expression right below an element."""
        if element is None:
            return None
        for one in children(element):
            if name_of(one) in READERS:
                return self.read(one)
        return None

    def read(self, element: Element) -> Boxed:
        """A boxed expression.

        Raises:
            DocumentError: it is nested deeper than `DEEPEST`.
        """
        self._depth += 1
        if self._depth > DEEPEST:
            raise too_deep(self.file, element)
        try:
            return READERS[name_of(element)](self, element)
        finally:
            self._depth -= 1

    def type_ref(self, element: Element, text: str | None = None) -> str:
        """The name of a declared type as FEEL writes it: `number`, `tLoan`, `imported.tLoan`.

        DMN 1.1 writes qualified names, whose prefix stands for a namespace; later versions write names, and many tools
        the old form still.
        """
        found = " ".join((element.get("typeRef", "") if text is None else text).split())
        prefix, colon, local = found.partition(":")
        if found.startswith("{"):
            prefix, colon, local = "", ":", found.rpartition("}")[2]
        if not colon:
            return found
        namespace = found[1 : found.rfind("}")] if found.startswith("{") else element.nsmap.get(prefix)
        if namespace in self.names:
            name = self.names[namespace]
            return f"{name}.{local}" if name else local
        if namespace is None and prefix not in ("feel", "dmn", ""):
            return found
        return local

    # The readers of each kind of expression.

    def _literal(self, element: Element) -> Literal:
        return Literal(line_of(element), self.type_ref(element), text_below(element))

    def _context(self, element: Element) -> Context:
        entries = []
        for one in children(element, "contextEntry"):
            variable = child(one, "variable")
            name = "" if variable is None else name_in(variable)
            kind = "" if variable is None else self.type_ref(variable)
            entries.append(Entry(name, kind, self.below(one), line_of(one)))
        return Context(line_of(element), self.type_ref(element), tuple(entries))

    def parameter(self, element: Element) -> Parameter:
        """A parameter: its name and type."""
        return Parameter(name_in(element), self.type_ref(element), line_of(element))

    def definition(self, element: Element) -> Definition:
        """A function definition."""
        written = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "kind"), "FEEL")
        parameters = tuple(self.parameter(one) for one in children(element, "formalParameter"))
        kind = _KINDS.get(written.upper(), written)
        return Definition(line_of(element), self.type_ref(element), kind, parameters, self.below(element))

    def _invocation(self, element: Element) -> Invocation:
        bindings: list[tuple[Parameter, Boxed | None]] = []
        for one in children(element, "binding"):
            parameter = child(one, "parameter")
            if parameter is not None:
                bindings.append((self.parameter(parameter), self.below(one)))
        return Invocation(line_of(element), self.type_ref(element), self.below(element), tuple(bindings))

    def _items(self, element: Element) -> Items:
        items = tuple(self.read(one) for one in children(element) if name_of(one) in READERS)
        return Items(line_of(element), self.type_ref(element), items)

    def _relation(self, element: Element) -> Relation:
        columns = tuple(self.parameter(one) for one in children(element, "column"))
        rows = tuple(
            tuple(self.read(one) for one in children(row) if name_of(one) in READERS)
            for row in children(element, "row")
        )
        return Relation(line_of(element), self.type_ref(element), columns, rows)

    def _conditional(self, element: Element) -> Conditional:
        parts = (self.below(child(element, name)) for name in ("if", "then", "else"))
        return Conditional(line_of(element), self.type_ref(element), *parts)

    def _filter(self, element: Element) -> Filter:
        parts = (self.below(child(element, name)) for name in ("in", "match"))
        return Filter(line_of(element), self.type_ref(element), *parts)

    def _iterator(self, element: Element) -> Iterator:
        source = child(element, "in")
        body = child(element, "return" if name_of(element) == "for" else "satisfies")
        return Iterator(
            line_of(element),
            self.type_ref(element),
            name_of(element),
            " ".join(element.get("iteratorVariable", "").split()),
            "" if source is None else self.type_ref(source),
            self.below(source),
            self.below(body),
        )

    def _table(self, element: Element) -> Table:
        hit_policy = " ".join(element.get("hitPolicy", "UNIQUE").upper().split())
        return Table(
            line_of(element),
            self.type_ref(element),
            element.get("outputLabel", ""),
            _HIT_POLICIES.get(hit_policy, hit_policy),
            element.get("aggregation", "").upper(),
            element.get("preferredOrientation", "Rule-as-Row"),
            tuple(self._input(one) for one in children(element, "input")),
            tuple(self._output(one) for one in children(element, "output")),
            tuple(name_in(one) for one in children(element, "annotation")),
            tuple(self._rule(one) for one in children(element, "rule")),
        )

    def _input(self, element: Element) -> Input:
        expression = child(element, "inputExpression")
        return Input(
            element.get("label", ""),
            Text("", line_of(element)) if expression is None else text_below(expression),
            "" if expression is None else self.type_ref(expression),
            tests_below(element, "inputValues"),
            line_of(element),
        )

    def _output(self, element: Element) -> Output:
        default = child(element, "defaultOutputEntry")
        return Output(
            name_in(element),
            element.get("label", ""),
            self.type_ref(element),
            tests_below(element, "outputValues"),
            None if default is None else text_below(default),
            line_of(element),
        )

    def _rule(self, element: Element) -> Rule:
        annotations = [text_below(one).text for one in children(element, "annotationEntry")]
        description = child(element, "description")  # where DMN 1.1 keeps the annotation
        if not annotations and description is not None and (description.text or "").strip():
            annotations = [(description.text or "").strip()]
        return Rule(
            element.get("id", ""),
            tuple(text_below(one) for one in children(element, "inputEntry")),
            tuple(text_below(one) for one in children(element, "outputEntry")),
            tuple(annotations),
            line_of(element),
        )


READERS = {
    "literalExpression": BoxedReader._literal,
    "context": BoxedReader._context,
    "functionDefinition": BoxedReader.definition,
    "invocation": BoxedReader._invocation,
    "list": BoxedReader._items,
    "relation": BoxedReader._relation,
    "conditional": BoxedReader._conditional,
    "filter": BoxedReader._filter,
    "for": BoxedReader._iterator,
    "some": BoxedReader._iterator,
    "every": BoxedReader._iterator,
    "decisionTable": BoxedReader._table,
}


def too_deep(file: str, element: Element) -> DocumentError:
    """The refusal of what is nested too deep."""
    return DocumentError(
        f"{file} is nested too deep.",
        seen=f"a <{name_of(element)}> more than {DEEPEST} levels down",
        do="Give the inner parts names of their own, as decisions, functions or types.",
        line=line_of(element),
    )


def name_in(element: Element) -> str:
    """An element's name, with single spaces."""
    return " ".join(element.get("name", "").split())


def text_below(element: Element) -> Text:
    """The text of an element in its child `text`, with its language."""
    text = child(element, "text")
    language = element.get("expressionLanguage", "")
    if text is None:
        return Text("", line_of(element), language)
    return Text(text.text or "", line_of(text), language)


def tests_below(element: Element, name: str) -> Text | None:
    """The unary tests in a child of that name; nothing where there are none."""
    found = child(element, name)
    if found is None:
        return None
    text = text_below(found)
    return text if text.text.strip() else None
