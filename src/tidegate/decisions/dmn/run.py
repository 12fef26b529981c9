"""One evaluation as it goes: what was met, what came to nothing and why, which rows matched."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.values import SMALLER
from tidegate.errors import DocumentError
from tidegate.expressions.feel import given as feel
from tidegate.expressions.feel import types
from tidegate.expressions.feel.extent import shown, too_large
from tidegate.expressions.feel.given import Budget, External, Given, Trace
from tidegate.expressions.feel.java import java_function
from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.temporal import DateTime

MOST_REASONS = 1000
DEEPEST = 10_000
"""How deep the functions of a model may call each other, in frames of Python's stack: a factorial of 300 and more."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a model: its file, line, and the element in words."""

    file: str
    line: int
    place: str

    def part(self, words: str, line: int = 0) -> "Site":
        """A place inside this one."""
        return Site(self.file, line or self.line, f"{self.place}, {words}")


_MOST_TEXT = 200
"""How many characters of an expression a reason tells in words; `text` has all of them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something came to nothing: where, what was written there, and what is wrong with it.

    Args:
        place: the element in words, down to the row and cell of a table.
        file: the model's file.
        line: where in it.
        text: the part of the expression, or "".
        why: what was wrong.
    """

    place: str
    file: str
    line: int
    text: str
    why: str

    def __str__(self) -> str:
        text = self.text if len(self.text) <= _MOST_TEXT else f"{self.text[:_MOST_TEXT]}…"
        return f"{self.place} ({self.file}:{self.line}): " + (f"`{text}`: " if text else "") + self.why


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row of a decision table whose tests all held: its number from 1, id, annotations, and its cells as written."""

    number: int
    id: str
    annotations: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissedRow:
    """A row that did not match, and the first of its cells that did not hold: its column, its test, what it saw.

    Where the column did not take its value, and saw null for it, `untaken` says why, and `value` is what that was.
    """

    number: int
    column: str
    test: str
    value: Any
    untaken: str = ""


@dataclass(slots=True)
class Step:
    """An element that was evaluated: a decision, a function, a service, or a table inside one.

    Args:
        kind: "decision", "function", "service" or "table".
        place: the element in words.
        line: where it stands.
        value: what came out.
        inputs: for a table, what its columns saw, by label.
        matched: for a table, the rows that matched.
        missed: for a table without a row that matched, what spoke against its rows, the first of them.
    """

    kind: str
    place: str
    line: int
    value: Any = None
    inputs: dict[str, Any] = field(default_factory=dict)
    matched: tuple[MatchedRow, ...] = ()
    missed: tuple[MissedRow, ...] = ()


_DEEP: list[int] = []
"""Python's own limit before each of the evaluations that are on their way."""
_LIMIT = Lock()
"""Held while that list and Python's limit are changed: one thread may end its evaluation as another begins."""


@contextmanager
def deep() -> Iterator[None]:
    """While it lasts, functions may call each other as deep as `DEEPEST`; Python's own end is a recursion of 25.

    What FEEL calls is frames of Python, which are on the heap. Code in C, such as a reader of JSON, takes that much of
    the stack and ends the process; so Python's limit is as it was once no evaluation is on its way in any thread.
    """
    with _LIMIT:
        _DEEP.append(sys.getrecursionlimit() if not _DEEP else _DEEP[0])
        sys.setrecursionlimit(max(_DEEP[0], DEEPEST + 2_000))
    try:
        yield
    finally:
        with _LIMIT:
            before = _DEEP.pop()
            if not _DEEP:
                sys.setrecursionlimit(before)


class Run:
    """One evaluation of a model.

    FEEL notes its reasons in one list; here each gets the place whose expression was being evaluated then.

    Args:
        now: what `now()` and `today()` say.
        external: calls functions of the host.
        pmml: calls PMML models.
        explain: whether every row that did not match is accounted for, and not only where no row did.
    """

    def __init__(
        self, now: DateTime | None, external: External | None, pmml: External | None = None, *, explain: bool = False
    ) -> None:
        budget, trace = Budget(depth=DEEPEST), Trace()
        self.host = host = self._host(external, pmml)
        self.given = Given(now=now, trace=trace, budget=budget, external=host)
        self.quiet = Given(now=now, trace=None, budget=budget, external=host)
        self.feel = feel.Run(self.given)
        self.explain = explain
        self.reasons: list[Reason] = []
        self.untaken: list[Reason] = []
        self.steps: list[Step] = []
        self.site = Site("", 0, "")
        self._seen = 0
        self._noted = trace.reasons

    def _host(self, external: External | None, pmml: External | None) -> External:
        """The caller's functions, then PMML models, or those of `java.lang` that only compute.

        A refusal is a reason and no fault.
        """

        def ask(function: dict[str, Any], names: list[str], arguments: list[Any]) -> Any:
            unknown = ""
            try:
                for known in filter(None, (external, pmml if "pmml" in function else java_function)):
                    try:
                        return known(function, names, arguments)
                    except LookupError as error:
                        unknown = str(error.args[0]) if error.args else ""
            except DocumentError as error:
                return self.nothing(self.site, str(error), shown(function))
            except (TypeError, ValueError, ArithmeticError) as error:
                return self.nothing(self.site, f"the host's function failed: {error}.", shown(function))
            return self.nothing(self.site, f"the host has no such function: {unknown}.", shown(function))

        return ask

    def enter(self, site: Site) -> Site:
        """Begin with the expression of a place; gives the place to go back to."""
        if len(self._noted) != self._seen:
            self._settle()
        outer, self.site = self.site, site
        return outer

    def leave(self, outer: Site) -> None:
        """Be done with the expression of a place."""
        if len(self._noted) != self._seen:
            self._settle()
        self.site = outer

    def _settle(self) -> None:
        """Say of the newest reasons of FEEL where they arose."""
        new = self._noted[self._seen :]
        self._seen = len(self._noted)
        if len(self.reasons) < MOST_REASONS:
            site = self.site
            for one in new:
                at = one.place
                line = site.line + at.text.count("\n", 0, at.start)
                self.reasons.append(Reason(site.place, site.file, line, at.text[at.start : at.end].strip(), one.why))

    def nothing(self, site: Site, why: str, text: str = "") -> None:
        """Note why a place comes to nothing; gives null."""
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(Reason(site.place, site.file, site.line, text, why))

    def not_taken(self, site: Site, why: str) -> None:
        """Note why a table sees null in the place of a value, whatever it comes to; gives null."""
        self.nothing(site, f"{why}.")
        if len(self.untaken) < MOST_REASONS:
            self.untaken.append(Reason(site.place, site.file, site.line, "", f"{why}."))

    def coerced(self, value: Any, kind: Kind, site: Site) -> Any:
        """A value as a variable of a kind takes it; null, with the reason, if it cannot."""
        if kind.check is not None or kind.type is not types.ANY:
            self.bounded(value, site)  # what goes through a value goes through a list again wherever it stands
        made, why = kind.coerce(value)
        if why:
            self.nothing(site, f"{why}.")
        return made

    def bounded(self, value: Any, site: Site) -> Any:
        """A value as it is.

        Raises:
            FeelLimitError: it is too large to be written out.
        """
        why = too_large(value)
        if why:
            self.site = site  # which is told with what was too much
            raise FeelLimitError("A value is too large to be written out.", seen=why, do=SMALLER)
        return value


Scope = Mapping[str, Any]
