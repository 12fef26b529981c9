"""Reads regular expressions as XPath has them (XPath Functions 3.1, 5.6.1, over XML Schema Part 2, appendix F).

There is no look-around in them. A back-reference names a group that is closed before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from tidegate.expressions.feel.regex.characters import CLASSES, Characters, Test, property_test

DEEPEST, MOST_REPEATS = 50, 1000
_SINGLE = {"n": "\n", "r": "\r", "t": "\t"} | {sign: sign for sign in "\\|.?*+(){}-[]^$"}


class PatternError(Exception):
    """A regular expression that is none; its words say why."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """`^`, `$` and their like: what takes nothing, but holds at some places of a text alone."""

    holds: Callable[[str, int], bool]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a group matched, once more."""

    group: int


@dataclass(frozen=True, slots=True)
class Group:
    """A part in brackets; `number` is None where it is not kept."""

    number: int | None
    inner: "Part"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; `most` is None where there is no end, `greedy` whether it takes as much as it can."""

    inner: "Part"
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, the first that leads to a match."""

    options: tuple["Part", ...]


Part: TypeAlias = Anchor | Reference | Group | Repeat | Sequence | Choice | Characters


class PatternReader:
    """Reads one pattern.

    Args:
        pattern: what is written.
        flags: any of `s` (a dot takes line ends too), `m` (`^` and `$` at each line), `i` (case does not matter), `x`
            (white space in the pattern does not count) and `q` (all characters stand for themselves).

    Attributes:
        no_range: what may follow a dash in square brackets so that the dash stands for itself.
    """

    no_range: tuple[str, ...] = ("]", "[", "")

    def __init__(self, pattern: str, flags: str) -> None:
        for flag in flags:
            if flag not in "smixq":
                raise PatternError(f"{flag!r} is no flag: there are s, m, i, x and q")
        self.flags, self.groups, self.at, self.depth = flags, 0, 0, 0
        self.open: set[int] = set()
        self.text = _without_space(pattern) if "x" in flags and "q" not in flags else pattern
        self.references = False

    def read(self) -> Part:
        """The pattern as parts.

        Raises:
            PatternError: it is no regular expression.
        """
        if "q" in self.flags:
            return Sequence(tuple(self._one(character) for character in self.text))
        found = self._choice()
        if self.at < len(self.text):
            self._fail("there is a ')' too many")
        return found

    def _fail(self, why: str) -> NoReturn:
        raise PatternError(f"{why}, at character {self.at + 1} of the pattern")

    def _sees(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def _takes(self, sign: str) -> bool:
        if not self._sees(sign):
            return False
        self.at += len(sign)
        return True

    def _next(self) -> str:
        if self.at >= len(self.text):
            self._fail("something is missing")
        self.at += 1
        return self.text[self.at - 1]

    def _one(self, character: str) -> Characters:
        return Characters([(ord(character), ord(character))], ignores_case="i" in self.flags)

    def _choice(self) -> Part:
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail("brackets are nested too deeply")
        options = [self._sequence()]
        while self._takes("|"):
            options.append(self._sequence())
        self.depth -= 1
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, part: Part) -> Part:
        if self._takes("?"):
            least, most = 0, 1
        elif self._takes("*"):
            least, most = 0, None
        elif self._takes("+"):
            least, most = 1, None
        elif self._takes("{"):
            least, most = self._counts()
        else:
            return part
        return Repeat(part, least, most, not self._takes("?"))

    def _counts(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        first, comma, last = self.text[self.at : max(end, self.at)].partition(",")
        if end < 0 or not _is_count(first) or (last and not _is_count(last)):
            self._fail("{ is followed by how often: {2}, {2,} or {2,5}")
        self.at = end + 1
        least = int(first)
        most = int(last) if last else None if comma else least
        if most is not None and most < least:
            self._fail(f"{{{least},{most}}} is no count")
        if max(least, most or 0) > MOST_REPEATS:
            self._fail(f"no part is repeated more than {MOST_REPEATS} times")
        return least, most

    def _atom(self) -> Part:
        sign = self._next()
        if sign == ".":
            return Characters(negated=True) if "s" in self.flags else Characters([(10, 10), (13, 13)], negated=True)
        if sign in "^$":
            lines = "m" in self.flags
            return Anchor((starts_line if lines else starts) if sign == "^" else ends_line if lines else ends)
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._set()
        if sign == "\\":
            return self._escape()
        if sign in "?*+{}]":
            self.at -= 1
            self._fail(f"{sign!r} has nothing to apply to; {chr(92)}{sign} stands for itself")
        return self._one(sign)

    def _group(self) -> Part:
        if self._takes("?:"):
            number = None
        else:
            self.groups += 1
            number = self.groups
            self.open.add(number)
        inner = self._choice()
        if not self._takes(")"):
            self._fail("a ')' is missing")
        self.open.discard(number or 0)
        return Group(number, inner)

    def _escape(self) -> Part:
        sign = self._next()
        if sign in "123456789":
            return self._reference(sign)
        if sign in _SINGLE:
            return self._one(_SINGLE[sign])
        return Characters(tests=[self._class(sign)])

    def _class(self, sign: str) -> Test:
        if sign in CLASSES:
            return CLASSES[sign]
        if sign in "pP" and self._takes("{"):
            end = self.text.find("}", self.at)
            name = self.text[self.at : max(end, self.at)]
            test = property_test(name, sign == "P")
            if test is None:
                self._fail(f"there is no category or block {name!r}")
            self.at = end + 1
            return test
        return self._fail(f"\\{sign} stands for nothing")

    def _reference(self, digits: str) -> Part:
        while (more := self.text[self.at : self.at + 1]).isdecimal() and int(digits + more) <= self.groups:
            digits += self._next()
        number = int(digits)
        if number > self.groups or number in self.open:
            self._fail(f"\\{number} names no group that is closed before it")
        self.references = True
        return Reference(number)

    def _set(self) -> Characters:
        """What stands in square brackets, the first of which is read."""
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail("brackets are nested too deeply")
        found = Characters(negated=self._takes("^"), ignores_case="i" in self.flags)
        empty = True
        while not self._takes("]"):
            if not empty and self._takes("-["):
                found.minus = self._set()
                if not self._takes("]"):
                    self._fail("a ']' is missing after what is taken away")
                break
            self._member(found)
            empty = False
        if empty:
            self._fail("there is nothing in the square brackets")
        self.depth -= 1
        return found

    def _member(self, found: Characters) -> None:
        first = self._set_character(found)
        if first is None:
            return
        last: str | None = first
        if self._sees("-") and self.text[self.at + 1 : self.at + 2] not in self.no_range:
            begin = self.at
            self.at += 1
            tests = len(found.tests)
            last = self._set_character(found)
            if last is None:
                # `[0-\d]`: the dash stands for itself.
                del found.tests[tests:]
                self.at, last = begin, first
            elif last < first:
                self._fail(f"{first}-{last} is no range")
        found.ranges.append((ord(first), ord(last or first)))

    def _set_character(self, found: Characters) -> str | None:
        """A character of a set; None where it was a class, which is put into the set."""
        sign = self._next()
        if sign == "[":
            self._fail("a '[' in square brackets is written \\[")
        if sign != "\\":
            return sign
        sign = self._next()
        if sign in _SINGLE:
            return _SINGLE[sign]
        found.tests.append(self._class(sign))
        return None


def starts(text: str, place: int) -> bool:
    """Whether a text starts here."""
    return place == 0


def ends(text: str, place: int) -> bool:
    """Whether a text ends here."""
    return place == len(text)


def starts_line(text: str, place: int) -> bool:
    """Whether a text starts here, or a line that is not empty and the last."""
    return place == 0 or (place < len(text) and text[place - 1] == "\n")


def ends_line(text: str, place: int) -> bool:
    """Whether a text or a line ends here."""
    return place == len(text) or text[place] == "\n"


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _without_space(pattern: str) -> str:
    """The pattern without its white space, except in square brackets."""
    kept, depth, escaped = [], 0, False
    for character in pattern:
        if depth == 0 and character in "\t\n\r ":
            continue
        kept.append(character)
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "[":
            depth += 1
        elif character == "]":
            depth = max(0, depth - 1)
    return "".join(kept)
