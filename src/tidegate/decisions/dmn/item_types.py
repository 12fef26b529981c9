"""Item definitions as FEEL types: named, with components, constraints, collections and functions."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.decisions.dmn.boxed import Text
from tidegate.decisions.dmn.elements import Definitions, Item
from tidegate.decisions.dmn.findings import Findings
from tidegate.decisions.dmn.read_boxed import DEEPEST
from tidegate.errors import DocumentError
from tidegate.expressions.feel import types
from tidegate.expressions.feel.expression import parse_tests
from tidegate.expressions.feel.given import Given
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.types import ConstrainedType, ContextType, FunctionType, ListType, Type

_INSIDE = ""  # marks, on the way down, that what follows is inside a component: a type may be met again there


class ItemTypes(Mapping[str, Type]):
    """The types that a model's expressions may name: its own, and those of its imports under their prefix.

    Args:
        definitions: the model.
        imported: the types of each import, by the import's name.
        findings: where mistakes are noted.
    """

    def __init__(self, definitions: Definitions, imported: "Mapping[str, ItemTypes]", findings: Findings) -> None:
        self._items: dict[str, Item] = {}
        self._imported, self._findings = imported, findings
        self._types: dict[str, Type] = {}
        self._way: list[str] = []
        for item in definitions.items:
            if not item.name:
                findings.error(item.line, "item definition", "it has no name.")
            elif item.name in self._items:
                findings.error(item.line, f'item definition "{item.name}"', "another type has this name.")
            else:
                self._items[item.name] = item
        for name in self._items:
            self[name]

    def __getitem__(self, name: str) -> Type:
        found: Type | None = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Any:
        yield from self._items
        for prefix, known in self._imported.items():
            yield from (f"{prefix}.{name}" if prefix else name for name in known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """The type of a name, or the default."""
        if name not in self._types:
            found = self._find(name)
            if found is None:
                return default
            if name in self._way:  # met again inside itself: a stand-in, not to be kept
                return found
            self._types[name] = found
        return self._types[name]

    def of(self, name: str, line: int, place: str) -> Type:
        """The type that a declaration names. Nothing declared, or nothing that is known, is any type."""
        if not name:
            return types.ANY
        found = self.get(name)
        if found is None:
            known = [*self, "number", "string", "boolean", "date", "time", "date and time"]
            near = difflib.get_close_matches(name, known, 1)
            advice = f'Did you mean "{near[0]}"?' if near else "Define it, or import the model that does."
            self._findings.error(line, place, f'there is no type "{name}".', advice)
            return types.ANY
        return found  # type: ignore[no-any-return]

    def _find(self, name: str) -> Type | None:
        item = self._items.get(name)
        if item is not None:
            return self._own(item)
        built_in = types.named(name)
        if built_in is not None:
            return built_in
        for prefix, known in self._imported.items():
            local = name if not prefix else name.removeprefix(f"{prefix}.") if name.startswith(f"{prefix}.") else ""
            if local and local in known:
                return known[local]
        return None

    def _own(self, item: Item) -> Type:
        """The type of an item definition of this model."""
        if item.name in self._way:
            if _INSIDE in self._way[self._way.index(item.name) :]:
                return ConstrainedType(types.ANY, lambda value: types.instance_of(value, self[item.name]))
            self._findings.error(
                item.line,
                f'item definition "{item.name}"',
                "it is defined by itself.",
                f"Seen: {' → '.join([*(name for name in self._way if name), item.name])}.",
            )
            return types.ANY
        if len(self._way) > DEEPEST:
            raise DocumentError(
                f"{self._findings.file} has types that are nested too deep.",
                seen=f'item definition "{item.name}"',
                do=f"At most {DEEPEST} levels are read.",
                line=item.line,
            )
        self._way.append(item.name)
        try:
            return self._made(item, f'item definition "{item.name}"')
        finally:
            self._way.pop()

    def _made(self, item: Item, place: str) -> Type:
        """The type that an item definition, or a component, describes."""
        made: Type
        if item.function is not None:
            made = self._within(lambda: self._function(item, place))
        elif item.components:
            made = self._within(lambda: self._context(item, place))
        else:
            made = self.of(item.type_ref, item.line, place)
        made = self._constrained(made, item.allowed, place)
        if item.collection:
            made = ListType(made)
        return self._constrained(made, item.constraint, place)

    def _within(self, make: Callable[[], Type]) -> Type:
        self._way.append(_INSIDE)
        try:
            return make()
        finally:
            self._way.pop()

    def _context(self, item: Item, place: str) -> Type:
        if item.type_ref:
            self._findings.error(item.line, place, "it has both a type and components.", "Keep one of them.")
        made: dict[str, Type] = {}
        for one in item.components:
            if one.name in made:
                self._findings.error(one.line, place, f'it has two components "{one.name}".')
            made[one.name] = self._made(one, f'{place}, component "{one.name}"')
        return ContextType(made)

    def _function(self, item: Item, place: str) -> Type:
        parameters, result = item.function or ((), "")
        kinds = tuple(self.of(one.type_ref, one.line, f'{place}, parameter "{one.name}"') for one in parameters)
        return FunctionType(kinds, self.of(result, item.line, place))

    def _constrained(self, base: Type, tests: Text | None, place: str) -> Type:
        """The type, and of its values only those that pass the tests."""
        if tests is None:
            return base
        try:
            parsed = parse_tests(tests.text, {}, {})
        except FeelError as error:
            self._findings.error(tests.line, place, f"its allowed values cannot be read: {error}")
            return base
        return ConstrainedType(base, lambda value: parsed.holds(value, {}, Given()) is True)
