"""`tidegate check`: read a flow, say everything that can be said of it without events."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import event_options, other_files
from tidegate.cli.options import DEFAULT_MODELS, AsJson, FlowPlace, ModelsPath
from tidegate.cli.terminal import COLOURS, compiling_told, emit, next_steps, out, several

if TYPE_CHECKING:
    from rich.console import Console


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
    from tidegate.cli.flow_facts import flow_facts
    from tidegate.runtimes.load import load_flow

    with compiling_told("kernels"):
        definition = load_flow(flow).definition
        facts = {} if schema else flow_facts(definition, models)
    if schema:
        from tidegate.events.json_schema import json_schema

        emit({kind.__name__: json_schema(kind) for kind in definition.kinds})
        return
    if as_json:
        emit(facts)
        return
    _show(facts, flow, models, event_options(other_files(definition)))


def _show(facts: dict[str, Any], flow: str, models: Path, others: str) -> None:
    console = out()
    from rich.text import Text

    digests = f"{facts['digest'][:12]}, in records {facts['program'][:12]} (flow and models)"
    console.print(Text.assemble((facts["flow"], "bold"), "  ", (digests, "dim")), soft_wrap=True)
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
        f"tidegate serve {flow}{without}  answer over HTTP; on Kafka, `tidegate run`",
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
