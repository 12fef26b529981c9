"""`tidegate decisions`: what was decided, the newest first."""

from typing import Annotated

import typer

from tidegate.cli.options import DEFAULT_STORE, AsJson, StoreAddress, opened
from tidegate.cli.terminal import COLOURS, aside, emit, next_steps, print_lines, quoted, when
from tidegate.connectors.store_address import Address


def decisions(
    store: StoreAddress = DEFAULT_STORE,
    outcome: Annotated[str, typer.Option(help="Only these: approve, review or decline.")] = "",
    level: Annotated[str, typer.Option(help="Only of this level, as the flow names it.")] = "",
    since: Annotated[str, typer.Option(help="Only events since then: 2025-09-10, or 2h before the newest event.")] = "",
    search: Annotated[
        str, typer.Option(help="Only those whose id, event or answer holds this text, such as a card.")
    ] = "",
    alarms: Annotated[bool, typer.Option("--alarms", help="Only alarms.")] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="Instead of decisions: events that were not taken, and why.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List decisions of a store, the newest first. With --json one object a line.

    They are listed as the store has them; `tidegate verify` proves that they are as they were sealed.
    """
    from tidegate.decisions.rule import outcome_of

    outcome = outcome_of(outcome).word if outcome else ""
    if refused:
        _refused(store, limit, as_json=as_json)
        return
    with opened(store) as kept:
        begin = begin_of(kept, since)
        found = kept.list(
            outcome=outcome or None,
            level=level or None,
            since=begin,
            text=search or None,
            alarm=alarms,
            limit=limit,
        )
    if as_json:
        for row in found:
            emit(
                {name: getattr(row, name) for name in row.__struct_fields__}
                | {"at": when(row.at).replace(" ", "T") + "Z"}
            )
        return
    if not found:
        aside().print("No decision fits.", style="yellow")
        return
    rows = [
        (
            row.id, when(row.at), row.outcome or "", row.level or "",
            "" if row.score is None else f"{row.score:.4f}", "alarm" if row.alarm else "",
        )
        for row in found
    ]  # fmt: skip
    styles = {2: COLOURS, 5: {"alarm": "bold red"}}
    print_lines(("id", "at (UTC)", "outcome", "level", "score", ""), rows, right=(4,), styles=styles)
    if len(found) == limit:
        aside().print(f"\nThe newest {limit}; more with --limit.", style="dim")
    at = quoted(store)
    next_steps(
        f"tidegate explain {quoted(found[0].id)} --store {at}  why it was decided so",
        f"tidegate verify --store {at}  prove that these are as they were sealed, which a list does not look at",
    )


def _refused(store: Address, limit: int, *, as_json: bool) -> None:
    """What was not taken, the newest first."""
    with opened(store) as kept:
        found = kept.refusals(limit=limit, newest=True)
    if as_json:
        for number, refusal in found:
            at = when(refusal.at).replace(" ", "T") + "Z"
            emit(
                {"number": number, "id": refusal.id, "at": at, "reason": refusal.reason, "digest": refusal.digest.hex()}
            )
        return
    if not found:
        aside().print("Nothing was refused.", style="yellow")
        return
    print_lines(("id", "at (UTC)", "reason"), [(one.id, when(one.at), one.reason) for _, one in found])
    if len(found) == limit:
        aside().print(f"\nThe newest {limit}; more with --limit.", style="dim")


def since_of(text: str) -> tuple[int | None, int]:
    """What `--since` says: a point in time, or None and a length of time; both in microseconds.

    Raises:
        TidegateError: it says neither.
    """
    from datetime import UTC, datetime

    from tidegate.errors import FlowError, TidegateError
    from tidegate.events.durations import microseconds
    from tidegate.events.times import microseconds_of

    try:
        at = datetime.fromisoformat(text)
        return microseconds_of(at if at.tzinfo else at.replace(tzinfo=UTC)), 0
    except ValueError:
        pass
    try:
        return None, microseconds(text)
    except FlowError:
        raise TidegateError(
            "--since is a date, a time, or a length of time.", seen=text, do="Write 2025-09-10, 2025-09-10T08:00 or 2h."
        ) from None


def begin_of(store: object, text: str) -> int | None:
    """A point in time from a date, a time, or a length of time before the newest event."""
    if not text:
        return None
    at, span = since_of(text)
    if at is not None:
        return at
    newest = store.list(limit=1)  # type: ignore[attr-defined]
    return int(newest[0].at) - span if newest else 0
