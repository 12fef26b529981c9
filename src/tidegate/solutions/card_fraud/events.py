"""What happens around a card: payments, which are decided, and logins and confirmed frauds, which are learned from."""

from enum import Enum
from typing import Annotated

from tidegate import Event, Field, Label, Money, Personal, entity

Card = entity("card", key=int)
Customer = entity("customer", key=int)
Merchant = entity("merchant", key=int)
Device = entity("device", key=int)

_PERSON = Field(description="Whose card or account it is", personal=Personal.IDENTIFIER)
_COUNTRY = Field(description="Where the payer is or seems to be, ISO 3166", max_length=2, personal=Personal.LOCATION)


class Channel(Enum):
    """How a card was presented."""

    CHIP = "chip"
    CONTACTLESS = "contactless"
    ONLINE = "online"


class Payment(Event):
    """A card payment that asks for an answer."""

    card: Annotated[
        Card, Field(description="The card's own number, not the one printed on it", personal=Personal.FINANCIAL)
    ]
    customer: Annotated[Customer, _PERSON]
    merchant: Annotated[Merchant, Field(description="Who is paid")]
    device: Annotated[Device | None, Field(description="From which device; online only", personal=Personal.IDENTIFIER)]
    country: Annotated[str, _COUNTRY]
    mcc: Annotated[int, Field(description="Trade of the merchant, ISO 18245", ge=0, le=9999)]
    channel: Channel
    amount: Annotated[Money, Field(description="What is paid", currency="EUR")]
    declined: Annotated[bool, Field(description="Turned down by the issuer's own checks, such as a lack of funds")] = (
        False
    )
    fraud: Annotated[bool | None, Field(description="What it turned out to be"), Label(known_after="21d")]


class Login(Event):
    """A login to the bank, successful or not."""

    customer: Annotated[Customer, _PERSON]
    device: Annotated[Device, Field(description="From which device", personal=Personal.IDENTIFIER)]
    country: Annotated[str, _COUNTRY]
    success: bool


class ConfirmedFraud(Event):
    """A payment was confirmed to be fraud, days or weeks after it was made."""

    payment: Annotated[str, Field(description="The id of the payment")]
    card: Annotated[Card, Field(description="With which it was paid", personal=Personal.FINANCIAL)]
    customer: Annotated[Customer, _PERSON]
    merchant: Annotated[Merchant, Field(description="Who was paid")]
