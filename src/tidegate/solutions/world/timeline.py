"""The run of the world: slices of time in order, each drawn from its own random numbers.

A slice is a fixed part of a day, chosen from the size of the world alone. Chunks asked for by a reader are cut from
slices afterwards, so no chunk size can change the world. What is kept between slices is the entities and the stories
that are still open: memory does not grow with the length of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from tidegate.solutions.world import everyday, gangs, lookalikes, thefts
from tidegate.solutions.world.cast import Cast, Gangs
from tidegate.solutions.world.population import Customers, Merchants, customers, generator, merchants
from tidegate.solutions.world.rhythm import DAY, GROUPS, HOUR, hourly, moments, season
from tidegate.solutions.world.script import (
    CONFIRMED,
    LOGIN,
    PAYMENT,
    TRANSFER,
    Columns,
    FraudKind,
    Ints,
    Script,
    Waiting,
    gather,
    rows,
)

EVENTS = ("payment", "login", "transfer", "confirmed_fraud")
LOGINS_PER_DAY = 0.8
TRANSFERS_PER_DAY = 0.3
SLICE = 60_000
CONFIRMED_SHARE = 0.95
# Share of the fraudulent payments by kind, and of the transfers by mule chains.
STOLEN, TESTING, TAKEOVER, RING = 0.36, 0.24, 0.2, 0.2
MULES = 0.005
_DIVISORS = (1, 2, 3, 4, 6, 8, 12, 24)
_POPULATION, _GANGS, _TRIPS, _STORIES, _PAYMENTS, _LOGINS, _TRANSFERS, _CONFIRMED = range(8)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a world is made from; `World` checks the values and documents them."""

    seed: int
    customers: int
    merchants: int
    days: int
    start: date
    payments_per_day: float
    fraud_rate: float

    @property
    def daily(self) -> float:
        """Payments expected on an average day."""
        return self.customers * self.payments_per_day

    @property
    def begin(self) -> int:
        """The first moment, µs since 1970 UTC."""
        return int(datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC).timestamp()) * 1_000_000

    @property
    def parts(self) -> int:
        """Slices in a day: a divisor of 24, or a multiple of it."""
        wanted = int(np.ceil(self.daily / SLICE))
        return next((d for d in _DIVISORS if d >= wanted), -(-wanted // 24) * 24)

    @property
    def outside(self) -> int:
        """Accounts at other banks."""
        return max(50, self.customers // 10)


@dataclass(frozen=True, slots=True)
class Entities:
    """Everybody and everything that exists when the world begins."""

    people: Customers
    shops: Merchants
    gangs: Gangs


def entities(s: Settings) -> Entities:
    """Draw the entities of a world."""
    rng = generator(s.seed, _POPULATION)
    shops = merchants(rng, s.merchants)
    people = customers(rng, s.customers, shops)
    of_a_ring = sum(gangs.RING_MEMBERS) / 2
    sessions = of_a_ring * gangs.RING_SESSION * gangs.RING_ACTIVE
    rings = max(1, round(s.daily * s.fraud_rate * RING / sessions))
    rings = min(rings, max(1, int(s.customers / 10 / of_a_ring)))
    herds = max(2, s.customers // 2_500)
    return Entities(people, shops, gangs.recruit(generator(s.seed, _GANGS), people, shops, rings, herds))


def stories(s: Settings, cast: Cast) -> list[Script]:
    """The stories that begin on one day, fraudulent and honest."""
    rng = generator(s.seed, _STORIES, cast.day)

    def so_many(mean: float) -> int:
        return int(rng.poisson(mean))

    fraud, busy = s.daily * s.fraud_rate, s.daily * season(cast.date)
    scripts = [
        lookalikes.spree(rng, cast, so_many(busy * 0.018 / 6)),
        lookalikes.small_payments(rng, cast, so_many(busy * 0.012 / 8)),
        lookalikes.forgotten_password(rng, cast, so_many(s.customers * 0.008)),
        lookalikes.collection(rng, cast, so_many(s.customers * 0.0012)),
    ]
    if fraud > 0:
        chains = s.customers * TRANSFERS_PER_DAY * MULES / 8.5
        scripts += [
            thefts.stolen_card(rng, cast, so_many(fraud * STOLEN / thefts.STOLEN_STEPS)),
            thefts.card_testing(rng, cast, so_many(fraud * TESTING / thefts.TESTING_STEPS)),
            gangs.account_takeover(rng, cast, so_many(fraud * TAKEOVER / gangs.TAKEOVER_STEPS)),
            gangs.mule_chain(rng, cast, so_many(chains)),
            gangs.colluding_ring(rng, cast),
        ]
    return scripts


def _merge(columns: Columns, landed: Ints, scripted: Columns) -> Columns:
    """Put scripted rows where their times landed; what was drawn there as everyday life is overwritten."""
    for name, column in scripted.items():
        columns[name][landed] = column
    return columns


def _confirmations(rng: np.random.Generator, payments: Columns, ids: Ints) -> Columns:
    """Reports of frauds: 95 % of them, two days later at the earliest, a week on average, three weeks at the latest."""
    fraud = np.flatnonzero(payments["fraud_kind"] != FraudKind.honest)
    fraud = fraud[rng.random(len(fraud)) < CONFIRMED_SHARE]
    delay = 2 * DAY + np.minimum(rng.gamma(5.0, 1.0, len(fraud)), 19.0) * DAY
    return rows(
        CONFIRMED,
        at=payments["at"][fraud] + delay.astype(np.int64),
        payment=ids[fraud],
        card=payments["card"][fraud],
        customer=payments["customer"][fraud],
        merchant=payments["merchant"][fraud],
    )


def run(s: Settings, world: Entities, *, only: str | None = None) -> Iterator[dict[str, Columns]]:
    """The slices of the world in order: for each event type its columns, in order of time, `id` included.

    Args:
        only: one event type; the everyday life of the others is not drawn. What is drawn does not depend on it.
    """
    people, shops = world.people, world.shops
    share = np.bincount(people.group, weights=people.tickets.held, minlength=GROUPS)
    share = share / share.sum() * s.customers / 24
    ahead = {"payment": Waiting(PAYMENT), "login": Waiting(LOGIN), "transfer": Waiting(TRANSFER)}
    reported = Waiting(CONFIRMED)
    reissued = np.zeros(people.card_count, dtype=np.int64)
    seen = dict.fromkeys(EVENTS, 0)
    hour = HOUR if s.parts <= 24 else DAY // s.parts
    width = DAY // s.parts
    per_slice = width // hour
    where: npt.NDArray[np.uint8] = np.empty((0, 0), dtype=np.uint8)
    for index in range(s.days * s.parts):
        day, part = divmod(index, s.parts)
        today = s.start + timedelta(days=day)
        midnight = s.begin + day * DAY
        if part == 0:
            if day % everyday.TRIP_DAYS == 0:
                where = everyday.trips(generator(s.seed, _TRIPS, day // everyday.TRIP_DAYS), people.home)
            here = where[day % everyday.TRIP_DAYS]
            cast = Cast(people, shops, world.gangs, here, s.outside, day, midnight, today)
            scripts = stories(s, cast)
            ahead["payment"].add([c for script in scripts for c in script.payments])
            ahead["login"].add([c for script in scripts for c in script.logins])
            ahead["transfer"].add([c for script in scripts for c in script.transfers])
            rates = np.repeat(hourly(today), HOUR // hour, axis=1) * share[:, None] * (hour / HOUR)
        begin = midnight + part * width
        now = rates[:, part * per_slice : (part + 1) * per_slice]
        out: dict[str, Columns] = {}

        confirmed = reported.until(begin + width)
        if only in (None, "payment", "confirmed_fraud"):
            rng = generator(s.seed, _PAYMENTS, index)
            scripted = ahead["payment"].until(begin + width)
            at, group, landed = moments(rng, now * s.payments_per_day, begin, scripted["at"], hour)
            drawn = everyday.payments(rng, people, shops, here, day, at, group)
            payments = _merge(drawn, landed, scripted)
            # A confirmed card is blocked and its customer gets a new number: slot + count x generation.
            payments["card"] += reissued[payments["card"]] * people.card_count
            np.add.at(reissued, np.unique(confirmed["card"]) % people.card_count, 1)
            ids = np.arange(seen["payment"], seen["payment"] + len(at)) + 1
            reported.add([_confirmations(generator(s.seed, _CONFIRMED, index), payments, ids)])
            out["payment"], out["confirmed_fraud"] = payments, confirmed
        if only in (None, "login"):
            rng = generator(s.seed, _LOGINS, index)
            scripted = ahead["login"].until(begin + width)
            at, group, landed = moments(rng, now * LOGINS_PER_DAY, begin, scripted["at"], hour)
            out["login"] = _merge(everyday.logins(rng, people, here, day, at, group), landed, scripted)
        if only in (None, "transfer"):
            rng = generator(s.seed, _TRANSFERS, index)
            scripted = ahead["transfer"].until(begin + width)
            at, group, landed = moments(rng, now * TRANSFERS_PER_DAY, begin, scripted["at"], hour)
            drawn = everyday.transfers(rng, people, s.outside, today.day, at, group)
            out["transfer"] = transfers = _merge(drawn, landed, scripted)
            # Payer and payee are drawn apart; nobody pays their own account, so the neighbour does.
            own = np.flatnonzero(transfers["payer"] == transfers["payee"])
            transfers["payer"][own] = (transfers["payer"][own] + 1) % s.customers
        for number, event in enumerate(EVENTS):
            if event in out:
                n = len(out[event]["at"])
                # Ids of one type count up; types lie 10^15 apart, so an id names one event of the whole world.
                out[event]["id"] = np.arange(seen[event], seen[event] + n) + number * 10**15 + 1
                seen[event] += n
        yield out


def nothing(event: str) -> Columns:
    """Columns of an event type without rows."""
    shape = {"payment": PAYMENT, "login": LOGIN, "transfer": TRANSFER, "confirmed_fraud": CONFIRMED}[event]
    return {"id": np.empty(0, dtype=np.int64), **gather(shape, [])}
