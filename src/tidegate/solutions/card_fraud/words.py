"""The model's reasons as an analyst would say them."""

from typing import Any

from tidegate import ModelReason

_WHEN_NOT = {
    "known_device": "a device this customer never used",
    "logged_in_here": "not a device its owner logs in with",
    "known_merchant": "a shop this card never paid",
    "known_country": "a country where this card never was",
}
_SAID = {
    "merchant_frauds_30d": "{:,.0f} frauds confirmed at this shop in 30 days",
    "fraud_share_there": "{:.0%} of this shop's payments turn out to be fraud",
    "customers_on_device_7d": "{:,.0f} customers on this device in a week",
    "small_30m": "{:,.0f} small payments in half an hour",
    "small_at_merchant_1h": "{:,.0f} small payments at this shop in an hour",
    "times_usual": "{:.1f} times what this card usually pays",
    "usual_there": "{:.1f} times what people pay here",
    "unlike_usual": "{:+.1f} standard deviations from what this card pays",
    "payments_10m": "{:,.0f} payments in ten minutes",
    "payments_1h": "{:,.0f} payments in an hour",
    "payments_1d": "{:,.0f} payments in a day",
    "failed_logins_1d": "{:,.0f} failed logins in a day",
    "login_devices_2d": "logins from {:,.0f} devices in two days",
    "customer_frauds_60d": "{:,.0f} frauds against this customer in 60 days",
    "cards_at_merchant_1h": "{:,.0f} cards at this shop in an hour",
    "countries_1d": "{:,.0f} countries in a day",
    "quiet_hours": "the card was quiet for {:,.1f} hours",
    "card_age_hours": "the card was first seen {:,.0f} hours ago",
    "hour_of_day": "at {:.0f} o'clock",
    "declined_1h": "{:,.0f} payments turned down in an hour",
    "online_share": "{:.0%} of this card's payments are online",
}


def said(reason: ModelReason) -> str:
    """A reason in an analyst's words; in the model's own where there are none for it."""
    value: Any = reason.value
    if value == 0 and reason.feature in _WHEN_NOT:
        return _WHEN_NOT[reason.feature]
    if isinstance(value, str) and reason.feature in ("spent_1h", "spent_1d", "usual_amount"):
        kind = {
            "spent_1h": "spent in an hour",
            "spent_1d": "spent in a day",
            "usual_amount": "is what this card usually pays",
        }
        return f"{value} {kind[reason.feature]}"
    if isinstance(value, (int, float)) and reason.feature in _SAID:
        return _SAID[reason.feature].format(value)
    return reason.words
