"""Fraud by groups: account takeover, mule chains and the colluding ring."""

from __future__ import annotations

import numpy as np

from tidegate.solutions.world.cast import Cast, Gangs
from tidegate.solutions.world.population import Customers, Merchants
from tidegate.solutions.world.rhythm import DAY, HOUR
from tidegate.solutions.world.script import (
    LOGIN,
    MINUTE,
    PAYMENT,
    TRANSFER,
    Channel,
    FraudKind,
    Ints,
    Script,
    money,
    rows,
    unfold,
    unroll,
    waits,
)

TAKEOVER_STEPS = 2.5
RING_MEMBERS = (6, 14)
RING_SESSION = 0.8
RING_ACTIVE = 2 / 7
RING_DEVICES = 3
HERD = 6
_RINGS = 1 << 40


def recruit(rng: np.random.Generator, people: Customers, shops: Merchants, rings: int, herds: int) -> Gangs:
    """Choose the members of rings and herds; nobody is in two, and a ring's merchant is an unpopular online one."""
    sizes = rng.integers(RING_MEMBERS[0], RING_MEMBERS[1] + 1, rings)
    recruits = rng.permutation(len(people))[: int(sizes.sum()) + herds * HERD].astype(np.int64)
    sites = np.flatnonzero(shops.online)
    unpopular = sites[np.argsort(shops.sites.held[sites], kind="stable")][: max(1, len(sites) // 2)]
    return Gangs(
        members=recruits[: sizes.sum()],
        ring_starts=np.concatenate([[0], np.cumsum(sizes)]),
        merchants=unpopular[rng.permutation(len(unpopular))[np.arange(rings) % len(unpopular)]],
        mules=recruits[sizes.sum() :],
        herd_size=HERD,
    )


def ring_device(people: Customers, ring: Ints, which: Ints) -> Ints:
    """Raw number of one of the devices that the members of a ring share."""
    return people.strangers + _RINGS + ring * RING_DEVICES + which


def account_takeover(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """A customer's access in somebody else's hands.

    From a device the customer never used: two to six failed logins, then one that succeeds. Within the hour one to four
    online purchases from that device, dearer than this customer's, and for every second victim transfers to a mule.
    Half of the thieves use an address in the customer's own country, and one in three has the password and never fails.
    """
    customer = cast.victims(rng, n)
    card = cast.card(rng, customer)
    device = cast.thief_devices(rng, n)
    country = np.where(rng.random(n) < 0.5, cast.people.home[customer], cast.thief_countries(rng, n))
    fails = np.where(rng.random(n) < 0.33, 0, rng.integers(2, 7, n))
    story, step = unroll(fails + 1)
    tried = unfold(cast.anytime(rng, n), story, step, waits(rng, MINUTE, len(story)))
    success = step == fails[story]
    inside = tried[success]
    login = rows(
        LOGIN,
        at=tried,
        customer=customer[story],
        device=device[story],
        country=country[story],
        success=success,
        fraud_kind=FraudKind.account_takeover,
    )

    story, step = unroll(rng.integers(1, 5, n))
    total = len(story)
    at = unfold(inside, story, step, waits(rng, 18 * MINUTE, total) + MINUTE)
    fence = cast.shops.fences.draw(rng.random(total), cast.people.home[customer][story].astype(np.int64) * 2 + 1)
    site = cast.shops.sites.draw(rng.random(total), np.ones(total, dtype=np.int64))
    merchant = np.where(rng.random(total) < 0.5, fence, site)
    euros = cast.shops.price[merchant] * cast.people.level[customer[story]] * 2.2 * rng.lognormal(0.0, 0.6, total)
    payment = rows(
        PAYMENT,
        at=at,
        card=card[story],
        customer=customer[story],
        merchant=merchant,
        device=device[story],
        country=country[story],
        channel=Channel.online,
        amount=money(euros, most=400_000),
        declined=rng.random(total) < 0.06 + 0.05 * step,
        fraud_kind=FraudKind.account_takeover,
    )

    robbed = np.flatnonzero(rng.random(n) < 0.5)
    story, step = unroll(rng.integers(1, 3, len(robbed)))
    mule = cast.gangs.mules[rng.integers(0, len(cast.gangs.mules), len(robbed))]
    transfer = rows(
        TRANSFER,
        at=unfold(inside[robbed], story, step, waits(rng, 15 * MINUTE, len(story)) + MINUTE),
        payer=customer[robbed][story],
        payee=mule[story],
        amount=money(rng.lognormal(6.7, 0.6, len(story)), least=5_000, most=1_500_000),
        fraud_kind=FraudKind.account_takeover,
    )
    return Script(payments=[payment], logins=[login], transfers=[transfer])


def mule_chain(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """Stolen money washed through accounts lent for a fee.

    Three to seven victims, talked into it, pay one account of a herd within a few hours. Shortly after the last, nearly
    all of it moves on, from account to account of the herd, minutes to an hour apart, each keeping 3 to 8 %; at the end
    it leaves the bank.
    The sign is money that does not stay: in from several, out at once, to somebody whom the account hardly ever paid.
    """
    herd = rng.integers(0, cast.gangs.herds, n)
    order = np.argsort(rng.random((n, HERD)), axis=1)
    path = cast.gangs.mules[herd[:, None] * HERD + order]
    story, step = unroll(rng.integers(3, 8, n))
    total = len(story)
    at = unfold(cast.anytime(rng, n), story, step, waits(rng, 35 * MINUTE, total))
    amount = money(rng.lognormal(6.3, 0.5, total), least=10_000, most=1_000_000)
    collected = rows(
        TRANSFER,
        at=at,
        payer=cast.victims(rng, total),
        payee=path[story, 0],
        amount=amount,
        fraud_kind=FraudKind.mule_chain,
    )
    pot = np.bincount(story, weights=amount, minlength=n)
    full = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(full, story, at)

    hops = rng.integers(2, HERD, n)
    story, step = unroll(hops)
    total = len(story)
    # Kept shares multiply along the chain: a running product within each story, taken in logarithms.
    kept = np.log(1.0 - rng.uniform(0.03, 0.08, total))
    passed = np.cumsum(kept)
    first = np.flatnonzero(step == 0)
    share = np.exp(passed - (passed[first] - kept[first])[story])
    leaves = step + 1 == hops[story]
    abroad = len(cast.people) + rng.integers(0, cast.outside, total)
    onward = rows(
        TRANSFER,
        at=unfold(full, story, step, waits(rng, 20 * MINUTE, total) + 2 * MINUTE),
        payer=path[story, step],
        payee=np.where(leaves, abroad, path[story, np.minimum(step + 1, HERD - 1)]),
        amount=money(pot[story] * share / 100.0, least=1_000, most=100_000_000),
        fraud_kind=FraudKind.mule_chain,
    )
    return Script(transfers=[collected, onward])


def colluding_ring(rng: np.random.Generator, cast: Cast) -> Script:
    """Cardholders and a merchant who share out money that will be charged back.

    Two days a week on average, most members of a ring pay the same merchant within some hours, amounts within a few
    per cent of one another, every second time from one of three devices that the ring shares. Each payment alone is a
    customer's ordinary online purchase at home: only the company it keeps gives it away.
    """
    active = np.flatnonzero(rng.random(cast.gangs.rings) < RING_ACTIVE)
    n = len(active)
    sizes = np.diff(cast.gangs.ring_starts)[active]
    ring, seat = unroll(sizes)
    come = rng.random(len(ring)) < RING_SESSION
    ring, seat = ring[come], seat[come]
    total = len(ring)
    customer = cast.gangs.members[cast.gangs.ring_starts[active][ring] + seat]
    begin = cast.midnight + (9 * HOUR + rng.random(n) * 0.45 * DAY).astype(np.int64)
    merchant = cast.gangs.merchants[active]
    price = np.maximum(30.0, cast.shops.price[merchant]) * rng.uniform(1.0, 2.5, n)
    shared = ring_device(cast.people, active[ring], rng.integers(0, RING_DEVICES, total))
    device = np.where(rng.random(total) < 0.5, shared, cast.people.phone(customer, cast.day))
    return Script(
        payments=[
            rows(
                PAYMENT,
                at=begin[ring] + rng.integers(0, 8 * HOUR, total),
                card=cast.people.cards[0, customer],
                customer=customer,
                merchant=merchant[ring],
                device=device,
                country=cast.people.home[customer],
                channel=Channel.online,
                amount=money(price[ring] * rng.uniform(0.94, 1.06, total)),
                declined=rng.random(total) < 0.02,
                fraud_kind=FraudKind.colluding_ring,
            )
        ]
    )
