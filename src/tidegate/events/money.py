"""Money: a whole number of minor units and a currency, never a float."""

from decimal import Decimal, InvalidOperation
from typing import Self

import msgspec

from tidegate.errors import ContractError
from tidegate.events.currency import decimals

MOST_UNITS = 10**12
"""The largest amount, in minor units, that a money field takes unless its contract says otherwise."""


_MOST_DIGITS = 18


class Money(msgspec.Struct, frozen=True, order=False, gc=False, forbid_unknown_fields=True):
    """An amount of money: `units` of the currency's minor unit (cents for EUR) and an ISO 4217 `currency`."""

    units: int
    currency: str

    @classmethod
    def of(cls, amount: int | str | Decimal, currency: str) -> Self:
        """Money from an amount in major units: `Money.of("4.99", "EUR")` is 499 cents.

        Raises:
            ContractError: more decimals than the currency has, more than 18 digits, a float, or an unknown currency.
        """
        places = decimals(currency)
        if isinstance(amount, float):
            fits = len(repr(amount).partition(".")[2]) <= max(places, 1)
            do = f"Write it as text: '{amount}'." if fits else f"Write it as text, with {places} decimals at most."
            raise ContractError("Money is never made from a float.", seen=repr(amount), do=do)
        try:
            sign, digits, exponent = Decimal(amount).as_tuple()
        except (InvalidOperation, ValueError, TypeError):
            raise ContractError("An amount is a decimal number.", seen=repr(amount)[:80]) from None
        if not isinstance(exponent, int):
            raise ContractError("An amount is a decimal number.", seen=repr(amount)[:80])
        # By digits, because decimal arithmetic rounds to 28 of them and would build numbers of a million.
        written = "".join(map(str, digits)).lstrip("0")
        if written and len(written) + exponent + places > _MOST_DIGITS:
            raise ContractError(f"An amount has at most {_MOST_DIGITS} digits.", seen=str(amount)[:80])
        kept = max(len(written) + min(exponent + places, 0), 0)
        if written[kept:].strip("0"):
            raise ContractError(f"{currency} has {places} decimals.", seen=str(amount)[:80])
        units = int(written[:kept] or "0") * 10 ** max(exponent + places, 0) if written else 0
        return cls(-units if sign else units, currency)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Money from text such as `12.34 EUR`.

        Raises:
            ContractError: the text is not an amount and a currency.
        """
        amount, space, currency = text.strip().partition(" ")
        if not space:
            raise ContractError(
                "Money as text is an amount, a space and a currency.", seen=repr(text), do="Write '12.34 EUR'."
            )
        return cls.of(amount, currency.strip())

    def __str__(self) -> str:
        places = decimals(self.currency)
        return f"{Decimal(self.units).scaleb(-places):.{places}f} {self.currency}"


def eur(amount: int | str | Decimal) -> Money:
    """Euros: `eur(5)`, `eur("4.99")`."""
    return Money.of(amount, "EUR")


def usd(amount: int | str | Decimal) -> Money:
    """United States dollars."""
    return Money.of(amount, "USD")


def gbp(amount: int | str | Decimal) -> Money:
    """Pounds sterling."""
    return Money.of(amount, "GBP")
