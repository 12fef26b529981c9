"""The delivery of alerts beside something that decides: how it is started, and how far behind it is."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.store import Store
from tidegate.connectors.store_address import Address
from tidegate.connectors.told import Told
from tidegate.decisions.definition import Definition
from tidegate.errors import TidegateError
from tidegate.events.field import Personal
from tidegate.runtimes.serve.companion import Companion

Gauges = dict[str, tuple[str, Callable[[], float]]]


def delivery_beside(
    addresses: Sequence[str],
    store: Address,
    definition: Definition,
    log_format: str,
    kafka_config: Path | None = None,
) -> Companion | None:
    """The process that tells others of a store's decisions; what is most personal in events is not sent.

    Args:
        addresses: of those that are told, each seen to be one (`receivers`).
        store: whose decisions are told.
        definition: of the flow.
        log_format: as of our own log.
        kafka_config: file of properties for topics.
    """
    if not addresses:
        return None
    words = ["alerts", "deliver", "--store", store.words(), "--parent", str(os.getpid()), "--log-format", log_format]
    for address in addresses:
        words += ["--to", address]
    if kafka_config is not None:
        words += ["--kafka-config", str(kafka_config)]
    fields = [field for kind in definition.kinds for field in kind.__contract__.values()]
    kept_back = sorted({field.name for field in fields if field.about.personal is Personal.SPECIAL})
    if kept_back:
        words += ["--leave-out", ",".join(kept_back)]
    return Companion(words, "The delivery of alerts")


class Beside(Protocol):
    """What runs the delivery."""

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        ...


def telling_figures(
    beside: Beside,
    store: Address,
    names: Sequence[str],
    elsewhere: Callable[[], bool] = lambda: False,
    held_up: Callable[[], bool] = lambda: False,
) -> Gauges:
    """What is watched of it: whether it runs, how many records the slowest sink lacks, what is held.

    Args:
        beside: what runs it.
        store: what is told of.
        names: of the sinks that are told. Others may have been told once, or be told when someone asks, as the index
            without a server is: that they lack records is as it should be.
        elsewhere: whether another instance is the one that tells; then nothing lacks here.
        held_up: whether something keeps this instance from deciding; then it is not known whether another one tells.
    """

    def behind() -> float:
        if elsewhere():
            return float("nan") if held_up() else 0.0
        with AlertsFile.beside(store.place) as file, Store.open(store, read_only=True) as kept:
            told = [marks[0][0] if (marks := Told(file, name).marks()) else 0 for name in names]
            return float(kept.head().size - min(told))

    def held() -> float:
        with AlertsFile.beside(store.place) as file:
            return float(sum(Told(file, name).how_many_held() for name in names))

    return {
        "alerts_running": ("Whether the process that tells others of decisions runs.", lambda: float(beside.running)),
        "alerts_behind_records": ("Records that the slowest receiver was not told of.", _or_nan(behind)),
        "alerts_held": ("Decisions that a receiver rejected, held until they are sent again.", _or_nan(held)),
    }


def left_untold(
    beside: Beside, store: Address, names: Sequence[str], stop: threading.Event, patience: float = 60.0
) -> int:
    """Wait until others were told of all that a store holds, for so many seconds at most; gives what is left."""
    behind, until = telling_figures(beside, store, names)["alerts_behind_records"][1], time.monotonic() + patience
    while (left := behind()) != 0 and time.monotonic() < until and not stop.wait(0.2):
        pass
    return 0 if left != left else int(left)


def _or_nan(figure: Callable[[], float]) -> Callable[[], float]:
    """Not a number where the file cannot be read now; the other figures are told all the same."""

    def told() -> float:
        try:
            return figure()
        except TidegateError:
            return float("nan")

    return told
