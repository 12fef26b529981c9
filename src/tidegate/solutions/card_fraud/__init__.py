"""Card fraud: a flow that is ready to run, on payments, logins and confirmed frauds.

    from tidegate import Engine
    from tidegate.solutions.card_fraud import CardFraud

    engine = Engine(CardFraud, models="models")

`rows`, `batch` and `bodies` bring the events of the simulated world into its contracts; `said`
tells the model's reasons as an analyst would.
"""

from tidegate.solutions.card_fraud.adapter import TYPES, batch, bodies, rows
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
from tidegate.solutions.card_fraud.flow import CardFraud
from tidegate.solutions.card_fraud.words import said

__all__ = [
    "TYPES", "Card", "CardFraud", "Channel", "ConfirmedFraud", "Customer", "Device", "Login", "Merchant", "Payment",
    "batch", "bodies", "rows", "said",
]  # fmt: skip
