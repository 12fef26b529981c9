"""A challenger beside what decides, a server or a stream: it follows the store, in a process of its own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.connectors.store_address import Address
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.runtimes.serve.companion import Companion

ChallengerPlace = Annotated[
    str, typer.Option("--challenger", help="A flow that decides on the same events and answers nobody.")
]
ShadowPath = Annotated[Path | None, typer.Option("--shadow", help="Where its decisions go; default: STORE.shadow.")]


def shadow_of(store: Address, shadow: Path | None) -> Path:
    """Where the decisions of the challenger go."""
    return shadow or store.place.with_name(store.place.name + ".shadow")


def challenger_beside(
    place: str, store: Address, shadow: Path | None, models: Path, log_format: str
) -> "Companion | None":
    """The process in which a challenger follows the store, with logs as ours; none if there is no challenger.

    Raises:
        TidegateError: it is said where the decisions of no challenger go, or its flow has a mistake.
    """
    from tidegate.runtimes.load import load_parts
    from tidegate.runtimes.serve.companion import Companion

    if not place:
        if shadow is not None:
            raise TidegateError(
                "--shadow has no effect without a challenger, whose decisions go there.",
                seen=f"--shadow {shadow}",
                do="Name the challenger with --challenger FLOW, or leave it out.",
            )
        return None
    files = load_parts(place)[1]  # its mistakes are told now, and not by a process in the background
    words = ["shadow", place, "--follow", store.words(), "--store", str(shadow_of(store, shadow))]
    words += ["--models", str(models), "--parent", str(os.getpid()), "--log-format", log_format]
    return Companion(words, f"The challenger {place}", files)


def challenger_figures(beside: "Companion") -> dict[str, tuple[str, Callable[[], int]]]:
    """What a scrape is told of it."""
    return {
        "shadow_running": ("Whether the challenger's process runs.", lambda: int(beside.running)),
        "shadow_unfit": (
            "Whether the challenger cannot read the champion's events, and stays down until its flow is changed.",
            lambda: int(beside.unfit),
        ),
    }
