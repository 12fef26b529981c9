"""Reads the names of types: `number`, `list<…>`, `context<a: …>`, `function<…>->…`, `range<…>` (DMN 1.5, rule 54)."""

from tidegate.expressions.feel import types
from tidegate.expressions.feel.names import Known, NameReader
from tidegate.expressions.feel.types import Type

_BUILTIN = Known(dict.fromkeys(types.named_all()))


class TypeReader(NameReader):
    """Reads types; those with names of their own are in `types`."""

    nested = 0

    def type(self) -> tuple[Type | None, str]:
        """The type that stands here, read, and how it was written; None where nothing is called so."""
        start = self.place
        found = self._type()
        return found, self.text[start : self.place].strip()

    def _type(self) -> Type | None:
        self.nested += 1
        if self.nested > 40:
            self.fail("This type is nested too deeply.")
        word = self.word()
        begin = self.place
        if word in ("list", "range", "context", "function"):
            self.move(self.place + len(word))
            if self.takes("<"):
                found = self._structured(word)
                self.nested -= 1
                return found
            self.place = begin
        self.nested -= 1
        return self._named()

    def _structured(self, word: str) -> Type | None:
        if word == "context":
            return self._entries()
        if word == "function":
            return self._signature()
        item = self._type()
        self.expect(">", f"after the type within '{word}<'")
        if item is None:
            return None
        return types.ListType(item) if word == "list" else types.RangeType(item)

    def _entries(self) -> Type | None:
        entries: dict[str, Type | None] = {}
        while not self.takes(">"):
            if entries:
                self.expect(",", "between the entries of 'context<', or '>' after them")
            colon = self.text.find(":", self.place)
            name = " ".join(self.text[self.place : colon].split()) if colon > 0 else ""
            if not name or not self.word():
                self.unexpected("the name of an entry, ':' and its type")
            self.move(colon + 1)
            entries[name] = self._type()
        known = {name: type for name, type in entries.items() if type is not None}
        return types.ContextType(known) if len(known) == len(entries) else None

    def _signature(self) -> Type | None:
        parameters: list[Type | None] = []
        while not self.takes(">"):
            if parameters:
                self.expect(",", "between the types of 'function<', or '>' after them")
            parameters.append(self._type())
        self.expect("->", "and the type of the result after 'function<…>'")
        result = self._type()
        if result is None or any(each is None for each in parameters):
            return None
        return types.FunctionType(tuple(each for each in parameters if each is not None), result)

    def _named(self) -> Type | None:
        found = self.known_name([Known(dict.fromkeys(self.types)), _BUILTIN])
        if found is not None:
            self.move(found[1])
            return self.types.get(found[0]) or types.named(found[0])
        start = self.place
        self.loose_name()
        while self.takes("."):
            self.loose_name()
        self.note_unknown(self.text[start : self.place].strip(), start, self.place)
        return None
