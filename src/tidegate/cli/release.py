"""`tidegate release`: let a signed change go live."""

from tidegate.cli.options import Override
from tidegate.cli.register import (
    DEFAULT_REGISTER,
    KeyFile,
    ProposalId,
    RegisterPath,
    Speaker,
    Why,
    opened_register,
    say,
)
from tidegate.cli.terminal import aside, next_steps


def release(
    proposal: ProposalId,
    by: Speaker = "",
    override: Override = False,
    why: Why = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Let a proposal go live. Servers that follow the register take it over within seconds, without a restart.

    One that asks models whose reasons fall short or were never measured needs --override and --why.
    """
    from tidegate.releases.statement import RELEASED

    with opened_register(register, read_only=False) as opened:
        found = opened.proposal(proposal)
        say(opened, RELEASED, by, key, proposal=found.id, why=why, override=override)
        before = opened.versions(found.change.flow)[:-1]
    aside().print(f"{found.change.flow}@{found.change.digest[:12]} is to decide from now on.", soft_wrap=True)
    if found.warning:
        aside().print(f"It was released although {found.warning}.", style="yellow", soft_wrap=True)
    if before:
        next_steps(f'tidegate rollback {found.change.flow} --as NAME --why "…"  take it back at once')
