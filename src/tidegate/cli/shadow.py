"""`tidegate shadow`: a challenger beside a champion, deciding on the same events and answering nobody."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.logs import LogFormat, write_logs
from tidegate.cli.options import DEFAULT_MODELS, ModelsPath
from tidegate.cli.terminal import aside, next_steps, quoted, ready, several
from tidegate.connectors.store_address import Address

_PAUSE = 0.2
"""Seconds between looks at a store that has nothing new."""
_SAVED = 60.0
"""Seconds between snapshots."""


def shadow(
    challenger: Annotated[
        str, typer.Argument(metavar="CHALLENGER", help="The flow to be tried: FILE.py or FILE.py:ClassName.")
    ],
    follow: Annotated[
        Address,
        typer.Option("--follow", parser=Address, metavar="STORE", help="The champion's store; it is only read."),
    ],
    store: Annotated[
        Address,
        typer.Option(
            "--store",
            "-s",
            parser=Address,
            metavar="STORE",
            help="Where the challenger's decisions go; made if it is not there.",
        ),
    ],
    models: ModelsPath = DEFAULT_MODELS,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is left to look at.")] = False,
    log_format: LogFormat = "text",
    parent: Annotated[int, typer.Option(hidden=True, help="Stop when this process is gone.")] = 0,
) -> None:
    """Let a challenger learn from, and decide on, every event that a champion takes.

    It answers nobody and the champion never waits for it. SIGTERM and Ctrl-C stop it; it goes on where it was. Where
    it cannot read what the champion takes, it ends with status 65: so it would each time, until its flow is changed.
    """
    from tidegate.cli.terminal import tell
    from tidegate.errors import UnfitError
    from tidegate.runtimes.serve.companion import UNFIT

    write_logs(log_format)
    try:
        _follow(challenger, follow, store, models, once=once, parent=parent)
    except UnfitError as error:
        tell(error)
        raise typer.Exit(UNFIT) from None


def _follow(challenger: str, follow: Address, store: Address, models: Path, *, once: bool, parent: int) -> None:
    ready()
    from time import monotonic

    from tidegate.cli.options import opened
    from tidegate.connectors.store import Store
    from tidegate.models.registry import Registry
    from tidegate.runtimes.engine import Engine
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.models import models_there
    from tidegate.runtimes.shadow import Shadow

    flow, stop, console = load_flow(challenger), threading.Event(), aside()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def ended() -> bool:
        return stop.is_set() or bool(parent and os.getppid() != parent)

    with opened(follow) as champion, Store.open(store) as own:
        engine = Engine(flow, models=models_there(flow.definition, Registry(models)), store=own)
        following = Shadow(champion, engine, own)
        name = f"{flow.definition.name}@{flow.definition.digest[:12]}"
        console.print(f"{name} follows {follow}; {several(following.behind, 'event')} behind", soft_wrap=True)
        saved = monotonic()
        while True:
            following.catch_up(stop=ended)
            if ended() or once:
                break
            if monotonic() - saved > _SAVED:
                engine.save()
                saved = monotonic()
            stop.wait(_PAUSE)
        engine.save()
    done = following.followed
    console.print(
        f"Stopped: {several(done.taken, 'event')} taken, {done.refused:,} of them refused; "
        f"{several(done.unknown, 'event')} of no use to it: of types, rules or lists that it does not have.",
        soft_wrap=True,
    )
    new, live, shadow = quoted(challenger), quoted(follow), quoted(store)
    next_steps(
        f"tidegate compare OLD {new} --live {live} --shadow {shadow}  what it would have decided otherwise",
    )
