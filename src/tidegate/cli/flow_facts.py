"""What a flow is, as plain values: what `tidegate check` says."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate.decisions.definition import Definition


def flow_facts(definition: "Definition", models: Path) -> dict[str, Any]:
    """Everything that is said of a flow, and of its models in a folder."""
    from tidegate.decisions.cautions import any_currency, cautions, ending_totals, unread_features
    from tidegate.decisions.footprint import beside_windows
    from tidegate.decisions.planner import plan
    from tidegate.events.durations import written
    from tidegate.expressions.text import write

    names = {id(expr): name for name, expr in reversed(tuple(definition.features.items()))}
    shown = {name: expr for name, expr in definition.features.items() if names[id(expr)] == name}
    for name, table in definition.tables.items():
        names |= {id(node): f"{name}.{node.label}" for node in table.outputs()}
    return {
        "flow": definition.name,
        "purpose": " ".join(definition.purpose.split()),
        "digest": definition.digest,
        "program": _program(definition, models),
        "events": [_contract(kind, decided=kind is definition.event) for kind in definition.kinds],
        "features": [
            {"name": name, "text": write(expr, names), "type": str(expr.type), "unit": _unit(expr.type), **_cost(expr)}
            for name, expr in shown.items()
        ],
        "unread": list(unread_features(definition)),
        "ending_totals": ending_totals(definition),
        "memory": _memory(definition),
        "memory_beside": beside_windows(definition, plan(definition)),
        "rules": [
            {"name": name, "outcome": rule.outcome.word, "when": _named(rule.when, names), "because": rule.because}
            for name, rule in definition.rules.items()
        ],
        "score": None if definition.score is None else _named(definition.score, names),
        "alarm": write(definition.alarm, names) if definition.alarm is not None else None,
        "level": dict(zip(level.names, level.thresholds, strict=True)) if (level := definition.level) else None,
        "limits": _limits(definition),
        "signed_by": list(definition.signed_by),
        "currency": definition.currency,
        "any_currency": any_currency(definition),
        "cautions": [caution._asdict() for caution in cautions(definition)],
        "lateness": written(definition.lateness),
        "models": _models(definition, models),
        "tables": [_table_facts(definition, table) for table in definition.readings],
        "scorecards": [_scorecard_facts(definition, one) for one in definition.scorecards],
        "lists": [known.name for known in definition.lists],
    }  # fmt: skip


def _program(definition: "Definition", models: Path) -> str:
    """What records, and messages about them, name the flow and the models that are there by."""
    from tidegate.decisions.planner import plan
    from tidegate.runtimes.models import models_there
    from tidegate.runtimes.program import program_digest

    return program_digest(plan(definition), models_there(definition, models), definition.challenges).hex()


def _named(expr: Any, names: dict[int, str]) -> str:
    """The name of an expression that has one, else its text."""
    from tidegate.expressions.text import write

    return names.get(id(expr)) or write(expr, names)


def _limits(definition: "Definition") -> list[str]:
    from tidegate.events.durations import written

    said = [
        f"at most {cap.count} times {cap.outcome.word} in any {written(cap.last)} of event time, then {cap.then.word}"
        for cap in definition.caps
    ]
    late = definition.deadline
    if late is None:
        return said
    return [
        *said,
        f"over HTTP an answer within {written(late.within)}, else {late.answer.word}; elsewhere nobody waits",
    ]


def _unit(kind: Any) -> str:
    return {"duration": "seconds"}.get(kind.kind.value, kind.currency or "")


def _contract(kind: Any, *, decided: bool) -> dict[str, Any]:
    from tidegate.events.durations import written

    return {
        "name": kind.__name__,
        "version": kind.__version__,
        "decided": decided,
        "description": " ".join((kind.__doc__ or "").split()),
        "fields": [
            {
                "name": field.name,
                "type": str(field.type),
                "optional": field.optional,
                "personal": field.about.personal.value,
                "known_after": None if field.known_after is None else written(field.known_after),
                "description": field.about.description,
            }
            for field in kind.__contract__.values()
        ],
    }


def _cost(expr: Any) -> dict[str, int]:
    """What a feature asks for: windows to be read, and steps of arithmetic on top."""
    from tidegate.expressions.node import Call, walk
    from tidegate.features.window import Window

    seen: dict[Any, Any] = {}
    stack = [expr]
    while stack:
        node = stack.pop()
        if node.key in seen:
            continue
        seen[node.key] = node
        if not isinstance(node, Window):
            stack += node.args
    return {
        "windows": sum(isinstance(node, Window) for node in seen.values()),
        "steps": sum(isinstance(node, Call) for node in seen.values()),
        "reach_us": max(
            (node.frame.last + node.frame.delay for node in walk(expr) if isinstance(node, Window)), default=0
        ),
    }


def _memory(definition: "Definition") -> list[dict[str, Any]]:
    """The bound on memory per entity, for each stream of events that windows are over."""
    from tidegate.decisions.planner import plan
    from tidegate.features.windows import Windows

    made = plan(definition)
    keys = {field.column: field.name for kind in made.kinds for field in kind.fields}
    windows = Windows(made.streams, lateness=made.lateness)
    return [
        {
            "events": made.kinds[stream.kind].event,
            "filed_under": keys.get(stream.learn_key, "a pair of keys"),
            "windows": len(stream.windows),
            "bound": windows.bound(number),
        }
        for number, stream in enumerate(made.streams)
    ]


def _models(definition: "Definition", folder: Path) -> list[dict[str, Any]]:
    """The models that the flow wants, and whether they are there and read what it gives them."""
    from tidegate.decisions.planner import plan
    from tidegate.models.promotion import lacking
    from tidegate.models.registry import Registry
    from tidegate.models.signature import require_answer, require_types

    registry = Registry(folder)
    there = set(registry.references())
    files = {node.reference: node.artefact for node in definition.models if node.artefact is not None}
    found = []
    for segment in plan(definition).segments:
        for one in segment.models:
            fact: dict[str, Any] = {
                "reference": one.reference,
                "features": len(one.names),
                "otherwise": one.default,
                "digest": None,
            }
            kept = files.get(one.reference)
            if kept is None and one.reference in there:
                kept = registry.artefact(one.reference)
                asked = kept.model()
                asked.require(one.names, one.reference)
                require_types(asked.inputs, one.types, one.reference)
                require_answer(asked.texts, one.default, one.reference)
            if kept is not None:
                fact |= {"digest": kept.digest, "version": kept.card.version, "metrics": kept.card.metrics}
                fact["reasons_lacking"] = lacking(kept)
            found.append(fact)
    return found


def _table_facts(definition: "Definition", reading: Any) -> dict[str, Any]:
    table = reading.table
    return {
        "name": next((name for name, line in definition.tables.items() if line.read == reading.read), table.name),
        "digest": table.digest,
        "hit": table.policy.words,
        "rows": len(table.rows),
        "inputs": [column.name for column in table.inputs],
        "outputs": [column.name for column in table.outputs],
        "default": table.default is not None,
    }


def _scorecard_facts(definition: "Definition", node: Any) -> dict[str, Any]:
    card, parts = node.card, node.card.characteristics
    return {
        "name": next((name for name, line in definition.features.items() if line.key == node.key), card.name),
        "digest": card.digest,
        "bins": sum(len(part.bins) for part in parts),
        "characteristics": [part.name for part in parts],
        "least": card.initial + sum(min(one.points for one in part.bins) for part in parts),
        "most": card.initial + sum(max(one.points for one in part.bins) for part in parts),
    }
