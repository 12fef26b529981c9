"""Ordinary life: the honest payments, logins and transfers of a slice of time, drawn in one go.

Honest does not mean tame. Customers travel, buy something large, replace a phone, pay from a relative's device, or sit
behind a foreign network address. Those rows carry a `look_alike` label, so that false alarms can be traced to causes.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from tidegate.solutions.world.places import COUNTRIES, TRAVEL
from tidegate.solutions.world.population import FAVOURITES, FRIENDS, Customers, Merchants
from tidegate.solutions.world.script import (
    LOGIN,
    TRANSFER,
    Channel,
    Columns,
    Ints,
    LookAlike,
    money,
    rows,
)

TRIP_DAYS = 14
HIDDEN_SHARE = 0.03
_NOISE = 8192
_GUEST = 1 << 45
_HIDDEN = 1 << 43


@cache
def spread(sigma: float) -> npt.NDArray[np.float32]:
    """Quantiles of a lognormal with median 1: a look-up is faster than `exp`, and the same on every processor."""
    normal = NormalDist(0.0, sigma)
    quantiles = np.array([normal.inv_cdf((i + 0.5) / _NOISE) for i in range(_NOISE)])
    return np.asarray(np.exp(quantiles), dtype=np.float32)


def noise(rng: np.random.Generator, sigma: float, n: int) -> npt.NDArray[np.float32]:
    """Lognormal factors with median 1."""
    return spread(sigma)[rng.integers(0, _NOISE, n, dtype=np.uint16)]


def trips(rng: np.random.Generator, home: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Where everybody is on each of the next `TRIP_DAYS` days: `uint8[days, customers]`, mostly at home.

    About one customer in eight makes a trip of 2 to 9 days within two weeks, to near countries more often than far
    ones.
    """
    n = len(home)
    where = np.repeat(home[None, :], TRIP_DAYS, axis=0)
    away = np.flatnonzero(rng.random(n) < 0.13)
    first = rng.integers(0, TRIP_DAYS - 2, len(away))
    last = first + rng.integers(1, 9, len(away))
    country = rng.choice(len(COUNTRIES), len(away), p=TRAVEL / TRAVEL.sum()).astype(np.uint8)
    for day in range(TRIP_DAYS):
        there = (first <= day) & (day <= last)
        where[day, away[there]] = country[there]
    return where


def guest(rng: np.random.Generator, n: int) -> Ints:
    """Raw numbers of devices that nobody has used before."""
    return rng.integers(_GUEST, 2 * _GUEST, n)


