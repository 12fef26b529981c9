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
from tidegate.connectors.told import Told, sinks
from tidegate.decisions.definition import Definition
from tidegate.errors import TidegateError
from tidegate.events.field import Personal
from tidegate.runtimes.serve.companion import Companion
from tidegate.runtimes.sinks import check_address

Gauges = dict[str, tuple[str, Callable[[], float]]]


def delivery_beside(
    addresses: Sequence[str],
    store: Address,
    definition: Definition,
    log_format: str,
    kafka_config: Path | None = None,
) -> Companion | None:
    """The process that tells others of a store's decisions; what is most personal in events is not sent.

    Raises:
        TidegateError: an address is none, so that it is told now and not by a process in the background.
    """
    if not addresses:
        return None
    words = ["alerts", "deliver", "--store", store.words(), "--parent", str(os.getpid()), "--log-format", log_format]
    for address in addresses:
        check_address(address, kafka_config)
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


def telling_figures(beside: Beside, store: Address, many: int, elsewhere: Callable[[], bool] = lambda: False) -> Gauges:
    """What is watched of it, `many` sinks: whether it runs, how many records the slowest sink lacks, what is held.

    Args:
        beside: what runs it.
        store: what is told of.
        many: how many sinks there are.
        elsewhere: whether another instance is the one that tells; then nothing lacks here.
    """

    def behind() -> float:
        if elsewhere():
            return 0.0
        with AlertsFile.beside(store.place) as file, Store.open(store, read_only=True) as kept:
            told = [marks[0][0] if (marks := Told(file, name).marks()) else 0 for name in sinks(file)]
            return float(kept.head().size - min(told)) if len(told) >= many else float(kept.head().size)

    def held() -> float:
        with AlertsFile.beside(store.place) as file:
            return float(file.read("SELECT count(*) FROM held")[0][0])

    return {
        "alerts_running": ("Whether the process that tells others of decisions runs.", lambda: float(beside.running)),
        "alerts_behind_records": ("Records that the slowest receiver was not told of.", _or_nan(behind)),
        "alerts_held": ("Decisions that a receiver rejected, held until they are sent again.", _or_nan(held)),
    }


def left_untold(beside: Beside, store: Address, many: int, stop: threading.Event, patience: float = 60.0) -> int:
    """Wait until others were told of all that a store holds, for so many seconds at most; gives what is left."""
    behind, until = telling_figures(beside, store, many)["alerts_behind_records"][1], time.monotonic() + patience
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
