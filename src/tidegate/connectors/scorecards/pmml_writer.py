"""Scorecards written as PMML 4.4, for engines of others; read back they are the same.

Amounts are in major units there, and durations in seconds. What PMML has no word for (words of reasons, counts, how a
bin was written, the scale) stands in extensions, which others pass over.
"""

from collections.abc import Iterator
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from tidegate.decisions.scorecards.card import Bin, Card, Characteristic
from tidegate.decisions.tables.cells import complement
from tidegate.decisions.tables.line import HIGH, LOW, Line, Ranges, unordered
from tidegate.errors import DocumentError
from tidegate.events.currency import decimals
from tidegate.events.types import Kind

_TYPES = {
    Kind.INT: ("continuous", "integer"), Kind.FLOAT: ("continuous", "double"), Kind.MONEY: ("continuous", "double"),
    Kind.DURATION: ("continuous", "double"), Kind.BOOL: ("categorical", "boolean"),
    Kind.TEXT: ("categorical", "string"), Kind.KEY: ("categorical", "string"),
}  # fmt: skip
POINTS = "points"


def scorecard_pmml(card: Card) -> bytes:
    """A scorecard as PMML: its points as `points`, its reasons as `reason_code_1` …, the chance as `probability`.

    Raises:
        DocumentError: a characteristic is of a time, which PMML compares otherwise, or is called `points`.
    """
    for part in card.characteristics:
        if part.column.type.kind not in _TYPES:
            raise DocumentError(
                f"The scorecard {card.name} cannot be written as PMML.", seen=f"{part.name}, a {part.column.type}",
                do="Give it a duration or a number instead, such as the days since then.",
            )  # fmt: skip
        if part.name == POINTS:
            raise DocumentError("A characteristic of PMML is not called as its result.", seen=POINTS, do="Rename it.")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">',
        '<Header description="Scorecard"><Application name="Tidegate"/></Header>',
        *_dictionary(card),
        *_scorecard(card),
        "</PMML>",
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "xmlcharrefreplace")


def _dictionary(card: Card) -> Iterator[str]:
    yield "<DataDictionary>"
    for part in card.characteristics:
        optype, kind = _kind(part)
        yield f'<DataField name={quoteattr(part.name)} optype="{optype}" dataType="{kind}">{_unit(part.column.line)}'
        yield "</DataField>"
    yield f'<DataField name="{POINTS}" optype="continuous" dataType="double"/>'
    yield "</DataDictionary>"


def _kind(part: Characteristic) -> tuple[str, str]:
    kind = part.column.type
    return ("categorical", "integer") if kind.kind is Kind.KEY and kind.whole else _TYPES[kind.kind]


def _unit(line: Line) -> str:
    """The type of what is a plain number in PMML."""
    if line.type.kind is Kind.MONEY:
        return _extension("type", f"money {line.currency}" if line.currency else "money")
    return _extension("type", "duration") if line.type.kind is Kind.DURATION else ""


def _extension(name: str, value: object) -> str:
    return f"<Extension name={quoteattr(name)} value={quoteattr(str(value))}/>" if value not in (None, "") else ""


def _scorecard(card: Card) -> Iterator[str]:
    methods = {part.method for part in card.characteristics}
    yield (
        f'<Scorecard modelName={quoteattr(card.name)} functionName="regression" initialScore="{card.initial!r}" '
        f'useReasonCodes="{str(card.most > 0).lower()}" '
        f'reasonCodeAlgorithm="{"pointsAbove" if card.worse else "pointsBelow"}" '
        f'baselineMethod="{methods.pop() if len(methods) == 1 else "other"}">'
    )
    scale = card.scaling
    if scale is not None:
        said = {"pdo": scale.pdo, "base points": scale.base_points, "base odds": scale.base_odds}
        yield "".join(_extension(name, repr(value)) for name, value in said.items())
    yield _extension("reasons", card.most)
    yield "<MiningSchema>"
    for part in card.characteristics:
        yield f'<MiningField name={quoteattr(part.name)} invalidValueTreatment="asIs"/>'
    yield f'<MiningField name="{POINTS}" usageType="target"/>'
    yield "</MiningSchema>"
    yield from _outputs(card)
    yield "<Characteristics>"
    for part in card.characteristics:
        yield from _characteristic(part)
    yield "</Characteristics></Scorecard>"


def _outputs(card: Card) -> Iterator[str]:
    yield "<Output>"
    yield '<OutputField name="score" feature="predictedValue" optype="continuous" dataType="double"/>'
    codes = {one.code for part in card.characteristics for one in part.bins}
    for rank in range(1, min(card.most, len(codes)) + 1):
        yield (
            f'<OutputField name="reason_code_{rank}" feature="reasonCode" rank="{rank}" optype="categorical" '
            'dataType="string"/>'
        )
    scale = card.scaling
    if scale is not None:
        line = _apply("/", _apply("-", '<FieldRef field="score"/>', _constant(scale.offset)), _constant(scale.factor))
        chance = _apply("/", _constant(1.0), _apply("+", _constant(1.0), _apply("exp", line)))
        yield (
            '<OutputField name="probability" feature="transformedValue" optype="continuous" dataType="double">'
            f"{chance}</OutputField>"
        )
    yield "</Output>"


