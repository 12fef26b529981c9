"""Which characters a part of a regular expression takes: sets, categories, blocks (XML Schema Part 2, appendix F)."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from tidegate.expressions.feel.regex.blocks import BLOCKS

Test = Callable[[str], bool]
_LAST_CASED = 0x1E944
"""Past this code point no character has another case."""

_NAME_START = (
    (0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF), (0x370, 0x37D),
    (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF),
)  # fmt: skip
_NAME_PART = (*_NAME_START, (0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))


@lru_cache(maxsize=1)
def _cased() -> dict[str, frozenset[str]]:
    """For each character that has another case, all that are one with it in small letters or in capitals."""
    same: dict[str, set[str]] = {}
    for code in range(_LAST_CASED):
        character = chr(code)
        lower, upper = character.lower(), character.upper()
        if lower != character or upper != character:
            for form in ("l" + lower, "u" + upper):
                same.setdefault(form, set()).add(character)
    variants: dict[str, set[str]] = {}
    for alike in same.values():
        for character in alike:
            variants.setdefault(character, set()).update(alike)
    return {character: frozenset(alike) for character, alike in variants.items() if len(alike) > 1}


def variants(character: str) -> frozenset[str]:
    """The character and those that differ from it in case alone (XPath Functions 3.1, 5.6.2, flag i)."""
    return _cased().get(character) or frozenset((character,))


@dataclass(slots=True)
class Characters:
    """A set of characters.

    Args:
        ranges: code points from first to last.
        tests: what else is in it, such as categories; case does not matter to these.
        negated: whether it is all the others.
        minus: a set that is taken away from it.
        ignores_case: whether a character is in it if one that differs in case alone is.
    """

    ranges: list[tuple[int, int]] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    negated: bool = False
    minus: "Characters | None" = None
    ignores_case: bool = False
    _known: dict[str, bool] = field(default_factory=dict)

    def takes(self, character: str) -> bool:
        """Whether the character is in it."""
        found = self._known.get(character)
        if found is None:
            found = self._taken(character) is not self.negated and not (self.minus and self.minus.takes(character))
            if len(self._known) < 10_000:
                self._known[character] = found
        return found

    def _taken(self, character: str) -> bool:
        alike = variants(character) if self.ignores_case else (character,)
        for each in alike:
            code = ord(each)
            if any(first <= code <= last for first, last in self.ranges):
                return True
        return any(test(character) for test in self.tests)


def _within(ranges: tuple[tuple[int, int], ...]) -> Test:
    return lambda character: any(first <= ord(character) <= last for first, last in ranges)


def _of_category(name: str) -> Test:
    return lambda character: unicodedata.category(character).startswith(name)


def _not(test: Test) -> Test:
    return lambda character: not test(character)


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] not in "PZC"


_CLASSES: dict[str, Test] = {
    "s": lambda character: character in " \t\n\r",
    "d": _of_category("Nd"),
    "w": _is_word,
    "i": _within(_NAME_START),
    "c": _within(_NAME_PART),
}
CLASSES = _CLASSES | {letter.upper(): _not(test) for letter, test in _CLASSES.items()}
"""What `\\s`, `\\d`, `\\w`, `\\i`, `\\c` take, and what their capitals do."""

_CATEGORIES = {
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "C", "Cc", "Cf", "Co", "Cn",
    "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So",
}  # fmt: skip


def property_test(name: str, negated: bool) -> Test | None:
    """What `\\p{name}`, or `\\P{name}`, takes; None where there is no such category or block."""
    if name in _CATEGORIES:
        test = _of_category(name)
    elif name.startswith("Is") and name[2:] in BLOCKS:
        test = _within((BLOCKS[name[2:]],))
    else:
        return None
    return _not(test) if negated else test
