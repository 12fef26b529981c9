"""Decisions that require themselves are refused: they could never be made."""

from tidegate.decisions.dmn.elements import Decision
from tidegate.decisions.dmn.parts import Found, Part
from tidegate.errors import DocumentError


def refuse_circles(part: Part) -> None:
    """Refuse a model in which decisions require each other in a circle.

    Functions may: they are recursion, which is bounded when it runs.

    Raises:
        DocumentError: with the decisions in order and the line of the first.
    """
    done: set[tuple[str, str]] = set()
    for element in part.definitions.elements:
        if isinstance(element, Decision):
            _walk(Found(None, part, element), done)


def _walk(start: Found, done: set[tuple[str, str]]) -> None:
    """Go depth first, without recursion: chains may be long."""
    way: list[Found] = []
    on_way: set[tuple[str, str]] = set()
    stack: list[tuple[Found, bool]] = [(start, False)]
    while stack:
        found, leave = stack.pop()
        if leave:
            way.pop()
            on_way.discard(found.key)
            done.add(found.key)
            continue
        if found.key in on_way:
            first = next(place for place, one in enumerate(way) if one.key == found.key)
            names = " → ".join(one.element.name for one in [*way[first:], found])
            raise DocumentError(
                f"{found.part.definitions.file} has decisions that require each other in a circle.",
                seen=names,
                do="Remove one of the requirements.",
                line=found.element.line,
            )
        if found.key in done:
            continue
        way.append(found)
        on_way.add(found.key)
        stack.append((found, True))
        below = [one for one in found.part.required(found.element) if isinstance(one.element, Decision)]
        stack.extend((one, False) for one in reversed(below))
