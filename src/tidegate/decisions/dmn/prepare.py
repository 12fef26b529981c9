"""Boxed expressions into what is evaluated: FEEL parsed, names and types resolved, mistakes noted by line."""

import difflib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.decisions.dmn import boxed as b
from tidegate.decisions.dmn import choices, kinds, logic
from tidegate.decisions.dmn.findings import Findings, not_called
from tidegate.decisions.dmn.item_types import ItemTypes
from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.logic import Logic
from tidegate.decisions.dmn.pmml import AbsentError, PmmlFiles, unlike
from tidegate.decisions.dmn.run import Site
from tidegate.decisions.dmn.versions import is_feel
from tidegate.expressions.feel.expression import Expression, UnaryTests, parse, parse_tests
from tidegate.expressions.feel.functions import Parameter
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.types import ANY, ContextType, FunctionType, ListType, Type


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may name: variables with their types, where known, and types."""

    known: Mapping[str, Type | None]
    types: ItemTypes
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Names of the model that are not visible here, each with what it is, to say what is missing."""

    def plus(self, more: Mapping[str, Type | None]) -> "Names":
        """These and more names, which hide those of the same name."""
        return Names({**self.known, **more}, self.types, self.elsewhere)


class Preparer:
    """Makes the boxed expressions of one model ready."""

    def __init__(self, types: ItemTypes, findings: Findings, pmml: PmmlFiles) -> None:
        self.types, self.findings, self.pmml = types, findings, pmml

    def ready(self, boxed: b.Boxed | None, names: Names, site: Site, kind: Kind = kinds.ANY) -> Logic:
        """A boxed expression, to be evaluated with these names in scope; its value goes to a variable of `kind`."""
        if boxed is None:
            return logic.Nothing(site, "it has no expression.")
        if isinstance(boxed, b.Table):
            return self._table(boxed, names, site, kind)
        if isinstance(boxed, b.Context):
            return self._context(boxed, names, site, kind)
        made: Logic = _READY[type(boxed)](self, boxed, names, site)
        return made

    def type_of(self, boxed: b.Boxed | None, declared: Type, names: Names) -> Type | None:
        """The type of what an expression gives, as far as it can be told: what is declared, else what it is made of."""
        if declared is not ANY or boxed is None:
            return declared if declared is not ANY else None
        if boxed.type_ref and (own := self.types.get(boxed.type_ref, ANY)) is not ANY:
            return own
        if isinstance(boxed, b.Context):
            if boxed.entries and not boxed.entries[-1].name:
                return self.type_of(boxed.entries[-1].value, ANY, names)
            return ContextType({one.name: self._entry_type(one, names) or ANY for one in boxed.entries})
        if isinstance(boxed, b.Relation):
            return ListType(ContextType({one.name: self.types.get(one.type_ref, ANY) for one in boxed.columns}))
        if isinstance(boxed, b.Table) and len(boxed.outputs) > 1:
            made = ContextType({one.name: self.types.get(one.type_ref, ANY) for one in boxed.outputs})
            many = boxed.hit_policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER") and not boxed.aggregation
            return ListType(made) if many else made
        if isinstance(boxed, b.Definition):
            return self.signature(boxed)
        return None

    def signature(self, definition: b.Definition) -> FunctionType:
        """The type of a function."""
        return FunctionType(tuple(self.types.get(one.type_ref, ANY) for one in definition.parameters), ANY)

    def _entry_type(self, entry: b.Entry, names: Names) -> Type | None:
        return self.type_of(entry.value, self.types.get(entry.type_ref, ANY), names)

    # FEEL

    def feel(self, text: b.Text, names: Names, site: Site) -> Logic:
        """A FEEL text as an expression."""
        made = self.expression(text, names, site)
        return made if isinstance(made, logic.Nothing) else logic.Feel(site, made)

    def expression(self, text: b.Text, names: Names, site: Site) -> Expression | logic.Nothing:
        """A FEEL text parsed; what cannot be read is noted, and is nothing."""
        if not is_feel(text.language):
            wrong = f"its language is {text.language}, and only FEEL is evaluated."
            self.findings.error(text.line, site.place, wrong, "Write it in FEEL.")
            return logic.Nothing(site, wrong)
        if not text.text.strip():
            self.findings.warning(text.line, site.place, "it is empty, which is null.")
            return logic.Nothing(site, "the expression is empty.")
        try:
            made = parse(text.text, names.known, names.types)
        except FeelError as error:
            self._unreadable(text, site, error)
            return logic.Nothing(site, f"it cannot be read: {error}", text.text)
        self._unknown(made, text, names, site)
        return made

    def tests(self, text: b.Text, names: Names, site: Site) -> UnaryTests | None:
        """A FEEL text parsed as unary tests; nothing if it cannot be read, which is noted."""
        if not is_feel(text.language):
            self.findings.error(text.line, site.place, f"its language is {text.language}, and only FEEL is evaluated.")
            return None
        try:
            made = parse_tests(text.text, names.known, names.types)
        except FeelError as error:
            self._unreadable(text, site, error)
            return None
        self._unknown(made, text, names, site)
        return made

    def _unreadable(self, text: b.Text, site: Site, error: FeelError) -> None:
        self.findings.error(text.line + error.line - 1, site.place, str(error))

    def _unknown(self, made: Any, text: b.Text, names: Names, site: Site) -> None:
        """Note names that nothing in scope has."""
        for one in made.unknown:
            line = text.line + text.text.count("\n", 0, one.start)
            if one.name in names.elsewhere:
                advice = f"It is {names.elsewhere[one.name]} that is not required here: add the requirement."
            else:
                near = difflib.get_close_matches(one.name, list(names.known), 1)
                advice = f'Did you mean "{near[0]}"?' if near else ""
            self.findings.error(line, site.place, not_called(one.name), advice)

    # Each kind of boxed expression.

    def _literal(self, boxed: b.Literal, names: Names, site: Site) -> Logic:
        return self.feel(boxed.text, names, Site(site.file, boxed.text.line, site.place))

    def _context(self, boxed: b.Context, names: Names, site: Site, whole: Kind) -> Logic:
        entries, hides = [], False
        seen: dict[str, Type | None] = {}
        for one in boxed.entries:
            at = site.part(f'entry "{one.name}"' if one.name else "result", one.line)
            if one.name in seen:
                self.findings.error(one.line, at.place, "another entry has this name.")
            kind = self.types.of(one.type_ref, one.line, at.place)
            hides = hides or one.name in names.known
            inner = names.plus({**seen, one.name: None} if self._may_call_itself(one, names, seen) else seen)
            if isinstance(one.value, b.Definition) and one.name and not isinstance(kind.type, FunctionType):
                # As with a business knowledge model, tools put here what the function gives.
                entries.append(logic.Entry(at, one.name, kinds.ANY, self.function(one.value, inner, at, kind)))
                seen[one.name] = FunctionType(self.signature(one.value).parameters, kind.type)
                continue
            entries.append(
                logic.Entry(at, one.name, kind, self.ready(one.value, inner, at, kind if one.name else whole))
            )
            if one.name:
                seen[one.name] = self.type_of(one.value, kind.type, inner)
            elif one is not boxed.entries[-1]:
                self.findings.error(one.line, at.place, "only the last entry can be without a name.")
        return logic.ContextLogic(entries, hides=hides)

    @staticmethod
    def _may_call_itself(entry: b.Entry, names: Names, seen: Mapping[str, Type | None]) -> bool:
        """Whether an entry is a function, which may be recursive."""
        if not entry.name or entry.name in names.known or entry.name in seen:
            return False
        if isinstance(entry.value, b.Definition):
            return True
        return isinstance(entry.value, b.Literal) and entry.value.text.text.lstrip().startswith("function")

    def _items(self, boxed: b.Items, names: Names, site: Site) -> Logic:
        return logic.ItemsLogic(
            [self.ready(one, names, site.part(f"item {n}", one.line)) for n, one in enumerate(boxed.items, 1)]
        )

    def _relation(self, boxed: b.Relation, names: Names, site: Site) -> Logic:
        columns = []
        for column in boxed.columns:
            at = site.part(f'column "{column.name}"', column.line)
            columns.append((column.name, self.types.of(column.type_ref, column.line, at.place), at))
        rows = []
        for number, row in enumerate(boxed.rows, 1):
            at = site.part(f"row {number}", row[0].line if row else boxed.line)
            if len(row) != len(columns):
                self.findings.error(at.line, at.place, f"it has {len(row)} cells for {len(columns)} columns.")
            rows.append([self.ready(cell, names, at) for cell in row])
        return logic.RelationLogic(columns, rows)

    def _conditional(self, boxed: b.Conditional, names: Names, site: Site) -> Logic:
        parts = (("if", boxed.condition), ("then", boxed.then), ("else", boxed.otherwise))
        return choices.ConditionalLogic(site, *(self.ready(one, names, site.part(word)) for word, one in parts))

    def _filter(self, boxed: b.Filter, names: Names, site: Site) -> Logic:
        inner: dict[str, Type | None] = {"item": None}
        listed = self.type_of(boxed.source, ANY, names)
        if isinstance(boxed.source, b.Literal):
            listed = listed or names.known.get(boxed.source.text.text.strip())
        if isinstance(listed, ListType):
            inner["item"] = listed.item
            inner.update(getattr(listed.item, "entries", {}))
        return choices.FilterLogic(
            site,
            self.ready(boxed.source, names, site.part("in")),
            self.ready(boxed.match, names.plus(inner), site.part("match")),
        )

    def _iterator(self, boxed: b.Iterator, names: Names, site: Site) -> Logic:
        if not boxed.variable:
            self.findings.error(boxed.line, site.place, f"<{boxed.kind}> has no iteratorVariable.")
        inner = names.plus({"partial": None, boxed.variable: None})
        source = self._gone_through(boxed.source, names, site.part("in"))
        word = "return" if boxed.kind == "for" else "satisfies"
        body = self.ready(boxed.body, inner, site.part(word))
        each = choices.ForLogic(site, boxed.variable, source, body)
        return each if boxed.kind == "for" else choices.QuantifiedLogic(site, each, every=boxed.kind == "every")

    def _gone_through(self, source: b.Boxed | None, names: Names, site: Site) -> Logic:
        """What an iterator goes through: a list, or as FEEL's own iterators write it, `1..4`."""
        if isinstance(source, b.Literal) and is_feel(source.text.language) and ".." in source.text.text:
            text = source.text.text
            try:
                parse(text, names.known, names.types)
            except FeelError:
                counted = replace(source.text, text=f"for element in {text.strip()} return element")
                with suppress(FeelError):
                    parse(counted.text, names.known, names.types)
                    return self.feel(counted, names, Site(site.file, source.text.line, site.place))
        return self.ready(source, names, site)

    def _invocation(self, boxed: b.Invocation, names: Names, site: Site) -> Logic:
        bindings = []
        for parameter, value in boxed.bindings:
            at = site.part(f'binding "{parameter.name}"', parameter.line)
            bindings.append((parameter.name, self.ready(value, names, at)))
        called, at = self.ready(boxed.called, names, site), Site(site.file, boxed.line, site.place)
        text = boxed.called.text.text if isinstance(boxed.called, b.Literal) else "function"
        return logic.Call(at, called, text.strip(), bindings)

    def _definition(self, boxed: b.Definition, names: Names, site: Site) -> Logic:
        return self.function(boxed, names, site, kinds.ANY)

    def function(
        self, boxed: b.Definition, names: Names, site: Site, result: Kind
    ) -> logic.FunctionLogic | logic.HostLogic:
        """A function definition; what it gives is made to be of the type `result`."""
        parameters: list[tuple[str, Kind, Site]] = []
        for one in boxed.parameters:
            at = site.part(f'parameter "{one.name}"', one.line)
            if any(one.name == other for other, _, _ in parameters):
                self.findings.error(one.line, site.place, f'it has two parameters "{one.name}".')
            parameters.append((one.name, self.types.of(one.type_ref, one.line, at.place), at))
        if boxed.kind == "FEEL":
            inner = names.plus({name: kind.type for name, kind, _ in parameters})
            return logic.FunctionLogic(site, parameters, result, self.ready(boxed.body, inner, site, result))
        if boxed.kind == "PMML":
            self._pmml(boxed, [(name, kind.type) for name, kind, _ in parameters], site)
        elif boxed.kind != "Java":
            self.findings.error(boxed.line, site.place, f"functions of kind {boxed.kind} are not known.")
        else:
            advice = "Those of java.lang that only compute are built in; give others when you run the model."
            self.findings.warning(boxed.line, site.place, f"it calls a function of the host ({boxed.kind}).", advice)
        made = [Parameter(name, kind.type) for name, kind, _ in parameters]
        return logic.HostLogic(site, boxed.kind, made, self.ready(boxed.body, names, site))

    def _pmml(self, boxed: b.Definition, parameters: list[tuple[str, Type]], site: Site) -> None:
        """Read the PMML model that a function is, and note what is wrong with how it is called.

        Raises:
            DocumentError: the document is no PMML that can be read; with its line.
        """
        where = {"document": "", "model": ""}
        if isinstance(boxed.body, b.Context):
            for one in boxed.body.entries:
                if isinstance(one.value, b.Literal) and (text := _constant(one.value.text.text)):
                    where[one.name] = text
        if not where["document"]:
            self.findings.error(
                boxed.line, site.place, "it names no PMML document.",
                'Give it a context of document: "NAME.pmml" and, of several models, model: "NAME".',
            )  # fmt: skip
            return
        try:
            model = self.pmml.model(where["document"], where["model"])
        except AbsentError as absent:
            self.findings.error(
                boxed.line, site.place, f"{absent}.", "Put it there, or give functions when you run the model."
            )
            return
        for wrong in unlike(model, parameters):
            self.findings.error(boxed.line, site.place, wrong)

    def _table(self, boxed: b.Table, names: Names, site: Site, kind: Kind) -> Logic:
        from tidegate.decisions.dmn.prepare_table import prepare_table

        return prepare_table(self, boxed, names, site, kind)


_READY: dict[type, Any] = {
    b.Literal: Preparer._literal,
    b.Definition: Preparer._definition,
    b.Invocation: Preparer._invocation,
    b.Items: Preparer._items,
    b.Relation: Preparer._relation,
    b.Conditional: Preparer._conditional,
    b.Filter: Preparer._filter,
    b.Iterator: Preparer._iterator,
}


def _constant(text: str) -> str:
    """The text that a FEEL text is by itself, or nothing."""
    try:
        found = parse(text).evaluate({})
    except FeelError:
        return ""
    return found if isinstance(found, str) else ""
