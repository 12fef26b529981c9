"""`tidegate history`: what was said of changes, in order, and where each stands."""

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.register import DEFAULT_REGISTER, RegisterPath, opened_register, say_if_lower, state_of
from tidegate.cli.terminal import aside, emit, next_steps, out, when

if TYPE_CHECKING:
    from tidegate.releases.register import Proposal


def history(
    proposal: Annotated[str, typer.Argument(metavar="[PROPOSAL]", help="One proposal, with its comparison.")] = "",
    register: RegisterPath = DEFAULT_REGISTER,
    as_json: AsJson = False,
) -> None:
    """Show every statement of the register: who, in which role, when, what and why. Each signature is checked."""
    from tidegate.releases.register import SHORT
    from tidegate.releases.statement import plain

    with opened_register(register) as opened:
        if proposal:
            found = opened.proposal(proposal)
            say_if_lower(opened, found)
            change = found.change
            data = opened.store.get_artefact(bytes.fromhex(change.comparison))[1] if change.comparison else b"null"
            _one(found, state_of(opened, found), change.summary, data, as_json=as_json)
            return
        said, states = opened.statements, {one.short: state_of(opened, one) for one in opened.proposals.values()}
        ids = iter(opened.proposals)
    lines = [(one, next(ids) if one.change is not None else one.proposal) for one in said]
    if as_json:
        for one, id in lines:
            emit(plain(one) | ({"proposal": id} if id else {}) | {"at": when(one.at).replace(" ", "T") + "Z"})
        return
    if not lines:
        aside().print("Nothing was said yet.", style="yellow")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("at (UTC)", "who", "role", "said", "of", "why"):
        table.add_column(name, overflow="fold")
    for one, id in lines:
        version = f" {one.change.flow}@{one.change.digest[:12]}" if one.change is not None else ""
        about = one.person or id[:SHORT] + version
        table.add_row(when(one.at), Text(one.by), Text(one.role), one.what, Text(about), Text(one.why))
    out().print(table)
    for id, state in states.items():
        out().print(f"{id}  {state}", markup=False, soft_wrap=True)
    next_steps(f"tidegate verify --store {register}  prove that nothing was touched")


def _one(found: "Proposal", state: str, summary: str, comparison: bytes, *, as_json: bool) -> None:
    import msgspec

    compared = msgspec.json.decode(comparison)
    if as_json:
        emit({"proposal": found.id, "state": state, "comparison": compared})
        return
    console = out()
    console.print(f"[bold]{found.short}[/]  {state}", soft_wrap=True)
    console.print(f"  {summary}", markup=False, soft_wrap=True)
    for change in (compared or {}).get("changes", []):
        console.print(
            f"  {change['line']}: {change['old'] or '–'} → {change['new'] or '–'}", markup=False, soft_wrap=True
        )
