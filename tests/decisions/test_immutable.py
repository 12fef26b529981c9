"""What a flow says does not change once it is made: its text, its digest and its plan were made of it."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from tidegate import (
    Event,
    Flow,
    FlowError,
    Money,
    at_most,
    bands,
    bins,
    count,
    deadline,
    entity,
    entity_list,
    eur,
    mean,
    model,
    review,
    scorecard,
    table,
)
from tidegate.decisions.drl.node import DrlPackage
from tidegate.decisions.plan import dump
from tidegate.decisions.tables.node import DecisionTable
from tidegate.events.types import FLOAT
from tidegate.expressions.node import Expr, walk

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Money
    country: str


class CardFraud(Flow[Payment]):
    recent = count(per=Card, last="1h")
    usual = mean(Payment.amount, per=Card, last="30d", where=Payment.country == "DE")
    times = Payment.amount / usual
    blocked = entity_list("blocked", Card).has(Payment.card)
    risk = model("risk@champion", of=[times, recent], otherwise=0.5)
    points = scorecard({"recent": bins({"< 3": 5, ">= 3": 0}, because="Recent")}, of=[recent])
    tier = table([{"recent": "< 3", "rate": 1.0}, {"recent": ">= 3", "rate": 2.0}], of={"recent": recent})
    score = risk + points * tier.rate
    level = bands(score, low=0.0, high=5.0)
    alarm = score > 8
    many = review((recent > 3) & ~blocked | (Payment.amount > eur(100)), because="Many")
    limits = (at_most(100, "review", last="1h", then="approve"), deadline("50ms", answer="review"))
    currency = "EUR"


def package() -> DrlPackage:
    return DrlPackage(
        name="bank", digest="0", source="", names=("amount",), args=(CardFraud.recent,), gives={"risk": "A.risk"},
        outputs={"risk": FLOAT}, default=(0.0,), deadline=1, runner=None,
    )  # fmt: skip


def parts() -> Iterator[Any]:
    """One of every kind of what flows are made of."""
    definition, drl = CardFraud.definition, package()
    roots = [*definition.features.values(), *(rule.when for rule in definition.rules.values()), drl.risk]
    found = {type(node): node for root in roots for node in walk(root)}
    assert set(found) >= set(Expr.__subclasses__())
    yield from found.values()
    yield from (drl, *definition.tables.values(), *definition.rules.values(), definition.level, *definition.caps)
    yield from (definition.deadline, definition, CardFraud.plan, CardFraud)


def names(part: Any) -> list[str]:
    """Everything that a part says of itself."""
    held = [name for kind in type(part).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*dict.fromkeys([*held, *getattr(part, "__dict__", {})])]


@pytest.mark.parametrize("part", list(parts()), ids=lambda part: type(part).__name__)
def test_nothing_of_it_is_set_or_deleted(part: Any) -> None:
    before = str(part), dump(CardFraud.plan)
    tried = [name for name in names(part) if name[:2] != "__"]
    assert tried
    for name in tried:
        with pytest.raises((FlowError, AttributeError)):
            setattr(part, name, None)
        with pytest.raises((FlowError, AttributeError)):
            delattr(part, name)
    assert (str(part), dump(CardFraud.plan)) == before


def test_nothing_is_put_into_it_or_taken_out() -> None:
    definition, drl = CardFraud.definition, package()
    held: tuple[Any, ...] = (definition.features, definition.rules, definition.tables, definition.packaged)
    for each in (*held, drl.gives, drl.outputs):
        with pytest.raises(TypeError):
            each["new"] = None
        with pytest.raises(AttributeError):
            each.clear()
    assert not hasattr(CardFraud, "new")
    with pytest.raises(FlowError, match="does not change once it is made"):
        CardFraud.new = count(per=Card, last="1d")


def test_what_is_worked_out_later_is_kept_all_the_same() -> None:
    tier = CardFraud.definition.tables["tier"]
    assert isinstance(tier, DecisionTable)
    assert tier.rate is tier.rate
    assert tier.evaluate({"recent": 2}).outputs == tier.evaluate({"recent": 1}).outputs
    assert CardFraud.points.evaluate({"recent": 2}).points == 5
    assert (Payment.amount > eur(1)).key == (Payment.amount > eur(1)).key


def test_copies_are_the_same() -> None:
    for one in CardFraud.definition.features.values():
        assert (copy.copy(one).key, str(copy.copy(one))) == (one.key, str(one))
    assert pickle.loads(pickle.dumps(Payment.amount > eur(1))).key == (Payment.amount > eur(1)).key


def test_the_message_says_what_to_do() -> None:
    with pytest.raises(FlowError, match=r"frame of count.* stays as it is. Make another"):
        CardFraud.recent.frame = None
    with pytest.raises(FlowError, match=r"CardFraud does not change once it is made: recent .*a challenger"):
        CardFraud.recent = count(per=Card, last="2h")
