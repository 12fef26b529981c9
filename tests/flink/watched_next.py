"""The watched flow, changed: a window is longer, one is new, one is gone, one is called otherwise; others stay."""

from tests.flink.watched import Card, Login, Paid, Shop, Watched, watched
from tidegate import Flow, bands, count, decline, distinct, mean, mode, review, std, total, units

_ALIKE = (Card, Login, Watched)


class Changed(Flow[Paid]):
    """Payments of stolen cards, looked at otherwise."""

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
