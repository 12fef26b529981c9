"""A flow as text: what its digest is made of."""

from functools import partial
from typing import Any

from tidegate.decisions.drl.node import DrlPackage
from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.tables.node import DecisionTable
from tidegate.events.durations import written
from tidegate.events.event import Event, FieldContract
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr
from tidegate.expressions.text import write


def _typed(field: FieldContract) -> str:
    """A field's type with everything that could change what is decided: bounds, choices, when a label is known."""
    kind = field.type
    out = f"one of {', '.join(kind.choices)}" if kind.choices else str(kind)
    out += " as a whole number" if kind.whole else ""
    out += f" up to {kind.bound}" if kind.kind in (Kind.INT, Kind.MONEY) else ""
    out += f" known after {written(field.known_after)}" if field.known_after is not None else ""
    out += f" = {field.default!r}" if field.default is not None else ""
    return out + (" | None" if field.optional else "")


def flow_text(
    cls: type,
    event: type[Event],
    learned: list[type[Event]],
    lines: dict[str, Any],
    currency: str | None,
    lateness: int,
) -> str:
    """The flow as text: what its digest is made of."""
    names: dict[int, str] = {}
    out = [
        f"flow on {event.__name__} v{event.__version__}",
        *(f"learns {e.__name__} v{e.__version__}" for e in learned),
    ]
    out += [f"currency = {currency!r}", f"lateness = {written(lateness)!r}"]
    for kind in (event, *learned):
        out += [f"{kind.__name__}.{f.name}: {_typed(f)}" for f in kind.__contract__.values()]
    for name, line in lines.items():
        if isinstance(line, Expr):
            out.append(f"{name} = {write(line, names)}")
            names.setdefault(id(line), name)
        elif isinstance(line, (DecisionTable, DrlPackage)):
            out.append(f"{name} = {line.written(partial(write, names=names))}")
            for node in line.outputs() if isinstance(line, DecisionTable) else line.results():
                names.setdefault(id(node), f"{name}.{node.label}")
        elif isinstance(line, Rule):
            out.append(f"{name} = {line.outcome.word}({write(line.when, names)}, because={line.because!r})")
        elif isinstance(line, Bands):
            steps = ", ".join(f"{n}={t!r}" for n, t in zip(line.names, line.thresholds, strict=True))
            out.append(f"{name} = bands({write(line.of, names)}, {steps})")
        elif name == "limits":
            out.append(f"limits = {line!r}")
    return "\n".join(out)
