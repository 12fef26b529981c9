"""Names in a FEEL text: which are in scope, and the longest that stands at a place (DMN 1.5, 10.3.1.2 to 10.3.1.4)."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from tidegate.expressions.feel.nodes import Shape
from tidegate.expressions.feel.scanner import Scanner, is_part, pieces_of
from tidegate.expressions.feel.types import ContextType, FunctionType, ListType, RangeType, Type

KEYWORDS = {
    "for", "return", "in", "if", "then", "else", "some", "every", "satisfies", "instance", "of", "function", "external",
    "or", "and", "between", "true", "false", "null",
}  # fmt: skip
INFIX = {"in", "and", "or", "between", "instance", "then", "else", "return", "satisfies"}
"""Words that may follow a value, and so end a name that nothing in scope is called."""

_PROPERTIES = ("time offset", "start included", "end included")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that nothing in scope is called, where it stands, and the nearest name that there is, or nothing."""

    name: str
    start: int
    end: int
    nearest: str = ""


def shape_of(type: Type | None) -> Shape | None:
    """What is known of the entries of a type's values. A list's are its elements', a function's its result's."""
    if isinstance(type, ContextType):
        return {name: shape_of(inner) for name, inner in type.entries.items()}
    if isinstance(type, (ListType, RangeType)):
        return shape_of(type.item)
    return shape_of(type.result) if isinstance(type, FunctionType) else None


def merged(shapes: Iterable[Shape | None]) -> Shape | None:
    """What is known of the entries of a value that has one of several shapes."""
    known = [each for each in shapes if each is not None]
    return {name: inner for each in known for name, inner in each.items()} if known else None


class Known:
    """Names by their first word, the longest first."""

    def __init__(self, names: Mapping[str, Shape | None]) -> None:
        self.names = dict(names)
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self._file(name)

    def _file(self, name: str) -> None:
        pieces = pieces_of(name)
        # The key of an entry may be any string; one that begins like no name is found by its path alone.
        if pieces and is_part(pieces[0][0]):
            filed = self._by_first.setdefault(pieces[0], [])
            filed.append((pieces, name))
            filed.sort(key=lambda each: -len(each[0]))

    def add(self, name: str, shape: Shape | None) -> None:
        """Put one more name in."""
        if name not in self.names:
            self._file(name)
        self.names[name] = shape

    def starting(self, first: str) -> list[tuple[tuple[str, ...], str]]:
        """The names whose first word, or sign, is this: the pieces of each, and itself."""
        return self._by_first.get(first, [])


class NameReader(Scanner):
    """Reads names: the longest that is in scope."""

    def __init__(self, text: str, names: Mapping[str, Shape | None], builtin: Known, types: Mapping[str, Type]) -> None:
        super().__init__(text)
        self.frames: list[Known] = [builtin, Known(names)]
        self.types = types
        self.open = 0  # within how many filters whose elements nothing is known of
        self.unknown: list[Unknown] = []
        self._member_names: Known | None = None

    def known_name(self, frames: Iterable[Known]) -> tuple[str, int] | None:
        """The longest name of these frames that stands here, and where it ends."""
        first = self.word() or self.text[self.place : self.place + 1]
        best: tuple[str, int] | None = None
        for frame in frames:
            for pieces, name in frame.starting(first):
                end = self._match(pieces)
                if end is not None and (best is None or end > best[1]):
                    best = name, end
        return best

    def _match(self, pieces: tuple[str, ...]) -> int | None:
        """Where a name ends that stands here, or None where it does not stand here."""
        text, place, was_word = self.text, self.place, False
        for piece in pieces:
            is_word = is_part(piece[0])
            begin = place
            while place < len(text) and (text[place].isspace() or text[place] in "\u200b\u180e\ufeff"):
                place += 1
            if (is_word and was_word and place == begin) or not text.startswith(piece, place):
                return None
            place += len(piece)
            was_word = is_word
        if was_word and place < len(text) and is_part(text[place]):
            return None
        return place

    def scoped_name(self) -> tuple[str, int] | None:
        """The longest name in scope that stands here, and where it ends; a keyword is none, unless it is longer."""
        found = self.known_name(reversed(self.frames))
        if found is None or (found[0] in KEYWORDS and self.word() == found[0]):
            return None
        return found

    def shape_in_scope(self, name: str) -> tuple[bool, Shape | None]:
        """Whether a name is in scope, and what is known of the entries of its value."""
        for frame in reversed(self.frames):
            if name in frame.names:
                return True, frame.names[name]
        return False, None

    def loose_name(self) -> str:
        """The words that stand here up to one that may follow a value: the name of what nothing is known of."""
        words = [self.word()]
        if not words[0]:
            self.unexpected("a name")
        self.move(self.place + len(words[0]))
        while (word := self.word()) and word not in INFIX:
            words.append(word)
            self.move(self.place + len(word))
        return " ".join(words)

    def member_name(self, shape: Shape | None) -> str:
        """The name behind a dot: the longest that the value is known to have, or else the words that stand here."""
        frames = [Known(dict.fromkeys(_PROPERTIES))]
        if shape is not None:
            frames.append(Known(shape))
        found = self.known_name(frames) or self.known_name([self._members()])
        loose = self.place
        if found is not None and (shape is None or found[0] not in shape) and len(pieces_of(found[0])) < 2:
            found = None
        if found is not None:
            self.move(found[1])
            return found[0]
        self.place = loose
        if not self.word():
            self.unexpected("a name after '.'")
        return self.loose_name()

    def _members(self) -> Known:
        """Every name of an entry that any type in scope has."""
        if self._member_names is None:
            shapes = [shape for frame in self.frames for shape in frame.names.values()]
            shapes += [shape_of(type) for type in self.types.values()]
            self._member_names = Known(dict.fromkeys(name for shape in shapes for name in _deep(shape)))
        return self._member_names

    def note_unknown(self, name: str, start: int, end: int) -> None:
        """Remember a name that nothing in scope is called."""
        if not self.open:
            self.unknown.append(Unknown(name, start, end, self.nearest(name)))

    def nearest(self, name: str) -> str:
        """The name in scope that is most like this one, or nothing."""
        known = [each for frame in reversed(self.frames) for each in frame.names]
        found = difflib.get_close_matches(name[:100], known, 1)
        return found[0] if found else ""

    def unexpected(self, wanted: str, do: str = "") -> NoReturn:
        """Say that something else is expected here, and the nearest name where a word stands in the way."""
        if not do and (word := self.word()) and not self.scoped_name() and (near := self.nearest(word)):
            do = f"Is {near!r} meant?" if near != word else ""
        super().unexpected(wanted, do)


def _deep(shape: Shape | None, depth: int = 0) -> Iterator[str]:
    for name, inner in (shape or {}).items():
        yield name
        if depth < 20:
            yield from _deep(inner, depth + 1)