def _apply(function: str, *args: str) -> str:
    return f'<Apply function="{function}">{"".join(args)}</Apply>'


def _constant(value: float) -> str:
    return f'<Constant dataType="double">{value!r}</Constant>'


def _characteristic(part: Characteristic) -> Iterator[str]:
    code, because = part.bins[0].code, part.bins[0].because
    yield (
        f"<Characteristic name={quoteattr(part.name)} reasonCode={quoteattr(code)} "
        f'baselineScore="{part.baseline!r}">{_extension("because", because)}'
    )
    for one in part.bins:
        yield _attribute(one, part, code, because)
    yield "</Characteristic>"


def _attribute(one: Bin, part: Characteristic, code: str, because: str) -> str:
    own = f" reasonCode={quoteattr(one.code)}" if one.code != code else ""
    more = _extension("bin", one.cell.text) + (_extension("because", one.because) if one.because != because else "")
    counts = _extension("count", one.count) + _extension("events", one.events)
    predicate = _predicate(one, part.name, part.column.line)
    return f'<Attribute partialScore="{one.points!r}"{own}>{more}{counts}{predicate}</Attribute>'


def _predicate(one: Bin, field: str, line: Line) -> str:
    name = quoteattr(field)
    parts = [f'<SimplePredicate field={name} operator="isMissing"/>'] if one.cell.missing else []
    ranges = one.cell.ranges
    if line.type.is_word:
        parts += _words(ranges, name, line)
    elif line.type.kind is Kind.BOOL:
        held = [text for point, text in ((0, "false"), (1, "true")) if any(a <= point <= b for a, b in ranges)]
        parts += [f'<SimplePredicate field={name} operator="equal" value="{text}"/>' for text in held]
    else:
        parts += [_run(low, high, name, line) for low, high in ranges]
    return _joined("or", parts) if parts else "<False/>"


def _joined(how: str, parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f'<CompoundPredicate booleanOperator="{how}">{"".join(parts)}</CompoundPredicate>'


def _words(ranges: Ranges, name: str, line: Line) -> list[str]:
    """Texts that are named, or all but those."""
    if not ranges:
        return []
    others = any(high - low > 1 for low, high in ranges)
    points = complement(ranges) if others else ranges
    texts = [line.words[point] for low, high in points for point in range(low, high + 1)]
    if not texts:
        return [f'<SimplePredicate field={name} operator="isNotMissing"/>']
    if len(texts) == 1 or any(sign in text for text in texts for sign in '"\\'):
        # Not every engine reads an array with quotes in its quotes.
        sign = "notEqual" if others else "equal"
        made = [f'<SimplePredicate field={name} operator="{sign}" value={quoteattr(text)}/>' for text in sorted(texts)]
        return [_joined("and" if others else "or", made)]
    items = " ".join(f'"{text}"' for text in sorted(texts))
    array = f'<Array type="string" n="{len(texts)}">{_escaped(items)}</Array>'
    operator = "isNotIn" if others else "isIn"
    return [f'<SimpleSetPredicate field={name} booleanOperator="{operator}">{array}</SimpleSetPredicate>']


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _run(low: int, high: int, name: str, line: Line) -> str:
    if low == high:
        return f'<SimplePredicate field={name} operator="equal" value="{_value(low, line)}"/>'
    parts = []
    ends = line.ends
    if low > max(LOW, ends[0]):
        opens, point = _edge(low, -1, line)
        parts.append((("greaterThan" if opens else "greaterOrEqual"), point))
    if high < min(HIGH, ends[1]):
        closes, point = _edge(high, 1, line)
        parts.append((("lessThan" if closes else "lessOrEqual"), point))
    if not parts:
        return f'<SimplePredicate field={name} operator="isNotMissing"/>'
    made = [f'<SimplePredicate field={name} operator="{sign}" value="{_value(at, line)}"/>' for sign, at in parts]
    return _joined("and", made)


def _edge(point: int, beyond: int, line: Line) -> tuple[bool, int]:
    """An end, and whether it is left out: of two neighbouring floats the one that is shorter to write."""
    if line.type.is_float:
        outside = len(_value(point + beyond, line)) < len(_value(point, line))
        return outside, point + beyond if outside else point
    if beyond > 0 and line.type.kind in (Kind.MONEY, Kind.DURATION):
        return True, point + 1  # up to, and without, the next
    return False, point


def _value(point: int, line: Line) -> str:
    """A point as PMML has it."""
    number = unordered(point) if line.type.is_float else point
    if line.type.kind is Kind.MONEY:
        exact = Decimal(repr(number)).scaleb(-(decimals(line.currency) if line.currency else 2))
        return f"{exact.normalize():f}"
    if line.type.kind is Kind.DURATION:
        return f"{Decimal(repr(number)).scaleb(-6).normalize():f}"
    return repr(number)


__all__ = ["scorecard_pmml"]
