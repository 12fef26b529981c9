"""Random scorecards over given expressions."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.conformance.literals import LITERALS, TEXTS
from tidegate.connectors.scorecards.files import bins, scorecard
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, literal

_POINTS = st.integers(-40, 80).map(lambda n: n / 8)
MADE: dict[str, Scorecard] = {}
"""Every scorecard that was made, by its digest: the text form names them so."""


def made_scorecard(draw: Callable[[Any], Any], of: Sequence[Expr]) -> Scorecard:
    """A scorecard over these expressions; now and then a value falls into none of its bins."""
    parts = {f"c{n}": _bins(draw, one) for n, one in enumerate(of)}
    made = scorecard(parts, of=list(of), initial=draw(_POINTS))
    MADE[made.card.digest] = made
    return made


def again(name: str, digest: str, of: Sequence[Expr]) -> Expr:
    """The scorecard that a text form stands for."""
    return MADE[digest].with_args(tuple(literal(one) for one in of))


def _bins(draw: Callable[[Any], Any], one: Expr) -> Any:
    kind = one.type.kind
    cells = _words(draw, one) if kind in (Kind.TEXT, Kind.BOOL) else _ranges(draw, kind)
    if len(cells) > 1 and draw(st.booleans()):
        del cells[draw(st.sampled_from([0, -1]))]
    cells += ["otherwise"] * draw(st.integers(0, 1)) + ["missing"] * draw(st.integers(0, 1))
    order = draw(st.permutations(cells))
    return bins({cell: draw(_POINTS) for cell in order}, because="Reason")


def _words(draw: Callable[[Any], Any], one: Expr) -> list[str]:
    if one.type.kind is Kind.BOOL:
        return ["true", "false"]
    values = draw(st.lists(st.sampled_from(one.type.choices or TEXTS), min_size=1, max_size=4, unique=True))
    cut = draw(st.integers(1, len(values)))
    return [", ".join(f'"{text}"' for text in part) for part in (values[:cut], values[cut:]) if part]


def _ranges(draw: Callable[[Any], Any], kind: Kind) -> list[str]:
    """Ranges that touch, from below to above."""
    drawn = draw(st.sets(LITERALS[kind], min_size=1, max_size=4))
    edges = sorted(drawn, key=lambda edge: edge.units if isinstance(edge, Money) else edge)
    ends = [text_of(edge) for edge in edges]
    first, last, inner = draw(st.sampled_from([("< {}", ">= {}", "[{}..{})"), ("<= {}", "> {}", "({}..{}]")]))
    between = [inner.format(a, b) for a, b in pairwise(ends)]
    return [first.format(ends[0]), *between, last.format(ends[-1])]


def text_of(edge: Any) -> str:
    """A constant as cells have it."""
    if isinstance(edge, timedelta):
        return f"{edge // timedelta(microseconds=1)}us"
    return edge.isoformat() if isinstance(edge, datetime) else str(edge)
