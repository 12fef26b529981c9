"""The flow of the handbook benchmark: the handbook's own features, and those of a model of our own.

Written as a user would write it. Amounts of the data are in cents of no currency; they are read as euros.
"""

from typing import Annotated

from tidegate import (
    Event,
    Field,
    Flow,
    Label,
    Money,
    bands,
    count,
    entity,
    eur,
    hour,
    maximum,
    mean,
    model,
    review,
    share,
    since_first,
    since_last,
    std,
    weekday,
)

Customer = entity("customer", key=int)
Terminal = entity("terminal", key=int)


class Payment(Event):
    """A card payment; whether it was fraud is known seven days later."""

    customer: Customer
    terminal: Terminal
    amount: Annotated[Money, Field(currency="EUR")]
    fraud: Annotated[bool, Label(known_after="7d")]


_honest = ~Payment.fraud
_small_fraud = Payment.fraud & (Payment.amount <= eur(220))


class HandbookFraud(Flow[Payment]):
    """Find compromised terminals and misused cards, with labels that are a week late."""

    lateness = "1d"

    # the handbook's own features: customers' windows hold the payment itself, terminals' end a week before it
    customer_payments_1d = count(per=Customer, last="1d", with_current=True)
    customer_payments_7d = count(per=Customer, last="7d", with_current=True)
    customer_payments_30d = count(per=Customer, last="30d", with_current=True)
    customer_amount_1d = mean(Payment.amount, per=Customer, last="1d", with_current=True)
    customer_amount_7d = mean(Payment.amount, per=Customer, last="7d", with_current=True)
    customer_amount_30d = mean(Payment.amount, per=Customer, last="30d", with_current=True)
    terminal_payments_1d = count(per=Terminal, last="1d", delay="7d")
    terminal_payments_7d = count(per=Terminal, last="7d", delay="7d")
    terminal_payments_30d = count(per=Terminal, last="30d", delay="7d")
    terminal_risk_1d = share(Payment.fraud, per=Terminal, last="1d", delay="7d").otherwise(0)
    terminal_risk_7d = share(Payment.fraud, per=Terminal, last="7d", delay="7d").otherwise(0)
    terminal_risk_30d = share(Payment.fraud, per=Terminal, last="30d", delay="7d").otherwise(0)
    weekend = weekday(Payment.at) >= 5
    night = hour(Payment.at) <= 6

    # a card that is misused pays multiples of what its customer paid before the misuse
    amount = Payment.amount
    usual_amount = mean(Payment.amount, per=Customer, last="120d", delay="14d", where=_honest)
    times_usual = Payment.amount / usual_amount
    spreads_above_usual = (Payment.amount - usual_amount) / std(
        Payment.amount, per=Customer, last="120d", delay="14d", where=_honest
    )
    mean_7d_to_usual = customer_amount_7d / usual_amount
    max_7d_to_usual = maximum(Payment.amount, per=Customer, last="7d") / usual_amount
    max_14d_to_usual = maximum(Payment.amount, per=Customer, last="14d") / usual_amount

    # a terminal that is compromised stays so for weeks: how far into that it is
    terminal_risk_21d = share(Payment.fraud, per=Terminal, last="21d", delay="7d").otherwise(0)
    small_frauds_21d = count(per=Terminal, last="21d", delay="7d", where=_small_fraud)
    since_honest = since_last(per=Terminal, last="120d", delay="7d", where=_honest)
    since_small_fraud = since_last(per=Terminal, last="120d", delay="7d", where=_small_fraud)
    first_small_28d = since_first(per=Terminal, last="28d", delay="7d", where=_small_fraud)
    first_small_35d = since_first(per=Terminal, last="35d", delay="7d", where=_small_fraud)

    risk = model(
        "handbook@champion",
        of=[
            amount, usual_amount, times_usual, spreads_above_usual, mean_7d_to_usual, max_7d_to_usual,
            max_14d_to_usual, terminal_risk_1d, terminal_risk_7d, terminal_risk_21d, terminal_risk_30d,
            small_frauds_21d, since_honest, since_small_fraud, first_small_28d, first_small_35d,
        ],
        otherwise=0.0,
    )  # fmt: skip
    score = risk
    level = bands(risk, low=0.0, medium=0.1, high=0.5)
    unusual = review(risk > 0.5, because="Like payments that turned out to be fraud")


GOLDEN = {
    **{f"CUSTOMER_ID_NB_TX_{d}DAY_WINDOW": (f"customer_payments_{d}d", 1.0) for d in (1, 7, 30)},
    **{f"CUSTOMER_ID_AVG_AMOUNT_{d}DAY_WINDOW": (f"customer_amount_{d}d", 100.0) for d in (1, 7, 30)},
    **{f"TERMINAL_ID_NB_TX_{d}DAY_WINDOW": (f"terminal_payments_{d}d", 1.0) for d in (1, 7, 30)},
    **{f"TERMINAL_ID_RISK_{d}DAY_WINDOW": (f"terminal_risk_{d}d", 1.0) for d in (1, 7, 30)},
    "TX_DURING_WEEKEND": ("weekend", 1.0),
    "TX_DURING_NIGHT": ("night", 1.0),
}
"""The handbook's column -> our feature, and what ours is divided by (amounts are in cents)."""
