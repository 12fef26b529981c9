"""Reads regular expressions as Perl and PCRE have them, as far as they are regular (pcre2pattern).

So there is no look-around, no back-reference, no atomic group and no recursion: none of these can be matched in time
that is bounded by the pattern's length times the text's, and each is refused by its name. `\\d`, `\\w`, `\\s` and
`\\b` are of ASCII, as they are by default in PCRE and in Java.
"""

from tidegate.expressions.feel.regex.characters import Characters, Test, property_test
from tidegate.expressions.feel.regex.syntax import (
    Anchor,
    Group,
    Part,
    PatternReader,
    Sequence,
    ends,
    ends_line,
    starts,
    starts_line,
)

__all__ = ["PerlReader"]

_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _UPPER + _UPPER.lower()
_PRINTED = "".join(map(chr, range(33, 127)))
_SPACES = " \t\n\v\f\r"
_VERTICAL = "\n\v\f\r\x85\u2028\u2029"
_CLASSES = {"d": _DIGITS, "w": _LETTERS + _DIGITS + "_", "s": _SPACES, "h": " \t\xa0", "v": _VERTICAL}
_NAMED = {
    "alnum": _LETTERS + _DIGITS, "alpha": _LETTERS, "blank": " \t", "cntrl": "".join(map(chr, range(32))) + "\x7f",
    "digit": _DIGITS, "graph": _PRINTED, "lower": _UPPER.lower(), "print": " " + _PRINTED,
    "punct": "".join(sign for sign in _PRINTED if not sign.isalnum()), "space": _SPACES, "upper": _UPPER,
    "word": _CLASSES["w"], "xdigit": _DIGITS + "abcdefABCDEF",
}  # fmt: skip
_SINGLE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "e": "\x1b", "a": "\a"}
_UNKNOWN = {
    "?=": "a look-ahead", "?!": "a look-ahead", "?<=": "a look-behind", "?<!": "a look-behind", "?>": "an atomic group",
    "?|": "a group that numbers anew", "?#": "a comment", "?(": "a condition", "?&": "a call of a group",
    "?P=": "a back-reference", "?P>": "a call of a group", "?R": "a call of the pattern", "*": "a verb",
}  # fmt: skip


def _ends_almost(text: str, place: int) -> bool:
    return place == len(text) or (place == len(text) - 1 and text[place] == "\n")


def _at_word(text: str, place: int) -> bool:
    before = place > 0 and text[place - 1] in _CLASSES["w"]
    return before is not (place < len(text) and text[place] in _CLASSES["w"])


def _within_word(text: str, place: int) -> bool:
    return not _at_word(text, place)


_ANCHORS = {"b": _at_word, "B": _within_word, "A": starts, "z": ends, "Z": _ends_almost}


