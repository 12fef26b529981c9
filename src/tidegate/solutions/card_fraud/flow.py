"""The flow: what is known, inferred and thought of a card payment."""

from tidegate import (
    Flow,
    approve,
    at_most,
    bands,
    count,
    deadline,
    decline,
    distinct,
    entity_list,
    eur,
    has_seen,
    hour,
    hours,
    mean,
    model,
    review,
    share,
    since_first,
    since_last,
    std,
    total,
    units,
)
from tidegate.solutions.card_fraud.events import (
    Card,
    Channel,
    ConfirmedFraud,
    Customer,
    Device,
    Login,
    Merchant,
    Payment,
)

_small = Payment.amount < eur(5)
_online = Payment.channel == Channel.ONLINE.value


class CardFraud(Flow[Payment]):
    """Stop stolen cards and taken-over accounts; leave honest customers alone."""

    # what we know of the payment
    amount = units(Payment.amount)
    online = _online
    trade = Payment.mcc
    hour_of_day = hour(Payment.at, "Europe/Berlin")

    # what we know of the card
    payments_10m = count(per=Card, last="10m")
    payments_1h = count(per=Card, last="1h")
    payments_1d = count(per=Card, last="1d")
    spent_1h = total(Payment.amount, per=Card, last="1h")
    spent_1d = total(Payment.amount, per=Card, last="1d")
    usual_amount = mean(Payment.amount, per=Card, last="30d")
    times_usual = Payment.amount / usual_amount
    unlike_usual = (Payment.amount - usual_amount) / std(Payment.amount, per=Card, last="30d")
    small_30m = count(per=Card, last="30m", where=_small)
    declined_1h = count(per=Card, last="1h", where=Payment.declined)
    countries_1d = distinct(Payment.country, per=Card, last="1d")
    known_country = has_seen(Payment.country, per=Card, last="60d")
    known_merchant = has_seen(Payment.merchant, per=Card, last="60d")
    online_share = share(_online, per=Card, last="30d")
    quiet_hours = hours(since_last(per=Card, last="30d"))
    card_age_hours = hours(since_first(per=Card, last="60d"))

    # what we know of the customer, the device and the merchant
    known_device = has_seen(Payment.device, per=Customer, last="60d")
    customers_on_device_7d = distinct(Payment.customer, per=Device, last="7d")
    failed_logins_1d = count(Login, per=Customer, last="1d", where=~Login.success)
    login_devices_2d = distinct(Login.device, per=Customer, last="2d")
    logged_in_here = has_seen(Login.device, current=Payment.device, per=Customer, last="60d")
    customer_frauds_60d = count(ConfirmedFraud, per=Customer, last="60d")
    cards_at_merchant_1h = distinct(Payment.card, per=Merchant, last="1h")
    usual_there = Payment.amount / mean(Payment.amount, per=Merchant, last="7d")
    merchant_frauds_30d = count(ConfirmedFraud, per=Merchant, last="30d")
    fraud_share_there = merchant_frauds_30d / count(per=Merchant, last="30d")
    small_at_merchant_1h = count(per=Merchant, last="1h", where=_small)

    # whom people put on lists
    blocked = entity_list("blocked-cards", Card)
    trusted = entity_list("trusted-customers", Customer)

    # what we infer
    risk = model(
        "card-risk@champion",
        of=[
            amount, online, trade, hour_of_day, payments_10m, payments_1h, payments_1d, spent_1h, spent_1d,
            usual_amount, times_usual, unlike_usual, small_30m, declined_1h, countries_1d, known_country,
            known_merchant, online_share, quiet_hours, card_age_hours, known_device, customers_on_device_7d,
            failed_logins_1d, login_devices_2d, logged_in_here, customer_frauds_60d,
            cards_at_merchant_1h, usual_there, merchant_frauds_30d, fraud_share_there, small_at_merchant_1h,
        ],
        otherwise=0.0,
    )  # fmt: skip

    # what we think
    on_block_list = decline(blocked.has(Payment.card), because="The card is on the block list")
    testing = decline(
        (small_30m >= 3) & _small & _online & ~logged_in_here,
        because="Small payments in quick succession, as when a stolen card is tested",
    )
    tested_then_used = decline(
        (small_30m >= 2) & (Payment.amount > eur(50)) & ~logged_in_here,
        because="A larger payment right after small ones, as when a stolen card was tested and works",
    )
    near_certain = decline(risk > 0.8, because="Nearly every payment like this one was fraud")
    unusual = review(risk > 0.4, because="Unlike this card's history")
    strange_place = review(
        ~known_country & ~logged_in_here,
        because="From a country where this card never was, and a device its owner never logs in with",
    )
    after_break_in = review(
        (failed_logins_1d >= 4) & ~known_device & (Payment.amount > eur(100)),
        because="A large payment from a new device after failed logins, as when an account is taken over",
    )
    tainted_shop = review(
        (fraud_share_there > 0.1) & (merchant_frauds_30d >= 10) & ~logged_in_here & ~known_merchant,
        because="A first payment to a shop where many frauds were confirmed lately, from where its owner never logs in",
    )
    much_above_usual = review(
        (times_usual > 12) & (Payment.amount > eur(200)) & ~known_device,
        because="Twelve times what this card usually pays, from a device this customer never used",
    )
    trusted_customer = approve(trusted.has(Payment.customer), because="A person vouched for this customer")

    # how bad it looks, and what the flow forbids itself
    score = risk
    level = bands(risk, low=0.0, elevated=0.05, high=0.4, critical=0.9)
    alarm = risk > 0.9
    limits = (at_most(500, "decline", last="1h", then="review"), deadline("250ms", answer="review"))
    lateness = "1d"
