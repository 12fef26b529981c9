"""Names that stand twice in one JSON object are refused, and nothing else is, however an event is spelled."""

import json
import re
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate import ContractError, Event, Money, entity, eur, upgrades
from tidegate.connectors.files import read
from tidegate.events.contract import Reader, body
from tidegate.events.contract_keys import OnceEach, once

Card, Shop = entity("card"), entity("shop", int)
AT = "2026-01-01T00:00:00Z"


class Way(Enum):
    ONLINE = "online"
    TERMINAL = "terminal"


class Payment(Event, version=2):
    card: Card
    shop: Shop
    amount: Money
    fee: Money | None
    tip: Money = eur(1)
    device: Card | None
    note: str = "none"
    named: str | None = "x"
    way: Way = Way.ONLINE
    currency: str | None  # money has a name like it
    share: float = 0.5
    settled: datetime | None


READER = Reader(Payment)

texts = st.one_of(
    st.sampled_from(
        ["", "none", "x", "note", "device", "units", "currency", '"', '\\"', 'a":1,"card":', "é", "\\u0022"]
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
)
money = st.one_of(
    st.builds(lambda units: f'{{"units":{units},"currency":"EUR"}}', st.integers(0, 900)),
    st.sampled_from(['"1.00 EUR"', '"2.00 EUR"', '{"currency":"EUR","units":100}']),
)


def spelled(value: str, *, all_escaped: bool, ascii: bool) -> str:
    """A text as JSON, in one of the ways in which it may be written."""
    if all_escaped and all(ord(c) < 0x10000 for c in value):
        return '"' + "".join(f"\\u{ord(c):04x}" for c in value) + '"'
    return json.dumps(value, ensure_ascii=ascii)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[str]]:
    """An event as JSON, and the pointers to names that stand twice in it."""
    text = lambda: spelled(draw(texts), all_escaped=draw(st.booleans()), ascii=draw(st.booleans()))  # noqa: E731
    key = lambda: spelled(draw(texts) or "k", all_escaped=draw(st.booleans()), ascii=draw(st.booleans()))  # noqa: E731
    value: dict[str, Any] = {
        "id": key, "at": lambda: f'"{AT}"', "card": key, "shop": lambda: str(draw(st.integers(-9, 9))),
        "amount": lambda: draw(money), "fee": lambda: draw(money), "tip": lambda: draw(money), "device": key,
        "note": text, "named": text, "way": lambda: draw(st.sampled_from(['"online"', '"terminal"'])),
        "currency": text, "share": lambda: draw(st.sampled_from(["0.5", "0.25", "1"])), "settled": lambda: f'"{AT}"',
    }  # fmt: skip
    needed = ["id", "at", "card", "shop", "amount"]
    others = draw(st.sets(st.sampled_from([name for name in value if name not in needed])))
    nullable = {"fee", "device", "named", "currency", "settled"}
    pairs = [
        (name, "null" if name in nullable and draw(st.booleans()) else value[name]()) for name in [*needed, *others]
    ]
    twice = draw(st.lists(st.sampled_from([name for name, _ in pairs]), max_size=2, unique=True))
    for name in twice:
        pairs.insert(draw(st.integers(0, len(pairs))), (name, value[name]()))
    pairs = draw(st.permutations(pairs))
    between = draw(st.sampled_from(["", " ", "\n\t"]))
    said = f",{between}".join(
        f"{spelled(name, all_escaped=draw(st.booleans()), ascii=True)}{draw(st.sampled_from(['', ' ']))}:{between}{of}"
        for name, of in pairs
    )
    return f"{{{between}{said}{between}}}", [f"/{name}" for name in twice]


@given(written())
@example((f'{{"id":"a","at":"{AT}","card":"device","shop":1,"amount":"1.00 EUR","card":"device"}}', ["/card"]))
@example((f'{{"id":"a","at":"{AT}","card":"c","shop":1,"amount":"1.00 EUR","named":null,"named":null}}', ["/named"]))
@example((f'{{"id":"a","at":"{AT}","card":"c","shop":1,"shop":1,"amount":"1.00 EUR","named":null}}', ["/shop"]))
def test_just_the_events_with_a_name_twice_are_refused(event: tuple[str, list[str]]) -> None:
    said, twice = event
    for form in (said, said.encode()):
        if twice:
            with pytest.raises(ContractError, match="twice in one object") as caught:
                READER.read(form)
            assert caught.value.pointer in twice
        else:
            READER.read(form)


