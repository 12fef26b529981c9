"""TextIndex: how often a term stands in a text, which count and tf-idf vectorizers export.

A text is normalized by tables, cut into words once however many terms are looked up in it, and its runs of words are
counted; a term is then one look-up. Where a term may differ by some letters (`maxLevenshteinDistance`) every place of
the text is compared.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.patterns import Cutter, cutter, exchanger
from tidegate.models.pmml.plain_patterns import LONGEST_LINEAR
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, optional, whole
from tidegate.models.pmml.scope import HostCall, Scope, Value

__all__ = ["text_index"]

_WEIGHTS = ("termFrequency", "binary", "logarithmic")
_HITS = ("allHits", "bestHits")
_SEPARATOR = r"\s+"
_KEPT = 256
"""How many texts are kept cut into words: more than a block of rows, each of which is asked for term after term."""
_MOST_PASSES = 1_000

Words = tuple[str, ...]
Rewrite = Callable[[str], str | None]
"""One step of a normalization; None where the text is too long for it, or grows too long."""


def text_index(element: Element, text: Value, term: Value, scope: Scope, code: Code) -> Value:
    """A TextIndex of a text and a term, both given as texts."""
    indexes = scope.document.indexes
    index = indexes.get(element)
    if index is None:
        index = indexes[element] = _Index(element, scope)
    said = scope.document.constant_text(term)
    function = index.of(said) if said is not None else index.of_any
    fault = scope.builder.fault("a text too long to be indexed", element)
    given = [text] if said is not None else [text, term]
    return scope.document.call(code, function, given, "double" if index.logarithmic else "integer", fault)


class _Index:
    """What one TextIndex says of texts."""

    def __init__(self, element: Element, scope: Scope) -> None:
        weights = choice(element, "localTermWeights", _WEIGHTS, "termFrequency")
        self.logarithmic, self._binary = weights == "logarithmic", weights == "binary"
        self._cased = flag(element, "isCaseSensitive", False)
        self._distance = whole(element, "maxLevenshteinDistance", 0)
        self._best = choice(element, "countHits", _HITS, "allHits") == "bestHits"
        if not flag(element, "tokenize", True):
            raise refuse(element, "A TextIndex that does not cut texts into words is not supported.", seen="tokenize")
        self._cut = _cutter(element, scope)
        self._steps = [_normalization(part, element, scope) for part in children(element, "TextIndexNormalization")]
        self._words = lru_cache(maxsize=_KEPT)(self._cut_up)
        self._runs = lru_cache(maxsize=4 * _KEPT)(self._counted)

    def of(self, term: str) -> HostCall:
        """How a constant term is weighed in a text."""
        words = self._term(term)
        return lambda text: self._weight(text, words)

    def of_any(self, text: str, term: str) -> float | None:
        """How a term that comes with the row is weighed in a text."""
        return self._weight(text, self._term(term))

    def _term(self, term: str) -> Words | None:
        words = self._cut(term)
        return None if words is None else self._folded(words)

    def _weight(self, text: str, term: Words | None) -> float | None:
        runs = None if term is None else self._runs(text, len(term))
        if term is None or runs is None:
            return None
        if not term:
            count = 0
        elif self._distance == 0:
            count = runs.get(term, 0)
        else:
            count = self._near(runs, term)
        if self._binary:
            return float(count > 0)
        return math.log10(1.0 + count) if self.logarithmic else float(count)

    def _near(self, runs: Counter[Words], term: Words) -> int:
        """How many runs of words differ from the term by few enough letters: all of them, or the nearest."""
        by = Counter[int]()
        for run, times in runs.items():
            far, left = 0, self._distance
            for word, wanted in zip(run, term, strict=True):
                steps = _distance(word, wanted, left)
                if steps is None:
                    break
                far, left = far + steps, left - steps
            else:
                by[far] += times
        if not by:
            return 0
        return by[min(by)] if self._best else sum(by.values())

    def _counted(self, text: str, length: int) -> Counter[Words] | None:
        """The runs of so many words in a text, each with how often it is there."""
        words = self._words(text)
        if words is None:
            return None
        return Counter(words[at : at + length] for at in range(len(words) - length + 1)) if length else Counter()

    def _cut_up(self, text: str) -> Words | None:
        normal: str | None = text
        for step in self._steps:
            normal = step(normal) if normal is not None else None
        words = self._cut(normal) if normal is not None else None
        return None if words is None else self._folded(words)

    def _folded(self, words: list[str]) -> Words:
        return tuple(words) if self._cased else tuple(map(_fold, words))


def _cutter(element: Element, scope: Scope) -> Callable[[str], list[str] | None]:
    """What cuts a text into words: by what is a word (`wordRE`), or by what is between words, without the punctuation
    at their ends."""
    pattern = element.get("wordRE")
    if pattern is not None:
        spans = cutter(str(pattern), element, scope)
        return lambda text: _taken(spans, text)
    between = cutter(optional(element, "wordSeparatorCharacterRE", _SEPARATOR), element, scope)
    return lambda text: _split(between, text)


def _taken(spans: Cutter, text: str) -> list[str] | None:
    found = spans(text)
    return None if found is None else [text[start:end] for start, end in found]


def _split(between: Cutter, text: str) -> list[str] | None:
    found = between(text)
    if found is None:
        return None
    ends = [start for start, _ in found] + [len(text)]
    starts = [0] + [end for _, end in found]
    words = (_trimmed(text[start:end]) for start, end in zip(starts, ends, strict=True))
    return [word for word in words if word]


def _trimmed(word: str) -> str:
    start, end = 0, len(word)
    while start < end and unicodedata.category(word[start])[0] == "P":
        start += 1
    while end > start and unicodedata.category(word[end - 1])[0] == "P":
        end -= 1
    return word[start:end]


def _fold(word: str) -> str:
    """A word whose case says nothing, letter by letter, as it takes no letter for two."""
    if word.isascii():
        return word.lower()
    upper = (letter.upper() if len(letter.upper()) == 1 else letter for letter in word)
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in upper)


def _distance(one: str, other: str, most: int) -> int | None:
    """Levenshtein's distance: how many letters are to be put in, left out or changed; None if more than `most`."""
    if abs(len(one) - len(other)) > most:
        return None
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        above, row = row, [place]
        for at, wanted in enumerate(other, start=1):
            row.append(min(above[at] + 1, row[-1] + 1, above[at - 1] + (letter != wanted)))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def _normalization(part: Element, index: Element, scope: Scope) -> Rewrite:
    """A TextIndexNormalization: rows of a table, each of which replaces what it finds, in their order."""
    if whole(part, "maxLevenshteinDistance", 0):
        raise refuse(part, "Only what is the same is replaced in a text.", seen="maxLevenshteinDistance")
    ignore = not flag(part, "isCaseSensitive", flag(index, "isCaseSensitive", False))
    names = [reading.column(optional(part, name, name_)) for name, name_ in _COLUMNS]
    steps = list[Rewrite]()
    for place, row in enumerate(reading.rows(child(part, "InlineTable"), part), start=1):
        found, instead = row.get(names[0]), row.get(names[1])
        if found is None or instead is None:
            raise refuse(part, f"Row {place} lacks the column {names[0 if found is None else 1]!r}.", seen=str([*row]))
        if row.get(names[2], "").lower() == "true":
            steps.append(exchanger(found, instead, part, scope, ignore_case=ignore))
        else:
            steps.append(_literal(found, instead, ignore))
    return _repeated(steps) if flag(part, "recursive", False) else _once(steps)


_COLUMNS = (("inField", "string"), ("outField", "stem"), ("regexField", "regex"))


def _literal(found: str, instead: str, ignore_case: bool) -> Rewrite:
    pattern = re.compile(re.escape(found), re.IGNORECASE if ignore_case else 0)
    return lambda text: _bounded(pattern.sub(lambda match: instead, text))


def _bounded(text: str) -> str | None:
    return text if len(text) <= LONGEST_LINEAR else None


def _once(steps: list[Rewrite]) -> Rewrite:
    def once(text: str) -> str | None:
        now: str | None = text
        for step in steps:
            now = step(now) if now is not None else None
        return now

    return once


def _repeated(steps: list[Rewrite]) -> Rewrite:
    """The steps again and again, until they change nothing; None if they never end."""
    once = _once(steps)

    def repeated(text: str) -> str | None:
        for _ in range(_MOST_PASSES):
            changed = once(text)
            if changed is None or changed == text:
                return changed
            text = changed
        return None

    return repeated
