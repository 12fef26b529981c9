"""What the commands that change a flow share: the register, who speaks, and with which key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tidegate.releases.register import Proposal, Register

RegisterPath = Annotated[
    Path, typer.Option("--register", "-r", envvar="TIDEGATE_REGISTER", help="The register of changes.")
]
Speaker = Annotated[str, typer.Option("--as", envvar="TIDEGATE_PERSON", help="Who you are, as the register knows you.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", envvar="TIDEGATE_PERSON_KEY", help="Your private key; default: NAME.pem.")
]
ProposalId = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id, or the beginning of it.")]
Why = Annotated[str, typer.Option("--why", help="Why, in words.")]
DEFAULT_REGISTER = Path("releases.db")


def opened_register(path: Path, *, read_only: bool = True) -> "Register":
    """The register, which is there already: only `people add` makes one.

    Raises:
        StoreError: there is none.
    """
    from tidegate.errors import StoreError
    from tidegate.releases.register import Register

    if not path.exists():
        raise StoreError(
            f"There is no register {path}.",
            do="Name one with --register or TIDEGATE_REGISTER; `tidegate people add NAME --role ROLE` makes one.",
        )
    return Register.open(path, read_only=read_only)


def say(register: "Register", what: str, name: str, file: Path | None, **more: Any) -> str:
    """Make a statement in someone's name; gives its digest.

    Raises:
        ReleaseError: this person may not say so, now.
    """
    from tidegate.cli.terminal import now
    from tidegate.errors import ReleaseError
    from tidegate.releases.keys import read_key
    from tidegate.releases.statement import Statement

    if not name:
        raise ReleaseError("The register wants to know who speaks.", do="Give --as NAME, or TIDEGATE_PERSON.")
    person = register.people.get(name)
    role = more.pop("role", person.role if person is not None else "")
    return register.say(
        Statement(what=what, by=name, role=role, at=now(), **more), read_key(file or Path(f"{name}.pem"))
    )


def say_if_lower(register: "Register", proposal: "Proposal") -> None:
    """Tell who is about to sign, or has, that a proposal would have fewer roles sign what comes after it."""
    from tidegate.cli.terminal import aside

    lowered = register.lowers(proposal.change)
    if lowered and proposal.id not in [one.proposal.id for one in register.versions(proposal.change.flow)]:
        aside().print(
            f"Once {proposal.short} is released, changes of {proposal.change.flow} are not signed by "
            f"{' and '.join(lowered)} any more.", style="yellow", soft_wrap=True,
        )  # fmt: skip


def state_of(register: "Register", proposal: "Proposal") -> str:
    """Where a proposal stands, in words."""
    live = register.live(proposal.change.flow)
    if live is not None and live.proposal.id == proposal.id:
        return "live"
    if proposal.id in [one.proposal.id for one in register.versions(proposal.change.flow)]:
        return "was live"
    return proposal.hindrance or "may be released" + (f", but {proposal.warning}" if proposal.warning else "")
