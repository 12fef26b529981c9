"""The characters of a FEEL text: white space, comments, symbols, words, numbers and strings (rules 27 to 69)."""

import re
from decimal import Decimal
from typing import NoReturn

from tidegate.expressions.feel import numbers
from tidegate.expressions.feel.refusals import FeelError

LONGEST_TEXT = 1_000_000
"""How many characters a FEEL text may have."""

_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u167F\u1681-\u180D\u180F-\u1FFF\u200C-\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE\uFF00-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"
_SPACE = r"\t\n\v\f\r \u0085\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF"
_SKIPPED = re.compile(rf"(?:[{_SPACE}]+|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(rf"[{_START}][{_PART}]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|([\"'\\nrt]))")
_HALF = re.compile("[\ud800-\udfff]")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}
_PIECE = re.compile(rf"[{_PART}]+|[^{_SPACE}]")
_NAME = re.compile(rf"[{_START}][{_PART}]*(?:(?: ?[./’'+*-] ?| )[{_PART}]+)*")
_ONE_PART = re.compile(rf"[{_PART}]")


def pieces_of(name: str) -> tuple[str, ...]:
    """The words of a name and the single signs between them; how much white space stands between does not matter."""
    return tuple(_PIECE.findall(name))


def half_of_pair(text: str) -> bool:
    """Whether a text holds a surrogate that is half of a pair: a code, and no character."""
    return not text.isascii() and _HALF.search(text) is not None


def is_name(text: str) -> bool:
    """Whether a text can stand as a name where nothing in scope is called so: words, one space or sign between them."""
    return _NAME.fullmatch(text) is not None


def is_part(character: str) -> bool:
    """Whether a character may stand within a name's word."""
    return _ONE_PART.match(character) is not None


class Scanner:
    """A place in a text, and what stands there."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_TEXT:
            raise FeelError(
                f"A FEEL text has at most {LONGEST_TEXT} characters, and this has {len(text)}.", text, 0, 20
            )
        self.text, self.place = text, 0
        self.skip()

    def skip(self) -> None:
        """Go past white space and comments."""
        found = _SKIPPED.match(self.text, self.place)
        if found is not None:
            self.place = found.end()
        if self.text.startswith("/*", self.place):
            self.fail("A comment has no end.", do="Write */ where it ends.")

    def move(self, end: int) -> None:
        """Go to a place, and past the white space behind it."""
        self.place = end
        self.skip()

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.place >= len(self.text)

    def sees(self, symbol: str) -> bool:
        """Whether these signs stand here."""
        return self.text.startswith(symbol, self.place)

    def takes(self, symbol: str) -> bool:
        """Whether these signs stand here; if so they are read."""
        if not self.text.startswith(symbol, self.place):
            return False
        self.move(self.place + len(symbol))
        return True

    def word(self, place: int | None = None) -> str:
        """The word that begins here, or nothing."""
        found = _WORD.match(self.text, self.place if place is None else place)
        return found[0] if found else ""

    def takes_word(self, word: str) -> bool:
        """Whether this word stands here; if so it is read."""
        if self.word() != word:
            return False
        self.move(self.place + len(word))
        return True

    def expect(self, symbol: str, where: str) -> None:
        """Read these signs.

        Raises:
            FeelError: something else stands here.
        """
        if not self.takes(symbol):
            self.unexpected(f"'{symbol}' {where}")

    def expect_word(self, word: str, where: str) -> None:
        """Read this word.

        Raises:
            FeelError: something else stands here.
        """
        if not self.takes_word(word):
            self.unexpected(f"'{word}' {where}")

    def number(self) -> Decimal | None:
        """The number that begins here, read; None where there is none."""
        found = _NUMBER.match(self.text, self.place)
        if found is None:
            return None
        value = numbers.number(found[0])
        if value is None:
            self.fail("This number is larger than numbers are.", end=found.end(), do="They end at 10**6145.")
        self.move(found.end())
        return value

    def string(self) -> str:
        """The string that begins here, read.

        Raises:
            FeelError: it has no end, or holds half of a surrogate pair.
        """
        found = _STRING.match(self.text, self.place)
        if found is None:
            self.fail("A string has no end.", do='Write " where it ends, and \\" for a quote within it.')
        read = unescaped(found[1])
        if half_of_pair(read):
            self.fail(
                "A string holds half of a surrogate pair, which no text has.",
                end=found.end(),
                do="Write both halves, as in \\uD83D\\uDC0E, or the code point, as in \\U01F40E.",
            )
        self.move(found.end())
        return read

    def unexpected(self, wanted: str, do: str = "") -> NoReturn:
        """Say that something else is expected here."""
        end = self.place + max(len(self.word()), 1)
        seen = "the text ends" if self.at_end else "something else stands"
        raise FeelError(f"{wanted[0].upper()}{wanted[1:]} is expected where {seen}.", self.text, self.place, end, do=do)

    def fail(self, wrong: str, *, start: int | None = None, end: int | None = None, do: str = "") -> NoReturn:
        """Say what is wrong here."""
        start = self.place if start is None else start
        raise FeelError(wrong, self.text, start, start + 1 if end is None else end, do=do)


def unescaped(text: str) -> str:
    """A string without its escapes: \\n, \\", \\u and four digits, \\U and six. Any other backslash is itself."""
    if "\\" not in text:
        return text

    def plain(found: re.Match[str]) -> str:
        four, six, sign = found.groups()
        if sign:
            return _PLAIN.get(sign, sign)
        code = int(four or six, 16)
        return chr(code) if code < 0x110000 else found[0]

    text = _ESCAPE.sub(plain, text)
    # Two escapes of UTF-16 surrogates are one code point.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
