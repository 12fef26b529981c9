"""Random scorecards as files have them, and rows for them; what each is worth is read off the structure."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.written import WrittenBin, WrittenCard, WrittenCharacteristic

POINTS = st.integers(-400, 800).map(lambda n: n / 8)
TEXTS = ("own", "rent", "a b", 'q"q', "x,y", "ä<&>", "日本")
KINDS = ("number", "whole number", "money EUR", "text", "bool", "duration")
EDGES: dict[str, tuple[Any, ...]] = {
    "number": (-2.5, 0.0, 0.1, 1e-9, 7.0, 1e6), "whole number": (-3, 0, 1, 5, 2**31 - 2),
    "money EUR": (0.5, 1.0, 99.99, 1e4), "duration": (1.0, 60.0, 0.5, 3600.0),
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A card; rows of plain numbers, as PMML takes them, in the order of its characteristics."""

    card: Card
    rows: list[dict[str, Any]]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _end(kind: str, edge: Any) -> str:
    if kind == "money EUR":
        return f"{edge:.2f} EUR"
    return f"{round(edge * 1e6)}us" if kind == "duration" else repr(edge)


@st.composite
def _part(draw: Any, name: str) -> tuple[WrittenCharacteristic, list[Any]]:
    kind = draw(st.sampled_from(KINDS))
    values: list[Any]
    if kind == "bool":
        cells, values = ["true", "false"], [True, False]
    elif kind == "text":
        held = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique=True))
        cut = draw(st.integers(1, len(held)))
        cells = [", ".join(map(_quoted, part)) for part in (held[:cut], held[cut:]) if part]
        values = [*TEXTS, "unheard of"]
    else:
        edges = sorted(draw(st.sets(st.sampled_from(EDGES[kind]), min_size=1, max_size=4)))
        first, last, inner = draw(st.sampled_from([("< {}", ">= {}", "[{}..{})"), ("<= {}", "> {}", "({}..{}]")]))
        ends = [_end(kind, edge) for edge in edges]
        between = [inner.format(a, b) for a, b in pairwise(ends)]
        cells = [first.format(ends[0]), *between, last.format(ends[-1])]
        step = {"whole number": 1, "money EUR": 0.01, "duration": 0.5}.get(kind, 0.25)
        values = [value for edge in edges for value in (round(edge - step, 9), edge, round(edge + step, 9))]
        values = [round(value, 2) for value in values] if kind == "money EUR" else values
    if len(cells) > 1 and draw(st.booleans()):
        del cells[draw(st.sampled_from([0, -1]))]
    cells += ["otherwise"] * draw(st.integers(0, 1)) + ["missing"] * draw(st.integers(0, 1))
    bins = []
    for place, cell in enumerate(cells):
        count = draw(st.integers(0, 50))
        more = {"code": f"{name}.{place}", "because": f"Why {place}"} if draw(st.integers(0, 3)) == 0 else {}
        events = draw(st.integers(0, count))
        bins.append(WrittenBin(cell, draw(POINTS), count=count, events=events, **more))
    baseline = draw(st.none() | POINTS)
    part = WrittenCharacteristic(name, tuple(bins), f"Reason {name}", draw(st.sampled_from(["", "R"])), baseline, kind)
    return part, [*values, None]


@st.composite
def drawn(draw: Any) -> Drawn:
    """A card of up to four characteristics, and ten rows."""
    parts = [draw(_part(f"c{n}")) for n in range(draw(st.integers(1, 4)))]
    settings: dict[str, Any] = {"initial score": draw(POINTS), "reasons": draw(st.integers(1, 4))}
    if draw(st.booleans()):
        pdo = draw(st.sampled_from([20, 15.5, -30]))
        settings |= {"pdo": pdo, "base points": 600, "base odds": 50, "higher": "worse" if pdo < 0 else "better"}
    elif draw(st.booleans()):
        settings["higher"] = "worse"
    card = made(WrittenCard("drawn", tuple(part for part, _ in parts), settings))
    rows = [{part.name: draw(st.sampled_from(values)) for part, values in parts} for _ in range(10)]
    return Drawn(card, rows)
