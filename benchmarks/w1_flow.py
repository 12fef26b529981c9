"""W1 as a flow: its 34 window features, ten rules, and a model of 200 trees over all of them."""

from typing import Annotated

from tidegate import (
    Event,
    Field,
    Flow,
    bands,
    count,
    decline,
    distinct,
    entity,
    maximum,
    mean,
    model,
    review,
    share,
    since_last,
    std,
    total,
)

Card = entity("card", int)
Merchant = entity("merchant", int)


class Payment(Event):
    """A card payment of W1."""

    card: Card
    merchant: Merchant
    amount_cents: Annotated[int, Field(ge=0, le=5_000_000)]
    declined: bool


class W1(Flow[Payment]):
    """The 34 features of W1, in its order."""

    card_count_1m = count(per=Card, last="1m")
    card_sum_1m = total(Payment.amount_cents, per=Card, last="1m")
    card_mean_1m = mean(Payment.amount_cents, per=Card, last="1m")
    card_max_1m = maximum(Payment.amount_cents, per=Card, last="1m")
    card_std_1m = std(Payment.amount_cents, per=Card, last="1m")
    card_count_10m = count(per=Card, last="10m")
    card_sum_10m = total(Payment.amount_cents, per=Card, last="10m")
    card_mean_10m = mean(Payment.amount_cents, per=Card, last="10m")
    card_max_10m = maximum(Payment.amount_cents, per=Card, last="10m")
    card_std_10m = std(Payment.amount_cents, per=Card, last="10m")
    card_count_1h = count(per=Card, last="1h")
    card_sum_1h = total(Payment.amount_cents, per=Card, last="1h")
    card_mean_1h = mean(Payment.amount_cents, per=Card, last="1h")
    card_max_1h = maximum(Payment.amount_cents, per=Card, last="1h")
    card_std_1h = std(Payment.amount_cents, per=Card, last="1h")
    card_count_24h = count(per=Card, last="24h")
    card_sum_24h = total(Payment.amount_cents, per=Card, last="24h")
    card_mean_24h = mean(Payment.amount_cents, per=Card, last="24h")
    card_max_24h = maximum(Payment.amount_cents, per=Card, last="24h")
    card_std_24h = std(Payment.amount_cents, per=Card, last="24h")
    card_count_7d = count(per=Card, last="7d")
    card_sum_7d = total(Payment.amount_cents, per=Card, last="7d")
    card_mean_7d = mean(Payment.amount_cents, per=Card, last="7d")
    card_max_7d = maximum(Payment.amount_cents, per=Card, last="7d")
    card_std_7d = std(Payment.amount_cents, per=Card, last="7d")
    card_merchants_24h = distinct(Payment.merchant, per=Card, last="24h")
    card_since = since_last(per=Card, last="400d")
    merchant_count_1h = count(per=Merchant, last="1h")
    merchant_sum_1h = total(Payment.amount_cents, per=Merchant, last="1h")
    merchant_count_24h = count(per=Merchant, last="24h")
    merchant_sum_24h = total(Payment.amount_cents, per=Merchant, last="24h")
    merchant_count_7d = count(per=Merchant, last="7d")
    merchant_sum_7d = total(Payment.amount_cents, per=Merchant, last="7d")
    merchant_declined_24h = share(Payment.declined, per=Merchant, last="24h")


_FEATURES = list(W1.definition.features.values())


class W1Decision(W1):
    """W1's features, and what is thought of them."""

    risk = model("w1@champion", of=_FEATURES, otherwise=0.0)
    score = risk
    level = bands(risk, low=0.0, medium=0.5, high=0.9)
    alarm = risk > 0.9
    burst = review(W1.card_count_1m >= 6, because="Six payments within a minute")
    busy_hour = review(W1.card_count_1h >= 30, because="Thirty payments within an hour")
    large = review(
        (W1.card_count_7d >= 5) & (Payment.amount_cents > W1.card_mean_7d * 40), because="Forty times the usual amount"
    )
    over_max = review(
        (W1.card_count_7d >= 10) & (Payment.amount_cents > W1.card_max_7d * 10),
        because="Ten times the largest amount of the week",
    )
    spread = review(
        (W1.card_std_7d > 2_000_000) & (W1.card_count_7d > 5), because="Amounts that vary more than cards do"
    )
    hopping = review(W1.card_merchants_24h >= 250, because="Many merchants in a day")
    spending = decline(W1.card_sum_24h > 30_000_000, because="More than 300,000 in a day")
    bad_merchant = review(
        (W1.merchant_declined_24h > 0.6) & (W1.merchant_count_24h >= 5),
        because="A merchant where most payments are declined",
    )
    new_merchant = review(
        (W1.merchant_count_7d == 0) & (Payment.amount_cents > 2_000_000), because="A large payment to a new merchant"
    )
    risky = decline(risk > 0.95, because="Unlike this card's history")
