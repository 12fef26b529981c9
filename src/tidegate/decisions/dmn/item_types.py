"""Item definitions as FEEL types: named, with components, constraints, collections and functions."""

import difflib
from collections.abc import Callable, Iterator, Mapping

from tidegate.decisions.dmn import kinds
from tidegate.decisions.dmn.boxed import Text
from tidegate.decisions.dmn.elements import Definitions, Item
from tidegate.decisions.dmn.findings import Findings
from tidegate.decisions.dmn.kinds import Again, Check, Each, Entries, Kind, Passes, both
from tidegate.decisions.dmn.read_boxed import DEEPEST
from tidegate.errors import DocumentError
from tidegate.expressions.feel import types
from tidegate.expressions.feel.expression import parse_tests
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.types import ContextType, FunctionType, ListType, Type

_INSIDE = ""  # marks, on the way down, that what follows is inside a component: a type may be met again there


class ItemTypes(Mapping[str, Type]):
    """The types that a model's expressions may name: its own, and those of its imports under their prefix.

    As a mapping it gives FEEL's types, for expressions; `kind` gives what a variable may hold.

    Args:
        definitions: the model.
        imported: the types of each import, by the import's name.
        findings: where mistakes are noted.
    """

    def __init__(self, definitions: Definitions, imported: "Mapping[str, ItemTypes]", findings: Findings) -> None:
        self._items: dict[str, Item] = {}
        self._imported, self._findings = imported, findings
        self._kinds: dict[str, Kind] = {}
        self._way: list[str] = []
        for item in definitions.items:
            if not item.name:
                findings.error(item.line, "item definition", "it has no name.")
            elif item.name in self._items:
                findings.error(item.line, _said(item), "another type has this name.")
            else:
                self._items[item.name] = item
        for name in self._items:
            self.kind(name)

    def __getitem__(self, name: str) -> Type:
        found = self.kind(name)
        if found is None:
            raise KeyError(name)
        return found.type

    def __iter__(self) -> Iterator[str]:
        yield from self._items
        for prefix, known in self._imported.items():
            yield from (f"{prefix}.{name}" if prefix else name for name in known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def kind(self, name: str) -> Kind | None:
        """What a variable of the type of this name may hold; nothing if there is no such type."""
        if name not in self._kinds:
            found = self._find(name)
            if found is None or name in self._way:  # met again inside itself: a stand-in, not to be kept
                return found
            self._kinds[name] = found
        return self._kinds[name]

    def of(self, name: str, line: int, place: str) -> Kind:
        """What a declared variable may hold. Nothing declared, or nothing that is known, is any value."""
        if not name:
            return kinds.ANY
        found = self.kind(name)
        if found is None:
            known = [*self, "number", "string", "boolean", "date", "time", "date and time"]
            near = difflib.get_close_matches(name, known, 1)
            advice = f'Did you mean "{near[0]}"?' if near else "Define it, or import the model that does."
            self._findings.error(line, place, f'there is no type "{name}".', advice)
            return kinds.ANY
        return found

    def _find(self, name: str) -> Kind | None:
        item = self._items.get(name)
        if item is not None:
            return self._own(item)
        built_in = types.named(name)
        if built_in is not None:
            return Kind(built_in)
        for prefix, known in self._imported.items():
            local = name if not prefix else name.removeprefix(f"{prefix}.") if name.startswith(f"{prefix}.") else ""
            if local and (found := known.kind(local)) is not None:
                return found
        return None

    def _own(self, item: Item) -> Kind:
        """What an item definition of this model describes."""
        if item.name in self._way:
            if _INSIDE in self._way[self._way.index(item.name) :]:
                return Kind(types.ANY, Again(lambda: self._kinds[item.name]))
            built_in = types.named(item.name)
            if built_in is not None:  # a type that is called as the one it is made of, as in number: feel:number
                return Kind(built_in)
            way = " → ".join([*filter(None, self._way), item.name])
            self._findings.error(item.line, _said(item), "it is defined by itself.", f"Seen: {way}.")
            return kinds.ANY
        if len(self._way) > DEEPEST:
            raise DocumentError(
                f"{self._findings.file} has types that are nested too deep.",
                seen=_said(item),
                do=f"At most {DEEPEST} levels are read.",
                line=item.line,
            )
        self._way.append(item.name)
        try:
            return self._made(item, _said(item))
        finally:
            self._way.pop()

    def _made(self, item: Item, place: str) -> Kind:
        """What an item definition, or a component, describes."""
        if item.function is not None:
            made = self._within(lambda: self._function(item, place))
        elif item.components:
            made = self._within(lambda: self._context(item, place))
        else:
            made = self.of(item.type_ref, item.line, place)
        check = both(made.check, self._passes(item.allowed, place))
        if item.collection:
            made, check = Kind(ListType(made.type)), None if check is None else Each(check)
        return Kind(made.type, both(check, self._passes(item.constraint, place)))

    def _within(self, make: Callable[[], Kind]) -> Kind:
        self._way.append(_INSIDE)
        try:
            return make()
        finally:
            self._way.pop()

    def _context(self, item: Item, place: str) -> Kind:
        if item.type_ref:
            self._findings.error(item.line, place, "it has both a type and components.", "Keep one of them.")
        made: dict[str, Kind] = {}
        for one in item.components:
            if one.name in made:
                self._findings.error(one.line, place, f'it has two components "{one.name}".')
            made[one.name] = self._made(one, f'{place}, component "{one.name}"')
        checks = {name: kind.check for name, kind in made.items() if kind.check is not None}
        return Kind(ContextType({name: kind.type for name, kind in made.items()}), Entries(checks) if checks else None)

    def _function(self, item: Item, place: str) -> Kind:
        parameters, result = item.function or ((), "")
        made = tuple(self.of(one.type_ref, one.line, f'{place}, parameter "{one.name}"') for one in parameters)
        return Kind(FunctionType(tuple(one.type for one in made), self.of(result, item.line, place).type))

    def _passes(self, tests: Text | None, place: str) -> Check | None:
        """The tests that values must pass, if there are any."""
        if tests is None:
            return None
        try:
            return Passes(parse_tests(tests.text), " ".join(tests.text.split()))
        except FeelError as error:
            self._findings.error(tests.line, place, f"its allowed values cannot be read: {error}")
            return None


def _said(item: Item) -> str:
    return f'item definition "{item.name}"'
