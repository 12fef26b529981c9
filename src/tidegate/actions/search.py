"""Searches: what every index of decisions is asked, and answers."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tidegate.actions.document import OWN, Document
from tidegate.actions.query import Query, fields
from tidegate.errors import TidegateError
from tidegate.events.event import MOST_WHOLE

MOST_FACETS = 20
"""So many of a field's most frequent values are counted."""


class Hits(NamedTuple):
    """What a search found: a page of documents, the newest first, how many there are in all, and counts by field."""

    documents: Sequence[Document]
    total: int
    facets: Mapping[str, Sequence[tuple[str, int]]]
    after: str = ""
    """Where the next page begins; empty when this is the last one."""
    cut: Sequence[str] = ()
    """The fields that have more values than are counted."""


class Index(Protocol):
    """Where decisions are looked for."""

    def search(self, query: Query, *, limit: int = 20, after: str = "", facets: Sequence[str] = ()) -> Hits:
        """Find documents, the newest first.

        Args:
            query: what to look for.
            limit: at most so many documents.
            after: where the page before said that the next one begins.
            facets: fields whose most frequent values are counted.

        Raises:
            TidegateError: the query asks for a field that no document has.
        """


def known_fields(query: Query, facets: Sequence[str], known: Iterable[str]) -> None:
    """Refuse a field that no document has, with the nearest name.

    Raises:
        TidegateError: there is one.
    """
    names = {*known, *OWN, "score"}
    for name in (*fields(query), *facets):
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise TidegateError(
                f"No decision in the index has a field {name}.",
                seen=", ".join(sorted(names)),
                do=f"Did you mean {near[0]}?" if near else "Use one of these, or words in quotes.",
            )


def read_after(text: str) -> tuple[int, int]:
    """Time (microseconds since 1970) and number of the last document of a page, as its `after` tells them.

    Raises:
        TidegateError: it is something else.
    """
    found = re.fullmatch(r"(-?\d{1,18}),(\d{1,18})", text)
    if found is None:
        raise TidegateError("That is not where a page ends.", seen=text[:60], do="Give what the page before told.")
    return int(found[1]), int(found[2])


def hits(
    documents: Sequence[Document], total: int, counted: Mapping[str, Iterable[tuple[str | float, int]]], after: str
) -> Hits:
    """What was found, of each field the most frequent values.

    Args:
        documents, total, after: as of `Hits`.
        counted: values by field, each with how often it is there; one more than `MOST_FACETS`, where there are more.
    """
    every = {name: _counts(found) for name, found in counted.items()}
    shown = {name: counts[:MOST_FACETS] for name, counts in every.items()}
    return Hits(documents, total, shown, after, [name for name, counts in every.items() if len(counts) > MOST_FACETS])


def _counts(found: Iterable[tuple[str | float, int]]) -> list[tuple[str, int]]:
    """Values as they are written in a query, each with how often it is there, the most frequent first."""
    added: Counter[str] = Counter()
    for value, many in found:
        added[plain(value)] += many
    return sorted(added.items(), key=lambda one: (-one[1], one[0]))


def plain(value: str | float) -> str:
    """A value as it is written in a query: a number to 15 digits, without an exponent where that is short."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) and abs(value) <= MOST_WHOLE else f"{value:.15g}"