@given(written().filter(lambda event: not event[1]))
def test_what_a_store_holds_can_be_read(event: tuple[str, list[str]]) -> None:
    kept = body(READER.read(event[0]))
    assert body(READER.read(kept)) == kept


def test_no_value_is_told_from_a_default() -> None:
    event = READER.read(f'{{"id":"a","at":"{AT}","card":"c","shop":1,"amount":"1.00 EUR","named":null}}')
    assert event.named is None and READER.read(body(event)).named is None


def test_most_events_are_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As their senders and our own store spell them, with nulls and defaults written out or not."""
    monkeypatch.setattr("tidegate.events.contract_keys.once", lambda *_: pytest.fail("read a second time"))
    least = f'"id":"a","at":"{AT}","card":"c","shop":1,"amount":'
    for rest in (
        '"1.00 EUR"', '{"units":100,"currency":"EUR"}', '"1.00 EUR","fee":null,"device":null',
        '"1.00 EUR","note":"none"',
        '"1.00 EUR","note":"some","way":"online","share":0.5,"named":null,"settled":"2026-01-01T00:00:00Z"',
    ):  # fmt: skip
        READER.read(f"{{{least}{rest}}}")
        READER.read(body(READER.read(f"{{{least}{rest}}}")))
    assert OnceEach("Event", {k: v for k, v in Payment.__contract__.items() if k in ("id", "at")}).quotes == 8


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ('{"a":{"b":1,"b":2}}', "/a/b"),
        ('{"a":[1,{"x":1},[{"b/c":1,"b/c":2}]]}', "/a/2/0/b~1c"),
        ('[{"a":1,"\\u0061":1}]', "/0/a"),
        ('{"a":1,"b":{"a":2},"c":[{"a":1}]}', None),
        ('{"a":"\x01"}', None),
        (f'{{"a":{"1" * 9999}}}', None),
    ],
)
def test_any_json_can_be_looked_at(said: str, pointer: str | None) -> None:
    if pointer is None:
        once("Event", said)
        return
    with pytest.raises(ContractError) as caught:
        once("Event", said)
    assert caught.value.pointer == pointer


def test_money_of_two_amounts_and_older_versions() -> None:
    @upgrades(Payment, from_version=1)
    def _(old: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in old.items() if name != "till"}

    least = f'{{"id":"a","at":"{AT}","card":"c","shop":1,"amount":'
    with pytest.raises(ContractError) as caught:
        READER.read(f'{least}{{"units":1,"units":2,"currency":"EUR"}}}}')
    assert caught.value.pointer == "/amount/units"
    assert READER.read(f'{least}"1.00 EUR","till":3}}', 1).shop == 1
    with pytest.raises(ContractError) as caught:
        READER.read(f'{least}"1.00 EUR","till":3,"till":4}}', 1)
    assert caught.value.pointer == "/till"


@pytest.mark.parametrize("renamed", [False, True])
def test_in_a_file_they_are_set_aside(tmp_path: Path, renamed: bool) -> None:
    shop = "store" if renamed else "shop"
    line = f'{{"id":"%s","at":"{AT}","card":"c","{shop}":1,"amount":"1.00 EUR"}}'
    twice = line.replace('"card":"c"', '"card":"c","card":"d"') % "b"
    (tmp_path / "p.ndjson").write_text("\n".join([line % "a", twice, line % "c"]) + "\n")
    (chunk,) = read(tmp_path / "p.ndjson", Payment, columns={"shop": "store"} if renamed else None)
    assert chunk.frame["id"].to_list() == ["a", "c"]
    (refused,) = chunk.refused
    assert (refused.line, refused.pointer, refused.original) == (2, "/card", twice)
    assert re.search("'card' twice", refused.reason)
