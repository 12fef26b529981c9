"""A name that is not quite right is told with the one that is, wherever a name is written."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest

from tidegate import (
    ContractError,
    Engine,
    Event,
    Flow,
    FlowError,
    at_most,
    count,
    deadline,
    entity,
    entity_list,
    hour,
    review,
)

Wallet = entity("nearest-wallet")


class Channel(Enum):
    ONLINE = "online"
    BRANCH = "branch"


class Paid(Event):
    wallet: Wallet
    channel: Channel


class Paying(Flow[Paid]):
    online = review(Paid.channel == "online", because="Online")


@pytest.mark.parametrize(
    ("made", "near"),
    [
        (lambda: hour(Paid.at, "Europe/Berln"), "'Europe/Berlin'"),
        (lambda: hour(Paid.at, "america/new_york"), "'America/New_York'"),
        (lambda: at_most(1, "declin", last="1h"), "'decline'"),
        (lambda: at_most(1, "decline", last="1h", then="reveiw"), "'review'"),
        (lambda: deadline("1s", answer="aprove"), "'approve'"),
        (lambda: Paid.channel == "onlin", "'online'"),
        (lambda: Paid.channel.is_in("online", "Brunch"), "'branch'"),
        (lambda: count(per="nearest-wallet", last="1h"), "NearestWallet, the entity itself"),
        (lambda: count(per=(Wallet, "nearest_walet"), last="1h"), "NearestWallet"),
        (lambda: count(per=Wallet, seen_as="NearestWallet", last="1h"), "NearestWallet"),
        (lambda: entity_list("blocked", "nearest-wallet"), "NearestWallet"),
    ],
)
def test_the_nearest_is_told(made: Callable[[], Any], near: str) -> None:
    with pytest.raises(FlowError) as told:
        made()
    assert f"Did you mean {near}" in told.value.do, told.value


def test_the_nearest_value_of_a_field_is_told_however_the_event_came() -> None:
    engine = Engine(Paying)
    body = b'{"id":"a","at":"2026-01-01T00:00:00Z","wallet":"w","channel":"onlin"}'
    with pytest.raises(ContractError, match=r"Did you mean 'online'\? Write one of: online, branch\.") as told:
        engine.decide_json(body)
    assert told.value.pointer == "/channel"
    wrong = Paid(id="a", at=datetime(2026, 1, 1, tzinfo=UTC), wallet="w", channel="brench")
    with pytest.raises(ContractError, match="Did you mean 'branch'"):
        engine.decide(wrong)


@pytest.mark.parametrize(
    "made",
    [
        lambda: hour(Paid.at, "x"),
        lambda: hour(Paid.at, 3),
        lambda: at_most(1, 3, last="1h"),
        lambda: count(per=7, last="1h"),
        lambda: Paid.channel == "zzz",
    ],
)
def test_nothing_is_told_that_is_not_near(made: Callable[[], Any]) -> None:
    with pytest.raises(FlowError) as told:
        made()
    assert "Did you mean" not in str(told.value)
