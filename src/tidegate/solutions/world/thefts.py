"""Card fraud by strangers: stolen cards and card testing."""

from __future__ import annotations

import numpy as np

from tidegate.solutions.world.cast import Cast
from tidegate.solutions.world.places import CATEGORIES
from tidegate.solutions.world.script import (
    MINUTE,
    PAYMENT,
    Channel,
    FraudKind,
    Script,
    money,
    rows,
    unfold,
    unroll,
    waits,
)

STOLEN_STEPS = 4.5
TESTING_STEPS = 9.5
_SMALL = np.array([category.price <= 45 for category in CATEGORIES])


def stolen_card(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """A card, or its number, in a stranger's hands.

    Two to seven payments within hours, before the loss is noticed. Most thieves are abroad, nearly all go for goods
    that turn into money, at merchants the customer does not know, for more than those merchants' usual price. One in
    three is careful: at home, at ordinary merchants, for ordinary amounts. Only pace and novelty give that one away.
    """
    customer = cast.victims(rng, n)
    card = cast.card(rng, customer)
    careful = rng.random(n) < 0.38
    home = cast.people.home[customer]
    country = np.where(careful | (rng.random(n) < 0.2), home, cast.thief_countries(rng, n))
    remote = rng.random(n) < 0.6
    device = cast.thief_devices(rng, n)
    start = np.where(careful, cast.waking(rng, customer), cast.anytime(rng, n))

    story, step = unroll(rng.integers(2, 8, n))
    rows_of = len(story)
    gaps = waits(rng, 45 * MINUTE, rows_of)
    at = unfold(start, story, step, gaps)
    online = remote[story]
    fenced = rng.random(rows_of) < np.where(careful, 0.3, 0.7)[story]
    u = rng.random(rows_of)
    ordinary = np.where(
        online,
        cast.shops.sites.draw(u, np.ones(rows_of, dtype=np.int64)),
        cast.shops.shops.draw(u, country[story]),
    )
    fence = cast.shops.fences.draw(u, country[story].astype(np.int64) * 2 + online)
    merchant = np.where(fenced, fence, ordinary)
    greed = np.where(careful, 1.3, 2.4)[story]
    euros = cast.shops.price[merchant] * greed * rng.lognormal(0.0, 0.7, rows_of)
    amount = money(euros, most=400_000)
    # The longer it goes on and the more is asked, the likelier the issuer says no.
    declined = rng.random(rows_of) < 0.05 + 0.04 * step + 0.1 * (amount > 50_000)
    present = np.where((amount <= 5_000) & (rng.random(rows_of) < 0.7), Channel.contactless, Channel.chip)
    return Script(
        payments=[
            rows(
                PAYMENT,
                at=at,
                card=card[story],
                customer=customer[story],
                merchant=merchant,
                device=np.where(online, device[story], -1),
                country=country[story],
                channel=np.where(online, Channel.online, present),
                amount=amount,
                declined=declined,
                fraud_kind=FraudKind.stolen_card,
            )
        ]
    )


def card_testing(rng: np.random.Generator, cast: Cast, n: int) -> Script:
    """A list of card numbers being tried out by a machine.

    Four to fourteen online payments of cents to a few euros, seconds apart, each at another small-ticket site, to see
    whether the card lives; many are declined, for the numbers are partly guessed. Then, if it lives, one large purchase
    some minutes later. The first two or three payments look like anybody's digital games.
    """
    customer = cast.victims(rng, n)
    card = cast.card(rng, customer)
    hidden = rng.random(n) < 0.45
    country = np.where(hidden, cast.people.home[customer], cast.thief_countries(rng, n))
    device = cast.thief_devices(rng, n)
    tests = rng.integers(4, 15, n)
    cashed = rng.random(n) < 0.6
    story, step = unroll(tests + cashed)
    rows_of = len(story)
    last = (step == tests[story]) & cashed[story]
    # Together the quick ones take some four minutes at most, well within ten.
    gaps = np.where(last, waits(rng, 12 * MINUTE, rows_of) + MINUTE, rng.integers(MINUTE // 20, MINUTE // 2, rows_of))
    at = unfold(cast.anytime(rng, n), story, step, gaps)
    sites = np.ones(rows_of, dtype=np.int64)
    first = cast.shops.sites.draw(rng.random(rows_of), sites)
    again = cast.shops.sites.draw(rng.random(rows_of), sites)
    # Testers look for cheap things: a costly first pick is swapped for a second one.
    small = np.where(_SMALL[cast.shops.category[first]], first, again)
    fence = cast.shops.fences.draw(rng.random(rows_of), country[story].astype(np.int64) * 2 + 1)
    euros = np.where(last, 90.0 + 380.0 * rng.random(rows_of) ** 1.5, 0.5 + 6.0 * rng.random(rows_of) ** 2)
    return Script(
        payments=[
            rows(
                PAYMENT,
                at=at,
                card=card[story],
                customer=customer[story],
                merchant=np.where(last, fence, small),
                device=device[story],
                country=country[story],
                channel=Channel.online,
                amount=money(euros),
                declined=rng.random(rows_of) < np.where(last, 0.15, 0.3),
                fraud_kind=FraudKind.card_testing,
            )
        ]
    )
