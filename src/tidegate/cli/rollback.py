"""`tidegate rollback`: take a change back at once."""

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.register import DEFAULT_REGISTER, KeyFile, RegisterPath, Speaker, Why, opened_register, say
from tidegate.cli.terminal import aside, when

if TYPE_CHECKING:
    from tidegate.releases.register import Live, Register


def rollback(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")],
    by: Speaker = "",
    why: Why = "",
    to: Annotated[str, typer.Option("--to", help="A proposal that was live; default: the one before.")] = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Let the version before decide again; again, the one before that, as far as one was.

    It was signed when it went live, so this needs nobody but you. What was taken back comes back by --to alone.
    """
    from tidegate.errors import ReleaseError
    from tidegate.releases.statement import ROLLED_BACK

    if not why.strip():
        raise ReleaseError("Who takes a change back says why, in words.", do='Give --why "Too many declines".')
    with opened_register(register, read_only=False) as opened:
        live = opened.live(flow)
        target = opened.proposal(to) if to else opened.before(flow)
        if live is None or target is None:
            raise _none_before(flow, opened)
        say(opened, ROLLED_BACK, by, key, proposal=target.id, why=why)
    aside().print(
        f"{flow}@{target.change.digest[:12]} is to decide again, no longer {_told(live)}.", soft_wrap=True, markup=False
    )


def _told(live: "Live") -> str:
    """A version, and since when it decides by whose word."""
    how = "taken back to" if live.back else "released"
    return f"{live.proposal.change.digest[:12]}, {how} by {live.by} on {when(live.at)} UTC"


def _none_before(flow: str, register: "Register") -> Exception:
    """Why a flow cannot be taken a step back, and what to do instead."""
    from tidegate.errors import ReleaseError

    live, wrong = register.live(flow), f"There is no version of {flow} to go back to."
    if live is None:
        do = "Name the flow as it is called in `tidegate history`."
        return ReleaseError(wrong, seen="none was released", do=do)
    others = {one.proposal.id: one.proposal.short for one in register.versions(flow)}
    others.pop(live.proposal.id)
    if not others:
        do = "Propose a version that mends it, `tidegate propose`, and let it be signed."
        return ReleaseError(wrong, seen=f"the only one, {_told(live)}", do=do)
    do = f"To let one decide that was taken back, name it with --to: {', '.join(others.values())}."
    return ReleaseError(wrong, seen=f"the first is live: {_told(live)}", do=do)
