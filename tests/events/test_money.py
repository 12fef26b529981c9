"""Money: whole minor units, the decimals of its currency, and never a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import ContractError
from tidegate.events.currency import DECIMALS, decimals
from tidegate.events.money import Money, eur, gbp, usd


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("4.99", "EUR", 499),
        (5, "EUR", 500),
        ("-0.01", "EUR", -1),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        (Decimal("1e3"), "USD", 100_000),
        ("1.500", "EUR", 150),
        ("1500.000", "JPY", 1500),
        ("0", "EUR", 0),
        ("0e999999", "EUR", 0),
        ("0.00000", "JPY", 0),
        ("9999999999999999.99", "EUR", 10**18 - 1),
    ],
)
def test_an_amount_becomes_minor_units(amount: int | str | Decimal, currency: str, units: int) -> None:
    assert Money.of(amount, currency) == Money(units, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (4.99, "EUR", "never made from a float"),
        ("4.999", "EUR", "EUR has 2 decimals"),
        ("0.5", "JPY", "JPY has 0 decimals"),
        ("1.00000000000000000000000000000000001", "EUR", "EUR has 2 decimals"),
        ("1e-999999", "EUR", "EUR has 2 decimals"),
        ("1e999999", "EUR", "at most 18 digits"),
        ("10000000000000000", "EUR", "at most 18 digits"),
        ("four", "EUR", "decimal number"),
        ("NaN", "EUR", "decimal number"),
        ("Infinity", "EUR", "decimal number"),
        ("", "EUR", "decimal number"),
        ("1", "XYZ", "ISO 4217"),
        ("1", "eur", "ISO 4217"),
    ],
)
def test_what_is_no_amount_is_refused(amount: object, currency: str, said: str) -> None:
    with pytest.raises(ContractError) as told:
        Money.of(amount, currency)  # type: ignore[arg-type]
    assert said in str(told.value)


def test_absurd_numbers_are_refused_at_once() -> None:
    with pytest.raises(ContractError) as told:
        Money.parse("9" * 100_000 + " EUR")
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("text", ["12.34", "EUR 12.34", "12.34EUR", "", " ", "12,34 EUR"])
def test_what_is_no_amount_and_currency_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        Money.parse(text)


@given(st.integers(-(10**14), 10**14), st.sampled_from(sorted(DECIMALS)))
def test_money_is_written_as_it_is_read(units: int, currency: str) -> None:
    money = Money(units, currency)
    assert Money.parse(str(money)) == money
    assert Decimal(str(money).split()[0]) == Decimal(units) / 10 ** decimals(currency)


def test_currencies_that_are_written_often_have_a_name() -> None:
    assert (eur("1.10"), usd(2), gbp("0.03")) == (Money(110, "EUR"), Money(200, "USD"), Money(3, "GBP"))
    assert [str(Money(1234, code)) for code in ("EUR", "JPY", "KWD", "CLF")] == [
        "12.34 EUR",
        "1234 JPY",
        "1.234 KWD",
        "0.1234 CLF",
    ]


def test_every_currency_has_from_none_to_four_decimals() -> None:
    assert len(DECIMALS) > 150
    assert {len(code) for code in DECIMALS} == {3}
    assert {code: DECIMALS[code] for code in ("EUR", "JPY", "KRW", "KWD", "BHD", "TND", "CLF", "ISK")} == {
        "EUR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "TND": 3, "CLF": 4, "ISK": 0,
    }  # fmt: skip


def test_a_currency_of_three_letters_that_is_none_is_told_as_unknown() -> None:
    with pytest.raises(ContractError, match=r"ISO 4217 knows no such currency.*XXQ"):
        Money.parse("5 XXQ")
    with pytest.raises(ContractError, match="three-letter"):
        Money.parse("5 EURO")