class PerlReader(PatternReader):
    """Reads one pattern. Flags i, m and s, and i, m and s alone, can be set within it: `(?i)`, `(?i:...)`, `(?-i)`."""

    no_range = ("]", "")

    def __init__(self, pattern: str) -> None:
        super().__init__(_unquoted(pattern), "")

    def _repeated(self, part: Part) -> Part:
        if self._sees("{") and not self._sees_counts():
            return part  # which stands for itself
        found = super()._repeated(part)
        if found is not part and self._sees("+"):
            self._fail("a possessive quantifier is not supported")
        return found

    def _sees_counts(self) -> bool:
        """Whether a brace opens a count: one that does not stands for itself."""
        inner, closed, _ = self.text[self.at + 1 : self.at + 30].partition("}")
        first, _, last = inner.partition(",")
        if closed and not first and last.isdecimal():
            self._fail("{,5} means different things to different engines: write {0,5}")
        return bool(closed) and all(part.isdecimal() for part in (first, last) if part) and bool(first)

    def _atom(self) -> Part:
        sign = self.text[self.at]
        if sign == ".":
            self.at += 1
            return Characters([] if "s" in self.flags else [(10, 10)], negated=True)
        if sign in "^$":
            self.at += 1
            lines = "m" in self.flags
            return Anchor((starts_line if lines else starts) if sign == "^" else ends_line if lines else _ends_almost)
        if sign in "{}]":
            self.at += 1
            return self._one(sign)
        return super()._atom()

    def _group(self) -> Part:
        for written, what in _UNKNOWN.items():
            if self._sees(written):
                self._fail(f"{what}, ({written}, is not supported")
        kept = self.flags
        if self._sees("?") and not self._sees("?:"):
            if not (self._takes("?<") or self._takes("?P<")):
                return self._flagged()
            end = self.text.find(">", self.at)
            if not self.text[self.at : max(end, self.at)].isidentifier():
                self._fail("a group's name is a word in < and >")
            self.at = end + 1
        found = super()._group()
        self.flags = kept
        return found

    def _flagged(self) -> Part:
        """`(?i)`, which holds to the end of the group that it is in, or `(?i:...)`."""
        self.at += 1
        kept, on = self.flags, True
        while not self._sees(")") and not self._sees(":"):
            sign = self._next()
            if sign == "-" and on:
                on = False
            elif sign in "ims":
                self.flags = self.flags.replace(sign, "") + (sign if on else "")
            else:
                self._fail(f"(?{sign} is not supported")
        if self._takes(")"):
            return Sequence(())
        self.at += 1
        inner = self._choice()
        self.flags = kept
        if not self._takes(")"):
            self._fail("a ')' is missing")
        return Group(None, inner)

    def _escape(self) -> Part:
        sign = self.text[self.at : self.at + 1]
        if sign in _ANCHORS:
            self.at += 1
            return Anchor(_ANCHORS[sign])
        if sign and sign in "123456789gk":
            self._fail(f"a back-reference, \\{sign}, is not supported")
        found = Characters(ignores_case="i" in self.flags)
        character = self._escaped(found)
        return found if character is None else self._one(character)

    def _escaped(self, found: Characters) -> str | None:
        """The character that an escape stands for; None where it stands for a class, which is put into `found`."""
        sign = self._next()
        if sign in _SINGLE:
            return _SINGLE[sign]
        if sign in "xu0":
            return self._code(sign)
        if sign.lower() in _CLASSES:
            found.tests.append(_test_of(_CLASSES[sign.lower()], negated=sign.isupper()))
            return None
        if sign in "pP":
            found.tests.append(self._property(sign))
            return None
        if sign.isascii() and sign.isalnum():
            self._fail(f"\\{sign} is not supported")
        return sign

    def _code(self, sign: str) -> str:
        """The character of a code: \\x41, \\x{1F600}, \\u0041, \\012."""
        begin = self.at
        if sign == "x" and self._takes("{"):
            begin, end = self.at, self.text.find("}", self.at)
            self.at = end + 1
        else:
            end = begin + (4 if sign == "u" else 2)
            if sign == "0":
                end = next((k for k in range(begin, end) if self.text[k : k + 1] not in tuple("01234567")), end)
            self.at = end
        digits = self.text[begin : max(end, begin)]
        allowed = "01234567" if sign == "0" else _NAMED["xdigit"]
        code = int(digits or "0", 8 if sign == "0" else 16) if all(digit in allowed for digit in digits) else -1
        if not 0 <= code <= 0x10FFFF or (sign != "0" and (not digits or len(self.text) < end)):
            self._fail(f"\\{sign} is followed by the code of a character")
        return chr(code)

    def _property(self, sign: str) -> Test:
        name = self._next()
        if name == "{":
            end = self.text.find("}", self.at)
            name = self.text[self.at : max(end, self.at)]
            self.at = max(end, self.at) + 1
        negated = name.startswith("^")
        test = None if name[negated:].startswith("Is") else property_test(name[negated:], (sign == "P") is not negated)
        if test is None:
            self._fail(f"the property {name!r} is not supported: general categories such as L, Lu and Nd are")
        return test

    def _set(self) -> Characters:
        """What stands in square brackets, the first of which is read; a `]` that comes first stands for itself."""
        found = Characters(negated=self._takes("^"), ignores_case="i" in self.flags)
        first = True
        while first or not self._takes("]"):
            self._member(found)
            first = False
        return found

    def _set_character(self, found: Characters) -> str | None:
        sign = self._next()
        if sign == "[" and self.text[self.at : self.at + 1] in (":", ".", "="):
            return self._named(found)
        if sign != "\\":
            return sign
        if self._takes("b"):
            return "\b"
        return self._escaped(found)

    def _named(self, found: Characters) -> str | None:
        """`[:alpha:]`, whose first bracket is read; a bracket that opens no such class stands for itself."""
        mark = self.text[self.at]
        inner, closed, _ = self.text[self.at + 1 :].partition(mark + "]")
        name = inner.removeprefix("^")
        if not closed or not name.isalpha():
            return "["
        if mark != ":" or name not in _NAMED:
            self._fail(f"[{mark}{inner}{mark}] is not supported")
        self.at += len(inner) + 3
        found.tests.append(_test_of(_NAMED[name], negated=inner != name))
        return None


def _test_of(signs: str, *, negated: bool) -> Test:
    taken = frozenset(signs)
    return lambda character: (character in taken) is not negated


def _unquoted(pattern: str) -> str:
    """The pattern with what stands between `\\Q` and `\\E` written with escapes."""
    kept, at = list[str](), 0
    while at < len(pattern):
        if pattern.startswith("\\Q", at):
            quoted, _, _ = pattern[at + 2 :].partition("\\E")
            kept += [sign if sign.isalnum() or sign == "_" else "\\" + sign for sign in quoted]
            at += len(quoted) + 4
        else:
            size = 2 if pattern[at] == "\\" else 1
            kept.append(pattern[at : at + size])
            at += size
    return "".join(kept)
