"""`tidegate rollback`: take a change back at once."""

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.register import DEFAULT_REGISTER, KeyFile, RegisterPath, Speaker, Why, opened_register, say
from tidegate.cli.terminal import aside

if TYPE_CHECKING:
    from tidegate.releases.register import Live, Proposal


def rollback(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name.")],
    by: Speaker = "",
    why: Why = "",
    to: Annotated[str, typer.Option("--to", help="A proposal that was live; default: the one before.")] = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Let the version before decide again. It was signed when it went live, so this needs nobody but you."""
    from tidegate.errors import ReleaseError
    from tidegate.releases.statement import ROLLED_BACK

    if not why.strip():
        raise ReleaseError("Who takes a change back says why, in words.", do='Give --why "Too many declines".')
    with opened_register(register, read_only=False) as opened:
        versions = opened.versions(flow)
        if len(versions) < 2 and not to:
            raise ReleaseError(
                f"There is no version of {flow} to go back to.",
                seen="one version was released" if versions else "none was released",
                do="Name the flow as it is called in `tidegate history`.",
            )
        target = opened.proposal(to) if to else _before(versions[-1].proposal.id, versions)
        say(opened, ROLLED_BACK, by, key, proposal=target.id, why=why)
    aside().print(f"{flow}@{target.change.digest[:12]} is to decide again.", soft_wrap=True)


def _before(live: str, versions: "tuple[Live, ...]") -> "Proposal":
    """The last version that is another than the one that is live."""
    return next(one.proposal for one in reversed(versions) if one.proposal.id != live)
