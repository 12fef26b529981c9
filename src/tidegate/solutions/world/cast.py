"""The cast of a story: everything a script may look at, for one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tidegate.solutions.world.everyday import hiding
from tidegate.solutions.world.places import COUNTRIES, THEFT
from tidegate.solutions.world.population import Customers, Merchants
from tidegate.solutions.world.rhythm import DAY, hourly
from tidegate.solutions.world.script import Ints

_THIEVES = 1 << 20


@dataclass(frozen=True, slots=True)
class Gangs:
    """Standing groups of criminals, by index.

    `members` and `mules` list customers, gang after gang; gang `i` owns the positions `starts[i]` to `starts[i + 1]`.
    A ring has `ring_devices` devices each and one complicit merchant; a herd of mules has no merchant.
    """

    members: Ints
    ring_starts: Ints
    merchants: Ints
    mules: Ints
    herd_size: int

    @property
    def rings(self) -> int:
        """How many colluding rings there are."""
        return len(self.merchants)

    @property
    def herds(self) -> int:
        """How many herds of mule accounts there are."""
        return len(self.mules) // self.herd_size


@dataclass(frozen=True, slots=True)
class Cast:
    """People, places and the day: what scripts are written from."""

    people: Customers
    shops: Merchants
    gangs: Gangs
    where: npt.NDArray[np.uint8]
    outside: int
    day: int
    midnight: int
    date: date

    def victims(self, rng: np.random.Generator, n: int) -> Ints:
        """Customers in proportion to how much they pay: a card that is used more is seen by more thieves."""
        return self.people.tickets.any(rng.random(n)).astype(np.int64)

    def card(self, rng: np.random.Generator, customer: Ints) -> Ints:
        """One of the cards of each customer."""
        return self.people.cards[rng.integers(0, 2, len(customer)), customer]

    def waking(self, rng: np.random.Generator, customer: Ints) -> Ints:
        """A time of this day at which each customer is likely to be up and about, µs."""
        rates = hourly(self.date)[self.people.group[customer]]
        passed = np.cumsum(rates, axis=1)
        hour = (passed < (rng.random(len(customer)) * passed[:, -1])[:, None]).sum(axis=1)
        return np.asarray(self.midnight + ((hour + rng.random(len(customer))) * (DAY / 24)).astype(np.int64))

    def anytime(self, rng: np.random.Generator, n: int) -> Ints:
        """Times spread over the day, µs: thieves keep no shop hours."""
        return self.midnight + rng.integers(0, DAY, n)

    def thief_devices(self, rng: np.random.Generator, n: int) -> Ints:
        """A thief's device for each story: half of them come back to one device, a sixth hide what theirs is."""
        u = rng.random(n)
        several = rng.integers(0, n // 3 + 1, n)
        number = np.where(u < 0.5, several, n + np.arange(n))
        own = self.people.strangers + self.day * _THIEVES + number
        return np.where(u > 0.83, hiding(rng, self.people, n), own)

    def thief_countries(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.uint8]:
        """Where stolen cards are used."""
        return rng.choice(len(COUNTRIES), n, p=THEFT / THEFT.sum()).astype(np.uint8)
