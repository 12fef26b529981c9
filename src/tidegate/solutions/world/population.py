"""Who there is: customers with habits, cards, devices and accounts, and merchants with prices and popularity.

Everything is an array by index, drawn once from the seed; memory is proportional to the number of entities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.solutions.world.places import CATEGORIES, COUNTRIES, HOME
from tidegate.solutions.world.rhythm import GROUPS, LIVES, group

FAVOURITES = 10
FRIENDS = 4
DEVICES_EACH = 64
PHONE_LIFE = 900
_SCRAMBLE = np.uint64(0x9E3779B97F4A7)
_MASK = np.uint64((1 << 52) - 1)


def generator(seed: int, purpose: int, index: int = 0) -> np.random.Generator:
    """Random numbers for one purpose and one day or slice: independent of every other, whatever else is asked for."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, purpose, index])))


def device_id(raw: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A device's public number: a bijection of 52 bits, so that the number says nothing about its owner."""
    return ((raw.astype(np.uint64) * _SCRAMBLE) & _MASK).astype(np.int64)


class Tickets:
    """Weighted choice within groups in constant time: each item holds tickets in proportion to its weight.

    Args:
        weight: relative weight of each item, above 0.
        member: group of each item.
        groups: number of groups.
        each: tickets an item of average weight holds; the rounding of small weights is up to one ticket.
    """

    def __init__(self, weight: npt.NDArray[Any], member: npt.NDArray[Any], groups: int, each: int) -> None:
        self.held = np.maximum(1, np.rint(weight / weight.mean() * each)).astype(np.int64)
        order = np.argsort(member, kind="stable")
        self._flat = np.repeat(order.astype(np.int32), self.held[order])
        self.sizes = np.bincount(member, weights=self.held, minlength=groups).astype(np.int64)
        self._starts = np.cumsum(self.sizes) - self.sizes

    def draw(self, u: npt.NDArray[Any], member: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """An item of the group of each row; `u` is uniform in [0, 1) and no group may be empty."""
        ticket: npt.NDArray[np.int64] = self._starts[member] + (u * self.sizes[member]).astype(np.int64)
        return self._flat[ticket]

    def any(self, u: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """An item of any group."""
        return self._flat[(u * len(self._flat)).astype(np.int64)]


@dataclass(frozen=True, slots=True)
class Merchants:
    """Merchants by index. `price` is the median payment in euros; popularity is Zipf-like within a country."""

    country: npt.NDArray[np.uint8]
    category: npt.NDArray[np.uint8]
    mcc: npt.NDArray[np.uint16]
    price: npt.NDArray[np.float32]
    online: npt.NDArray[np.bool_]
    shops: Tickets
    sites: Tickets
    fences: Tickets
    """Where a thief turns a card into goods: (country, online) groups weighted by resale, not by popularity."""

    def __len__(self) -> int:
        return len(self.country)


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers by index: `level` multiplies prices, `sites` is the share spent online, `phase` dates the phone."""

    home: npt.NDArray[np.uint8]
    group: npt.NDArray[np.int64]
    tickets: Tickets
    level: npt.NDArray[np.float32]
    sites: npt.NDArray[np.float32]
    favourites: npt.NDArray[np.int32]
    cards: npt.NDArray[np.int64]
    card_count: int
    laptop: npt.NDArray[np.bool_]
    phase: npt.NDArray[np.int16]
    friends: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.home)

    @property
    def strangers(self) -> int:
        """First raw device number that belongs to no customer."""
        return len(self) * DEVICES_EACH

    def phone(self, customer: npt.NDArray[np.integer[Any]], day: int) -> npt.NDArray[np.int64]:
        """The phone a customer has on a day: replaced every `PHONE_LIFE` days, at a time of its own."""
        held = (self.phase[customer].astype(np.int64) + day) // PHONE_LIFE
        number = customer.astype(np.int64) * DEVICES_EACH + np.minimum(held, DEVICES_EACH - 2) + 1
        return np.asarray(number, dtype=np.int64)

    def phone_age(self, customer: npt.NDArray[Any], day: int) -> npt.NDArray[np.int64]:
        """Days since the phone was new."""
        return np.asarray((self.phase[customer].astype(np.int64) + day) % PHONE_LIFE, dtype=np.int64)


def _pick(rng: np.random.Generator, weight: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.uint8]:
    return rng.choice(len(weight), n, p=weight / weight.sum()).astype(np.uint8)


def merchants(rng: np.random.Generator, n: int) -> Merchants:
    """Draw `n` merchants; every country gets a few, so that a traveller always finds a shop."""
    category = _pick(rng, np.array([c.weight for c in CATEGORIES]), n)
    country = _pick(rng, HOME + 0.8, n)
    online = rng.random(n) < np.array([c.online for c in CATEGORIES])[category]
    # The first 3 in every country: two shops and a site.
    seats = 3 * len(COUNTRIES)
    country[:seats] = np.arange(seats) // 3
    online[:seats] = np.arange(seats) % 3 == 2
    price = np.array([c.price for c in CATEGORIES])[category] * rng.lognormal(0.0, 0.35, n)
    rank = rng.permutation(n) + 1
    popularity = (n / rank) ** 0.85
    resale = np.array([c.resale for c in CATEGORIES])[category]
    # A ticket table holds all merchants; the wrong sort sits in a group of its own that nobody draws from.
    countries = len(COUNTRIES)
    return Merchants(
        country=country,
        category=category,
        mcc=np.array([c.mcc for c in CATEGORIES], dtype=np.uint16)[category],
        price=price.astype(np.float32),
        online=online,
        shops=Tickets(popularity, np.where(online, countries, country), countries + 1, 12),
        sites=Tickets(popularity, online.astype(np.int64), 2, 12),
        fences=Tickets(resale, country.astype(np.int64) * 2 + online, countries * 2, 6),
    )


def customers(rng: np.random.Generator, n: int, shops: Merchants) -> Customers:
    """Draw `n` customers with their habits and favourite merchants."""
    home = _pick(rng, HOME, n)
    groups = group(home, rng.choice(LIVES, n, p=[0.5, 0.25, 0.25]).astype(np.uint8))
    sites = rng.beta(1.6, 3.2, n).astype(np.float32)
    favourites = np.empty((n, FAVOURITES), dtype=np.int32)
    for place in range(FAVOURITES):
        near = shops.shops.draw(rng.random(n), home)
        far = shops.sites.draw(rng.random(n), np.ones(n, dtype=np.int64))
        favourites[:, place] = np.where(rng.random(n) < sites, far, near)
    second = rng.random(n) < 0.3
    first_card = np.arange(n, dtype=np.int64)
    other_card = np.where(second, n + np.cumsum(second) - 1, first_card)
    return Customers(
        home=home,
        group=groups,
        tickets=Tickets(rng.lognormal(0.0, 0.7, n), groups, GROUPS, 5),
        level=rng.lognormal(0.0, 0.45, n).astype(np.float32),
        sites=sites,
        favourites=favourites,
        cards=np.stack([first_card, other_card]),
        card_count=n + int(second.sum()),
        laptop=rng.random(n) < 0.55,
        phase=rng.integers(0, PHONE_LIFE, n).astype(np.int16),
        friends=rng.integers(0, n, (n, FRIENDS)).astype(np.int32),
    )
