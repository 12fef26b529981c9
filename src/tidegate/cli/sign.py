"""`tidegate sign`: agree to a proposed change, or refuse it."""

from typing import Annotated

import typer

from tidegate.cli.register import (
    DEFAULT_REGISTER,
    KeyFile,
    ProposalId,
    RegisterPath,
    Speaker,
    Why,
    opened_register,
    say,
    say_if_lower,
    state_of,
)
from tidegate.cli.terminal import aside, next_steps


def sign(
    proposal: ProposalId,
    by: Speaker = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it; then it cannot go live.")] = False,
    why: Why = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Sign a proposal in your role, with your key. Nobody signs their own."""
    from tidegate.errors import ReleaseError
    from tidegate.releases.statement import REFUSED, SIGNED

    if refuse and not why.strip():
        raise ReleaseError("Who refuses says why, in words.", do='Give --why "It would stop good customers".')
    with opened_register(register, read_only=False) as opened:
        found = opened.proposal(proposal)
        say_if_lower(opened, found)
        say(opened, REFUSED if refuse else SIGNED, by, key, proposal=found.id, why=why)
        state = state_of(opened, found)
    aside().print(f"Proposal {found.short}: {state}.", soft_wrap=True)
    if not found.hindrance:
        needed = ' --override --why "…"' if found.warning else ""
        next_steps(f"tidegate release {found.short} --as NAME{needed}  let it go live")
