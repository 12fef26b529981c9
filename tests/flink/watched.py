"""A flow with all that stages have to carry: two entities, a second role, other events, lists, texts, floats."""

from tidegate import (
    Event,
    Flow,
    Money,
    bands,
    count,
    decline,
    distinct,
    entity,
    entity_list,
    mean,
    mode,
    model,
    review,
    std,
    total,
    units,
)

Card = entity("card")
Shop = entity("shop", key=int)
watched = entity_list("watched", Card)


class Paid(Event):
    """A payment of one card to a shop, perhaps on behalf of another card."""

    card: Card
    payer: Card | None
    shop: Shop
    country: str
    amount: Money
    distance: float


class Login(Event):
    """A login."""

    card: Card
    success: bool


class Watched(Flow[Paid]):
    """Payments of stolen cards."""

    currency = "EUR"
    often = count(per=Paid.card, last="10m")
    spent = total(Paid.amount, per=Paid.card, last="1h")
    usual = mean(Paid.amount, per=Paid.card, last="1d")
    far = mean(Paid.distance, per=Paid.card, last="1h")
    spread = std(Paid.distance, per=Paid.card, last="1h")
    paid_for = mean(Paid.distance, per=Paid.payer, seen_as=Paid.card, last="1h")
    home = mode(Paid.country, per=Paid.card, last="1d")
    failed = count(Login, per=Paid.card, seen_as=Login.card, last="1h", where=~Login.success)
    cards_there = distinct(Paid.card, per=Shop, last="10m")
    sold_there = total(Paid.amount, per=Shop, last="1h")
    listed = watched.has(Paid.card)
    strange = (Paid.country != home) & (far > 50.0)
    risk = model("travels@champion", of=[often, far, spread, cards_there], otherwise=0.5)
    score = units(Paid.amount) / units(usual) + far / 100.0
    level = bands(score, low=0.0, middle=2.0, high=4.0)
    fast = decline((often >= 4) & (failed >= 1), because="Many payments after a failed login")
    abroad = review(strange & (cards_there >= 2), because="Far away, in another country than usual")
    on_list = decline(listed, because="The card is watched")
    risky = review(risk > 0.8, because="Like stolen cards that travel")
    lent = review(paid_for.otherwise(0.0) > 60.0, because="Paid for a card that travels")


class Changed(Flow[Paid]):
    """The same, changed: a window is longer, one is gone, one is called otherwise; others stay."""

    currency = "EUR"
    frequent = count(per=Paid.card, last="30m")
    spent = total(Paid.amount, per=Paid.card, last="1h")
    far = mean(Paid.distance, per=Paid.card, last="1h")
    spread = std(Paid.distance, per=Paid.card, last="1h")
    paid_for = mean(Paid.distance, per=Paid.payer, seen_as=Paid.card, last="1h")
    home = mode(Paid.country, per=Paid.card, last="1d")
    failed = count(Login, per=Paid.card, seen_as=Login.card, last="1h", where=~Login.success)
    visitors = distinct(Paid.card, per=Shop, last="10m")
    sold_there = total(Paid.amount, per=Shop, last="1h")
    listed = watched.has(Paid.card)
    score = units(Paid.amount) / 100.0 + far / 100.0
    level = bands(score, low=0.0, middle=2.0, high=4.0)
    fast = decline((frequent >= 6) & (failed >= 1), because="Many payments after a failed login")
    abroad = review((Paid.country != home) & (visitors >= 2), because="In another country than usual")
    on_list = decline(listed, because="The card is watched")
    spends = review(units(spent) + units(sold_there) > 1500.0, because="Much is spent here")
    lent = review(paid_for.otherwise(0.0) + spread.otherwise(0.0) > 60.0, because="Paid for a card that travels")
