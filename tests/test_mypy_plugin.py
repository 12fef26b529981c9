"""What mypy says of flows, with the plugin: nothing of those that are right, and the mistake of those that are not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = """\
[mypy]
strict = true
plugins = tidegate.mypy
"""

EVENTS = """\
from datetime import UTC, datetime

from tidegate import Event, Flow, Money, count, decline, entity, eur, is_missing, mean, model, review

Card = entity("card")
Merchant = entity("merchant")
Account = entity("account", key=int)


class Payment(Event):
    card: Card
    merchant: Merchant
    amount: Money
    country: str | None
    account: Account | None


AT = datetime(2026, 1, 1, tzinfo=UTC)
"""

RIGHT = f"""{EVENTS}

class CardFraud(Flow[Payment]):
    payments_10m = count(per=Card, last="10m")
    usual_amount = mean(Payment.amount, per=Payment.card, last="30d", where=Payment.country == "DE")
    times_usual = Payment.amount / usual_amount
    risk = model("card-risk@champion", of=[times_usual, payments_10m], otherwise=0.5)
    testing = decline((payments_10m >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
    unusual = review((risk > 0.9) | is_missing(Payment.country), because="Unlike this card's history")


class Refund(Payment):
    reason: str = ""


one = Payment(id="1", at=AT, card="c1", merchant="m1", amount=eur(5), country="DE", account=7)
reveal_type(one.card)
reveal_type(one.account)
reveal_type(one.amount)
reveal_type(Payment.amount)
reveal_type(Refund.amount)
reveal_type(Payment.amount * 2)
reveal_type(CardFraud.times_usual)


def country(kind: type[Payment], event: Payment) -> str | None:
    reveal_type(kind.country)
    return event.country
"""

REVEALED = [
    "str",
    "int | None",
    "tidegate.events.money.Money",
    *("tidegate.expressions.node.Expr",) * 5,
]

WRONG = {
    'decline(Payment.amont < eur(5), because="x")': '"type[Payment]" has no attribute "amont"',
    "decline(Payment.amount < eur(5))": 'Missing named argument "because" for "decline"',
    'count(per=Card, lst="10m")': 'Unexpected keyword argument "lst" for "count"',
    "mean(5.0, per=Card, last='10m')": 'Argument 1 to "mean" has incompatible type "float"; expected "Expr"',
    "Payment.amount.units": '"Expr" has no attribute "units"',
    "Payment(id='1', at=AT, card=7, merchant='m', amount=eur(5))": '"card" to "Payment" has incompatible type',
    "Payment(id='1', at=AT, card='c', merchant='m', amount=5.0)": '"amount" to "Payment" has incompatible type',
    "Payment(id='1', at=AT, card='c', merchant='m')": 'Missing named argument "amount" for "Payment"',
    "Payment('1', AT, 'c', 'm', eur(5))": 'Too many positional arguments for "Payment"',
    "ONE.amount = eur(6)": 'Property "amount" defined in "Payment" is read-only',
    "ONE.amont": '"Payment" has no attribute "amont"',
    "ONE.amount + 5": "Unsupported operand types for +",
    "number: int = ONE.card": "Incompatible types in assignment",
}
"""A line of a flow file, and what mypy must say of it."""


def said(folder: Path, text: str) -> list[str]:
    """What mypy says of a file: `line: error: …` and `line: note: …`."""
    (folder / "mypy.ini").write_text(SETTINGS, encoding="utf-8")
    (folder / "flow.py").write_text(text, encoding="utf-8")
    source = str(ROOT / "src")
    # A cache of its own, because these settings are not the project's.
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache" / "flows"), "flow.py"]
    ran = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": source, "MYPYPATH": source, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return [line.removeprefix("flow.py:") for line in ran.stdout.splitlines() if line.startswith("flow.py:")]


def test_a_flow_that_is_right_is_accepted_and_its_types_are_known(tmp_path: Path) -> None:
    found = said(tmp_path, RIGHT)
    assert not [line for line in found if ": error: " in line]
    assert [line.split('"')[1] for line in found if "Revealed type" in line] == REVEALED


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For each line of WRONG, what mypy says of it."""
    start = EVENTS + "ONE = Payment(id='1', at=AT, card='c', merchant='m', amount=eur(5), country=None, account=None)\n"
    found = said(tmp_path_factory.mktemp("wrong"), start + "\n".join(WRONG) + "\n")
    first = start.count("\n") + 1
    by_line: dict[int, str] = {}
    for line in found:
        number, _, words = line.partition(": ")
        by_line[int(number)] = f"{by_line.get(int(number), '')}{words}\n"
    assert not [number for number in by_line if number < first]
    return {line: by_line.get(first + place, "") for place, line in enumerate(WRONG)}


@pytest.mark.parametrize("line", WRONG)
def test_a_mistake_is_told(line: str, wrong: dict[str, str]) -> None:
    assert WRONG[line] in wrong[line]
