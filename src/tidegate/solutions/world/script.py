"""Scripts: what a story makes happen, as columns, and the arithmetic for unrolling many stories at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
Columns = dict[str, Column]
Ints = npt.NDArray[np.int64]

MINUTE = 60_000_000
EURO = 100


class Channel(IntEnum):
    """How a card was presented."""

    chip = 0
    contactless = 1
    online = 2


class FraudKind(IntEnum):
    """Why an event is fraud; 0 is honest and becomes null in a frame."""

    honest = 0
    stolen_card = 1
    card_testing = 2
    account_takeover = 3
    mule_chain = 4
    colluding_ring = 5


class LookAlike(IntEnum):
    """Why an honest event looks like fraud; 0 is ordinary and becomes null in a frame."""

    ordinary = 0
    travel = 1
    large_purchase = 2
    new_device = 3
    spree = 4
    small_payments = 5
    forgotten_password = 6
    collection = 7


PAYMENT: dict[str, type] = {
    "at": np.int64,
    "card": np.int64,
    "customer": np.int64,
    "merchant": np.int64,
    "device": np.int64,
    "country": np.uint8,
    "channel": np.uint8,
    "amount": np.int64,
    "declined": np.bool_,
    "fraud_kind": np.uint8,
    "look_alike": np.uint8,
}
LOGIN: dict[str, type] = {
    "at": np.int64,
    "customer": np.int64,
    "device": np.int64,
    "country": np.uint8,
    "success": np.bool_,
    "fraud_kind": np.uint8,
    "look_alike": np.uint8,
}
TRANSFER: dict[str, type] = {
    "at": np.int64,
    "payer": np.int64,
    "payee": np.int64,
    "amount": np.int64,
    "fraud_kind": np.uint8,
    "look_alike": np.uint8,
}
CONFIRMED: dict[str, type] = {
    "at": np.int64,
    "payment": np.int64,
    "card": np.int64,
    "customer": np.int64,
    "merchant": np.int64,
}


def rows(shape: dict[str, type], **given: Any) -> Columns:
    """Columns of one event type; scalars are repeated, what is not given is 0. `at` sets the length."""
    n = len(given["at"])
    return {
        name: np.array(np.broadcast_to(np.asarray(given.get(name, 0)), (n,)), dtype=kind)
        for name, kind in shape.items()
    }


def gather(shape: dict[str, type], parts: list[Columns]) -> Columns:
    """The parts one after another; no parts give columns without rows."""
    if not parts:
        return {name: np.empty(0, dtype=kind) for name, kind in shape.items()}
    return {name: np.concatenate([part[name] for part in parts]) for name in shape}


@dataclass(slots=True)
class Script:
    """What the stories that begin on one day make happen, on that day and the next ones."""

    payments: list[Columns] = field(default_factory=list)
    logins: list[Columns] = field(default_factory=list)
    transfers: list[Columns] = field(default_factory=list)


class Waiting:
    """Events already decided that lie ahead; memory is what the open stories need, never the length of the run."""

    def __init__(self, shape: dict[str, type]) -> None:
        self._shape = shape
        self._ahead = gather(shape, [])

    def add(self, parts: list[Columns]) -> None:
        """Take in parts; they may be in any order."""
        if parts:
            self._ahead = gather(self._shape, [self._ahead, *parts])

    def until(self, end: int) -> Columns:
        """Remove and return what happens before `end` (µs), in order of time; ties keep the order of arrival."""
        due = self._ahead["at"] < end
        taken = {name: column[due] for name, column in self._ahead.items()}
        self._ahead = {name: column[~due] for name, column in self._ahead.items()}
        order = np.argsort(taken["at"], kind="stable")
        return {name: column[order] for name, column in taken.items()}


def unroll(steps: Ints) -> tuple[Ints, Ints]:
    """For stories of so many steps: which story each row belongs to, and which step of it the row is (from 0)."""
    story = np.repeat(np.arange(len(steps)), steps)
    first = np.cumsum(steps) - steps
    return story, np.arange(len(story)) - first[story]


def unfold(start: Ints, story: Ints, step: Ints, gaps: Ints) -> Ints:
    """Times of the rows: each story's start, plus the gaps up to the row; the gap of a first step counts as well."""
    passed = np.cumsum(gaps)
    first = np.flatnonzero(step == 0)
    before = passed[first] - gaps[first]
    return np.asarray(start[story] + passed - before[story], dtype=np.int64)


def waits(rng: np.random.Generator, mean: float, n: int) -> Ints:
    """Exponential waits of `mean` µs, cut at eight times the mean so that a story always ends."""
    return np.asarray(np.minimum(rng.exponential(mean, n), 8 * mean), dtype=np.int64)


def money(euros: npt.NDArray[np.float64], least: int = 50, most: int = 2_500_000) -> Ints:
    """Euros to cents, within what a card takes."""
    return np.asarray(np.clip(np.rint(euros * EURO), least, most), dtype=np.int64)