def hiding(rng: np.random.Generator, people: Customers, n: int) -> Ints:
    """Raw numbers of browsers that hide what they are, and so look alike: one number for some 100 customers."""
    return _HIDDEN + rng.integers(0, max(2, len(people) // 100), n)


def devices(
    rng: np.random.Generator, people: Customers, customer: npt.NDArray[np.int32], day: int
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The device each customer uses on a day, and whether it is new to the bank or belongs to someone else.

    Phones and laptops of their own, mostly; now and then a relative's, one never seen before, or one that hides."""
    n = len(customer)
    laptop = people.laptop[customer] & (rng.random(n, dtype=np.float32) < 0.35)
    used = np.where(laptop, customer.astype(np.int64) * 64, people.phone(customer, day))
    fresh = ~laptop & (people.phone_age(customer, day) < 3)
    u = rng.random(n, dtype=np.float32)
    borrowed = np.flatnonzero(u < 0.006)
    used[borrowed] = people.phone(np.minimum(customer[borrowed] ^ 1, len(people) - 1), day)
    unknown = np.flatnonzero((u >= 0.006) & (u < 0.016))
    used[unknown] = guest(rng, len(unknown))
    hidden = np.flatnonzero((u >= 0.016) & (u < 0.016 + HIDDEN_SHARE))
    used[hidden] = hiding(rng, people, len(hidden))
    return used, fresh | (u < 0.016)


def payments(
    rng: np.random.Generator,
    people: Customers,
    shops: Merchants,
    where: npt.NDArray[np.uint8],
    day: int,
    at: Ints,
    group: Ints,
) -> Columns:
    """One honest payment for each time.

    A customer of the group buys from a favourite or, one time in four, elsewhere: in the country where they are, or
    online. The amount is the merchant's price times the customer's level times a lognormal spread; 0.6 % are large.
    """
    n = len(at)
    customer = people.tickets.draw(rng.random(n), group)
    country = where[customer]
    away = country != people.home[customer]
    u = rng.random(n, dtype=np.float32)
    merchant = people.favourites.ravel()[customer.astype(np.int64) * FAVOURITES + (u * u * FAVOURITES).astype(np.int64)]
    elsewhere = np.flatnonzero((rng.random(n, dtype=np.float32) < 0.25) | (away & ~shops.online[merchant]))
    site = rng.random(len(elsewhere), dtype=np.float32) < people.sites[customer[elsewhere]]
    u64 = rng.random(len(elsewhere))
    merchant[elsewhere] = np.where(
        site,
        shops.sites.draw(u64, site.astype(np.int64)),
        shops.shops.draw(u64, country[elsewhere]),
    )
    online = shops.online[merchant]
    euros = shops.price[merchant] * people.level[customer] * noise(rng, 0.6, n)
    u = rng.random(n, dtype=np.float32)
    large = np.flatnonzero(u < 0.006)
    euros[large] *= 3.0 + 14.0 * rng.random(len(large), dtype=np.float32) ** 2
    amount = np.maximum(np.rint(euros * np.float32(100.0)), 50).astype(np.int64)

    # One random number serves independent small chances: its ranges do not overlap.
    declined = u > np.where(amount > 30_000, np.float32(0.93), np.float32(0.982))
    tap = (u < 0.8) & (amount <= 5_000)
    channel = np.where(online, np.uint8(Channel.online), tap.astype(np.uint8))
    device = np.full(n, -1, dtype=np.int64)
    alike = np.where(away, np.uint8(LookAlike.travel), np.uint8(LookAlike.ordinary))
    alike[large] = LookAlike.large_purchase
    at_screen = np.flatnonzero(online)
    device[at_screen], odd = devices(rng, people, customer[at_screen], day)
    alike[at_screen[odd]] = LookAlike.new_device
    tunnel = at_screen[rng.random(len(at_screen), dtype=np.float32) < 0.012]
    country[tunnel] = rng.integers(0, len(COUNTRIES), len(tunnel), dtype=np.uint8)
    alike[tunnel] = LookAlike.travel
    second = (rng.random(n, dtype=np.float32) < 0.3).astype(np.int64)
    return {
        "at": at,
        "card": people.cards.ravel()[second * len(people) + customer],
        "customer": customer.astype(np.int64),
        "merchant": merchant.astype(np.int64),
        "device": device,
        "country": country,
        "channel": channel,
        "amount": amount,
        "declined": declined,
        "fraud_kind": np.zeros(n, dtype=np.uint8),
        "look_alike": alike,
    }


def logins(
    rng: np.random.Generator,
    people: Customers,
    where: npt.NDArray[np.uint8],
    day: int,
    at: Ints,
    group: Ints,
) -> Columns:
    """One honest login for each time; one in thirty fails for a slip of the finger."""
    customer = people.tickets.draw(rng.random(len(at)), group)
    device, odd = devices(rng, people, customer, day)
    country = where[customer]
    alike = np.where(country != people.home[customer], LookAlike.travel, LookAlike.ordinary)
    alike[odd] = LookAlike.new_device
    return rows(
        LOGIN,
        at=at,
        customer=customer,
        device=device,
        country=country,
        success=rng.random(len(at)) >= 0.033,
        look_alike=alike,
    )


def transfers(
    rng: np.random.Generator,
    people: Customers,
    outside: int,
    day_of_month: int,
    at: Ints,
    group: Ints,
) -> Columns:
    """One honest transfer for each time: to a friend, to a company, or a wage coming in at the end of the month.

    A customer's account has the customer's number; accounts at other banks follow, `outside` of them.
    """
    n = len(at)
    customer = people.tickets.draw(rng.random(n), group).astype(np.int64)
    company = len(people) + (rng.random(n) ** 2 * outside).astype(np.int64)
    friend = people.friends[customer, rng.integers(0, FRIENDS, n)].astype(np.int64)
    wage_share = 0.5 if day_of_month >= 25 else 0.04
    u = rng.random(n)
    wage, bill = u < wage_share, u > 1 - (1 - wage_share) * 0.6
    euros = (
        people.level[customer] * np.where(wage, 2200.0, np.where(bill, 110.0, 45.0)) * noise(rng, 0.9, n).astype(float)
    )
    rent = bill & (day_of_month <= 3) & (rng.random(n) < 0.4)
    euros = np.where(rent, 780.0 * people.level[customer], euros)
    return rows(
        TRANSFER,
        at=at,
        payer=np.where(wage, company, customer),
        payee=np.where(wage, customer, np.where(bill, company, friend)),
        amount=money(euros, least=100, most=5_000_000),
        look_alike=np.where(euros > 4_000, LookAlike.large_purchase, LookAlike.ordinary),
    )
