"""`tidegate check`: read a flow, say everything that can be said of it without events."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import event_options, other_files
from tidegate.cli.options import DEFAULT_MODELS, AsJson, FlowPlace, ModelsPath
from tidegate.cli.terminal import COLOURS, emit, next_steps, out, several

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.decisions.definition import Definition


def check(
    flow: FlowPlace,
    models: ModelsPath = DEFAULT_MODELS,
    as_json: AsJson = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of each event type, and nothing else.")
    ] = False,
) -> None:
    """Read a flow and say what it is: its contracts, features and their cost, memory, rules, models and limits.

    Any mistake in the file is told with its line; the exit code is then 2.
    """
    from tidegate.runtimes.load import load_flow

    definition = load_flow(flow).definition
    if schema:
        from tidegate.events.json_schema import json_schema

        emit({kind.__name__: json_schema(kind) for kind in definition.kinds})
        return
    facts = _facts(definition, models)
    if as_json:
        emit(facts)
        return
    _show(facts, flow, models, event_options(other_files(definition)))


def _facts(definition: "Definition", models: Path) -> dict[str, Any]:
    """Everything that is said, as plain values."""
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


def _show(facts: dict[str, Any], flow: str, models: Path, others: str) -> None:
    console = out()
    from rich.text import Text

    console.print(Text.assemble((facts["flow"], "bold"), "  ", (facts["digest"][:12], "dim")))
    if facts["purpose"]:
        console.print(Text(facts["purpose"]), soft_wrap=True)
    for event in facts["events"]:
        _show_event(console, event)
    _show_features(console, facts["features"])
    if facts["unread"]:
        names = ", ".join(facts["unread"])
        console.print(
            f"[dim]read by nothing, only noted with each decision and in training sets:[/] {names}", soft_wrap=True
        )
    for text, many in facts["ending_totals"].items():
        said = (
            f"missing where it comes to 2^62, which {many:,} events of the largest size do (Field(le=…) says smaller):"
        )
        console.print(Text.assemble((said, "dim"), f" {text}"), soft_wrap=True)
    _show_memory(console, facts)
    _show_rules(console, facts)
    _show_tables(console, facts["tables"])
    _show_scorecards(console, facts["scorecards"])
    show_cautions(console, facts["cautions"])
    lacking = _show_models(console, facts["models"], models)
    without = " --without-models" if lacking else ""
    steps = [
        f"tidegate replay {flow} FILE{others}  run it over a file of events",
        f"tidegate serve {flow}{without}  answer over HTTP",
    ]
    if lacking:
        steps.insert(0, f"tidegate features {flow} FILE{others}  write a training set, then `tidegate train`")
    next_steps(*steps)


def _table(console: "Console", title: str, *columns: str) -> Any:
    from rich.table import Table

    console.print(f"\n[bold]{title}[/]")
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in ("windows", "steps") else "left", overflow="fold")
    return table


def _show_event(console: "Console", event: dict[str, Any]) -> None:
    from rich.text import Text

    what = "decides on" if event["decided"] else "learns from"
    table = _table(
        console, f"{what} {event['name']} v{event['version']}", "field", "type", "personal data", "description"
    )
    for field in event["fields"]:
        kind = field["type"] + (" or none" if field["optional"] else "")
        about = field["description"] + (f" (known after {field['known_after']})" if field["known_after"] else "")
        table.add_row(
            *(Text(t) for t in (field["name"], kind, "" if field["personal"] == "none" else field["personal"], about))
        )
    console.print(table)


def _show_features(console: "Console", features: list[dict[str, Any]]) -> None:
    from rich.text import Text

    table = _table(console, several(len(features), "feature"), "name", "what it is", "type", "windows", "steps")
    for one in features:
        table.add_row(
            Text(one["name"]), Text(one["text"]), Text(one["type"], "dim"), str(one["windows"]), str(one["steps"])
        )
    console.print(table)


def _show_memory(console: "Console", facts: dict[str, Any]) -> None:
    from rich.text import Text

    console.print(f"\n[bold]memory[/]  [dim]events may be {facts['lateness']} late[/]")
    for stream in facts["memory"]:
        many = f"{stream['windows']} window" + ("s" if stream["windows"] > 1 else "")
        console.print(
            Text(f"  {stream['events']} by {stream['filed_under']} ({many}): {stream['bound']}"), soft_wrap=True
        )
    for one in facts["memory_beside"]:
        console.print(Text(f"  {one}"), soft_wrap=True)


def _show_rules(console: "Console", facts: dict[str, Any]) -> None:
    from rich.text import Text

    table = _table(console, several(len(facts["rules"]), "rule"), "outcome", "name", "when", "because")
    for rule in facts["rules"]:
        table.add_row(
            Text(rule["outcome"], COLOURS[rule["outcome"]]), *(Text(rule[k]) for k in ("name", "when", "because"))
        )
    console.print(table)
    for name in ("score", "alarm"):
        if facts[name]:
            console.print(Text.assemble((name, "dim"), f"  {facts[name]}"), soft_wrap=True)
    if facts["level"]:
        console.print("[dim]level[/]  " + ", ".join(f"{name} from {value:g}" for name, value in facts["level"].items()))
    for limit in facts["limits"]:
        console.print(f"[dim]limit[/]  {limit}")
    if facts["signed_by"]:
        console.print(Text.assemble(("signed by", "dim"), f"  {', '.join(facts['signed_by'])}"), soft_wrap=True)


def show_cautions(console: "Console", said: Sequence[Any]) -> None:
    """What compiles and may still not be what its author meant."""
    for caution in said:
        console.print(f"\n[bold yellow]{caution['title']}[/]  {caution['what']}", soft_wrap=True)
        console.print("  " + caution["so"].replace("\n", "\n  "), markup=False, soft_wrap=True)


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


def _show_scorecards(console: "Console", cards: list[dict[str, Any]]) -> None:
    for number, one in enumerate(cards):
        if not number:
            console.print("\n[bold]scorecards[/]")
        said = f"  {one['name']}  {one['bins']:,} bins over {', '.join(one['characteristics'])}"
        said += f", {one['least']:g} to {one['most']:g} points"
        console.print(f"{said}  [dim]{one['digest'][:12]}[/]", soft_wrap=True)


def _show_tables(console: "Console", tables: list[dict[str, Any]]) -> None:
    for number, one in enumerate(tables):
        if not number:
            console.print("\n[bold]decision tables[/]")
        said = f"  {one['name']}  {one['rows']:,} rows, {one['hit']}: {', '.join(one['inputs'])}"
        said += f" to {', '.join(one['outputs'])}" + (", with a default row" if one["default"] else "")
        console.print(f"{said}  [dim]{one['digest'][:12]}[/]", soft_wrap=True)


def _otherwise(one: dict[str, Any]) -> str:
    return repr(one["otherwise"]) if isinstance(one["otherwise"], str) else f"{one['otherwise']:g}"


def _show_models(console: "Console", wanted: list[dict[str, Any]], folder: Path) -> bool:
    if wanted:
        console.print("\n[bold]models[/]")
    for one in wanted:
        if one["digest"]:
            state = f"[green]found[/] version {one['version']}, {one['digest'][:12]}"
        else:
            state = f"[yellow]not found[/] in {folder}; its otherwise, {_otherwise(one)}, is used and recorded"
        console.print(f"  {one['reference']} ({one['features']} features)  {state}", soft_wrap=True)
        if one["digest"]:
            short = "; ".join(one["reasons_lacking"])
            said = f"lacking: {short}" if short else "measured, and hold"
            console.print(f"    its reasons  {said}", markup=False, soft_wrap=True)
    return any(one["digest"] is None for one in wanted)
