"""Honest stories that look like fraud: sprees, small payments in a row, forgotten passwords, collections."""

from __future__ import annotations

import numpy as np

from tidegate.solutions.world.cast import Cast
from tidegate.solutions.world.script import (
    LOGIN,
    MINUTE,
    PAYMENT,
    TRANSFER,
    Channel,
    LookAlike,
    Script,
    money,
    rows,
    unfold,
    unroll,
    waits,
)


def spree(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """A day in town or an evening of online sales: three to nine payments in a row, many at unknown merchants."""
    customer = cast.victims(rng, n)
    card = cast.card(rng, customer)
    remote = rng.random(n) < 0.5
    story, step = unroll(rng.integers(3, 10, n))
    total = len(story)
    online = remote[story]
    here = cast.where[customer][story]
    u = rng.random(total)
    merchant = np.where(
        online, cast.shops.sites.draw(u, np.ones(total, dtype=np.int64)), cast.shops.shops.draw(u, here)
    )
    dear = rng.random(total) < 0.3
    goods = cast.shops.fences.draw(rng.random(total), here.astype(np.int64) * 2 + online)
    merchant = np.where(dear, goods, merchant)
    level = cast.people.level[customer][story]
    amount = money(cast.shops.price[merchant] * level * 1.4 * rng.lognormal(0.0, 0.6, total))
    present = np.where((amount <= 5_000) & (rng.random(total) < 0.8), Channel.contactless, Channel.chip)
    payment = rows(
        PAYMENT,
        at=unfold(cast.waking(rng, customer), story, step, waits(rng, 16 * MINUTE, total)),
        card=card[story],
        customer=customer[story],
        merchant=merchant,
        device=np.where(online, cast.people.phone(customer[story], cast.day), -1),
        country=here,
        channel=np.where(online, Channel.online, present),
        amount=amount,
        declined=rng.random(total) < 0.04,
        look_alike=LookAlike.spree,
    )
    return Script(payments=[payment])


def small_payments(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """A game's coins or a row of downloads: four to twelve small online payments within minutes.

    Two in three stay at one site; the others hop between a few, which a tester's row of payments does as well.
    """
    customer = cast.victims(rng, n)
    card = cast.card(rng, customer)
    loyal = rng.random(n) < 0.66
    story, step = unroll(rng.integers(4, 13, n))
    total = len(story)
    sites = np.ones(total, dtype=np.int64)
    site = cast.shops.sites.draw(rng.random(n), np.ones(n, dtype=np.int64))
    merchant = np.where(loyal[story], site[story], cast.shops.sites.draw(rng.random(total), sites))
    payment = rows(
        PAYMENT,
        at=unfold(cast.waking(rng, customer), story, step, waits(rng, 0.6 * MINUTE, total)),
        card=card[story],
        customer=customer[story],
        merchant=merchant,
        device=cast.people.phone(customer[story], cast.day),
        country=cast.where[customer][story],
        channel=Channel.online,
        amount=money(0.8 + 7.0 * rng.random(total) ** 2),
        declined=rng.random(total) < 0.06,
        look_alike=LookAlike.small_payments,
    )
    return Script(payments=[payment])


def forgotten_password(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """Two to five failed logins, then a good one, by the customer: one in four on a new phone; then a purchase."""
    customer = cast.victims(rng, n)
    fresh = rng.random(n) < 0.25
    stranger = cast.people.strangers + (1 << 41) + (cast.day << 20) + np.arange(n)
    device = np.where(fresh, stranger, cast.people.phone(customer, cast.day))
    fails = rng.integers(2, 6, n)
    story, step = unroll(fails + 1)
    tried = unfold(cast.waking(rng, customer), story, step, waits(rng, MINUTE, len(story)))
    success = step == fails[story]
    where = cast.where[customer]
    login = rows(
        LOGIN,
        at=tried,
        customer=customer[story],
        device=device[story],
        country=where[story],
        success=success,
        look_alike=LookAlike.forgotten_password,
    )
    site = cast.shops.sites.draw(rng.random(n), np.ones(n, dtype=np.int64))
    payment = rows(
        PAYMENT,
        at=tried[success] + waits(rng, 15 * MINUTE, n) + MINUTE,
        card=cast.card(rng, customer),
        customer=customer,
        merchant=site,
        device=device,
        country=where,
        channel=Channel.online,
        amount=money(cast.shops.price[site] * cast.people.level[customer] * 1.3 * rng.lognormal(0.0, 0.6, n)),
        declined=rng.random(n) < 0.03,
        look_alike=np.where(fresh, LookAlike.new_device, LookAlike.forgotten_password),
    )
    return Script(payments=[payment], logins=[login])


def collection(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """Somebody collects for a present or a flat: three to eight people pay in, and the sum goes out within a day."""
    collector = cast.victims(rng, n)
    story, step = unroll(rng.integers(3, 9, n))
    total = len(story)
    each = money(rng.lognormal(4.2, 0.8, n), least=500)
    at = unfold(cast.waking(rng, collector), story, step, waits(rng, 50 * MINUTE, total))
    paid_in = rows(
        TRANSFER,
        at=at,
        payer=cast.victims(rng, total),
        payee=collector[story],
        amount=each[story],
        look_alike=LookAlike.collection,
    )
    full = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(full, story, at)
    paid_out = rows(
        TRANSFER,
        at=full + waits(rng, 180 * MINUTE, n) + MINUTE,
        payer=collector,
        payee=len(cast.people) + rng.integers(0, cast.outside, n),
        amount=each * np.bincount(story, minlength=n),
        look_alike=LookAlike.collection,
    )
    return Script(transfers=[paid_in, paid_out])
