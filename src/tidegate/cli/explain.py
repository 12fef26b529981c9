"""`tidegate explain`: one decision, in words."""

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tidegate.cli.options import DEFAULT_STORE, AsJson, EventId, StoreAddress, found, opened
from tidegate.cli.terminal import COLOURS, emit, next_steps, out, quoted, several, when

if TYPE_CHECKING:
    from rich.console import Console

    from tidegate.connectors.store import Store
    from tidegate.decisions.decision import Decision, ScorecardUse, TableUse
    from tidegate.evidence.record import Stored
    from tidegate.models.reason import ModelReason

_LENGTH_PART = re.compile(r"\d+\s*(?:us|ms|s|m|h|d|w)(?![a-z])")
_LENGTH = re.compile(rf"{_LENGTH_PART.pattern}(?:\s*{_LENGTH_PART.pattern})*")
"""A length of time in a cell, as `1h 30m`."""


def explain(id: EventId, store: StoreAddress = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Tell why an event was decided so: the rules that fired, what they saw, what moved the model, and the proof."""
    import msgspec

    from tidegate.decisions.decision import Decision
    from tidegate.evidence.elapsed import timing
    from tidegate.evidence.proof import prove
    from tidegate.runtimes.records import schema_of

    with opened(store) as kept:
        record = found(kept, id)
        proof = prove(kept, id)
        answer: bytes = record.answer or b""
        decision = msgspec.json.decode(answer, type=Decision)
        reasons = decision.reasons or _reasons(kept, record, decision)
    if as_json:
        emit(
            {
                "decision": msgspec.Raw(answer), "timing": timing(record.elapsed), "event": msgspec.Raw(record.body),
                "type": record.kind, "reasons": reasons, "proof": proof,
            }
            | ({"schema": schema} if (schema := schema_of(record.record)) else {})
        )  # fmt: skip
        return
    console = out()
    _headline(console, decision, record)
    _event(console, msgspec.json.decode(record.body))
    _rules(console, decision)
    for use in decision.tables:
        _table(console, use)
    for card in decision.scorecards:
        _scorecard(console, card)
    _model(console, decision, record, reasons)
    _evidence(console, decision, record, proof)
    next_steps(
        f"tidegate remake {quoted(id)} --store {quoted(store)}  make it again from its record",
        f"tidegate verify --store {quoted(store)}  check every seal of the store",
    )


def _title(console: "Console", text: str) -> None:
    console.print(f"\n[bold]{text}[/]")


def _headline(console: "Console", decision: "Decision", record: "Stored") -> None:
    from rich.text import Text

    line = Text.assemble(
        (decision.outcome.upper(), f"bold {COLOURS.get(decision.outcome, 'white')}"),
        f"  {record.kind} ",
        (decision.id, "bold"),
    )
    line.append(f"  {when(record.at)} UTC", "dim")
    console.print(line)
    parts = []
    if decision.score is not None:
        parts.append(f"score {decision.score:.4f}")
    if decision.level is not None:
        parts.append(f"level {decision.level}")
    if decision.alarm:
        parts.append("[bold red]alarm[/]")
    if parts:
        console.print(", ".join(parts))
    if decision.limited:
        console.print(f"[yellow]Limited:[/] {decision.limited}")


def _event(console: "Console", fields: dict[str, Any]) -> None:
    from rich.text import Text

    _title(console, "What happened")
    shown = [
        f"{name} {_value(value)}" for name, value in fields.items() if name not in ("id", "at") and value is not None
    ]
    console.print(Text("  " + ", ".join(shown)), soft_wrap=True)


def _rules(console: "Console", decision: "Decision") -> None:
    from rich.text import Text

    _title(console, "Why")
    if not decision.rules:
        console.print("  No rule fired.")
    for fired in decision.rules:
        colour = COLOURS.get(fired.outcome, "white")
        console.print(
            Text.assemble(
                "  ",
                (fired.outcome, colour),
                "  ",
                fired.because,
                ("  " + fired.rule + (f" row {fired.row}" if fired.row else ""), "dim"),
            ),
            soft_wrap=True,
        )
        for name, value in fired.saw.items():
            console.print(Text.assemble("           ", (name, "dim"), f" {_value(value)}"), soft_wrap=True)
    if decision.unknown:
        console.print(
            Text.assemble(("  not told, for want of a value: ", "dim"), ", ".join(decision.unknown)), soft_wrap=True
        )
    for line in decision.snoozed:
        console.print(Text.assemble(("  snoozed: ", "yellow"), line), soft_wrap=True)
    for line in decision.unread:
        console.print(Text.assemble(("  not read: ", "yellow"), line), soft_wrap=True)


def _table(console: "Console", use: "TableUse") -> None:
    """A decision table: the rows that decided, and each cell beside the value that it saw."""
    from rich.text import Text

    _title(console, f"What the table {use.table} says")
    outputs = ", ".join(f"{name} {_value(value)}" for name, value in use.outputs.items())
    console.print(Text.assemble(f"  {outputs}  ", (use.digest[:12], "dim")), soft_wrap=True)
    for matched in use.rows:
        console.print(Text.assemble("  ", ("row ", "dim"), matched.row), soft_wrap=True)
        for name, cell in matched.cells.items():
            value, held = _beside(use.saw.get(name), cell)
            line = ("           ", (name, "dim"), f" {value}", ("  in  ", "dim"), held)
            console.print(Text.assemble(*line), soft_wrap=True)
    if use.matched > len(use.rows):
        console.print(f"  and {use.matched - len(use.rows):,} more rows")
    if use.said:
        console.print(Text(f"  {use.said}", "yellow"), soft_wrap=True)


def _scorecard(console: "Console", use: "ScorecardUse") -> None:
    """A scorecard: where its points are from, and why those that were lost were."""
    from rich.table import Table
    from rich.text import Text

    _title(console, f"What the scorecard {use.scorecard} says")
    points = "no points" if use.points is None else f"{_value(use.points)} points"
    chance = f", a chance of {use.probability:.2%}" if use.probability is not None else ""
    console.print(Text.assemble(f"  {points}{chance}  ", (use.digest[:12], "dim")), soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for one in use.bins:
        value, held = _beside(one.value, one.bin or "no bin")
        worth = "" if one.points is None else _value(one.points)
        lost = "" if not one.lost or one.lost < 0 else f"{_value(one.lost)} lost"
        cells = (Text("           " + one.characteristic, "dim"), value, Text.assemble(("in  ", "dim"), held))
        table.add_row(*cells, Text(worth, justify="right"), Text(lost, "dim"))
    console.print(table)
    for reason in use.reasons:
        code = "" if reason.code == reason.words else f"  {reason.code}"
        console.print(
            Text.assemble("  ", (f"{_value(reason.lost)} lost", "red"), f"  {reason.words}", (code, "dim")),
            soft_wrap=True,
        )
    if use.said:
        console.print(Text(f"  {use.said}", "yellow"), soft_wrap=True)


def _reasons(store: "Store", record: "Stored", decision: "Decision") -> "tuple[ModelReason, ...]":
    """What moved the models in a decision whose answer names no reasons; none where that cannot be made again."""
    from tidegate.errors import TidegateError
    from tidegate.runtimes.remake import reasons_of

    if not any(use.digest for use in decision.models):
        return ()
    try:
        return reasons_of(store, record)
    except TidegateError:
        return ()  # `remake` and `verify` tell what is wrong with it


def _model(console: "Console", decision: "Decision", record: "Stored", reasons: "tuple[ModelReason, ...]") -> None:
    from rich.text import Text

    from tidegate.runtimes.records import edition_of

    raw = edition_of(record.record) == 1 and bool(decision.reasons)

    for use in decision.models:
        _title(console, "What the model says")
        said = f"  {use.model} says " + (use.label or "" if use.score is None else f"{use.score:.4f}")
        said += f", its otherwise: {use.otherwise}" if use.otherwise else ""
        console.print(Text.assemble(said, (f"  {use.digest[:12]}" if use.digest else "", "dim")), soft_wrap=True)
    for reason in reasons:
        console.print(
            Text.assemble(
                "  ",
                (f"{reason.contribution:+.2f}", "red" if reason.contribution > 0 else "green"),
                f"  {sentence(reason) if raw else reason.words}",
            )
        )
    if reasons and decision.outcome != "approve" and all(reason.contribution < 0 for reason in reasons):
        console.print("  Each of these lowers the risk: what speaks for the decision stands above.", style="dim")


def _evidence(console: "Console", decision: "Decision", record: "Stored", proof: dict[str, object]) -> None:
    from rich.text import Text

    from tidegate.evidence.elapsed import timing
    from tidegate.runtimes.records import schema_of

    _title(console, "Evidence")
    console.print(Text(f"  flow {decision.flow}"), soft_wrap=True)
    if schema := schema_of(record.record):
        console.print(f"  the event came with schema {schema} of the registry", soft_wrap=True)
    steps = proof["proof"]
    proven = several(len(steps) if isinstance(steps, list) else 0, "hash", "hashes")
    console.print(f"  record {record.seq:,} of {proof['size']:,}, proven in the log by {proven}", soft_wrap=True)
    if stages := timing(record.elapsed):
        took = ", ".join(f"{stage} {micros / 1000:.3f} ms" for stage, micros in stages.items())
        whole = "; of the whole batch that it was decided in, where there was one" if "decide" in stages else ""
        console.print(f"  {took}, as it was measured then{whole}; no seal covers that", soft_wrap=True)
    console.print(
        Text.assemble(
            "  seal ", (str(proof["leaf"])[:32] + "…", "dim"), "  root ", (str(proof["root"])[:32] + "…", "dim")
        ),
        soft_wrap=True,
    )


def sentence(reason: "ModelReason") -> str:
    """A reason of the first edition, whose words are in raw units: `quiet_for is 118 s, which raises the risk`."""
    effect = "raises" if reason.contribution > 0 else "lowers"
    value = reason.value
    if value is None:
        told = "not known"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        told = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
        # Of a duration the value is in seconds, and the words are in microseconds.
        raw = re.match(rf"{re.escape(reason.feature)} is (-?[\d,.]*\d)", reason.words)
        if value and raw and math.isclose(float(raw[1].replace(",", "")), value * 1e6, rel_tol=1e-3):
            told += " s"
    else:
        told = _value(value)
    return f"{reason.feature} is {told}, which {effect} the risk"


def _value(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"units", "currency"}:
        from tidegate.events.money import Money

        return str(Money(**value))
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _beside(value: Any, cell: str) -> tuple[str, str]:
    """A value and the cell that it is in, in one unit: of lengths of time, a record has the value in seconds."""
    from tidegate.events.durations import in_parts, microseconds

    if not isinstance(value, int | float) or isinstance(value, bool) or not _LENGTH.search(cell):
        return _value(value), cell
    us = round(Decimal(repr(value)) * 1_000_000)

    def in_words(found: re.Match[str]) -> str:
        return in_parts(sum(microseconds(part[0]) for part in _LENGTH_PART.finditer(found[0])))

    return in_parts(us), _LENGTH.sub(in_words, cell)
