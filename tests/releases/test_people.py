"""Who joins and leaves a register, that nobody gets in or out by one person alone, and registers of before."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.conftest import typed
from tests.releases.test_register import PEOPLE, World, past_the_rules
from tidegate.errors import ReleaseError
from tidegate.releases.keys import make_key, read_key
from tidegate.releases.register import Register
from tidegate.releases.statement import (
    ADDED,
    PROPOSED,
    REFUSED,
    RELEASED,
    REMOVED,
    SIGNED,
    Change,
    Signed,
    Statement,
    sign,
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nobody_joins_unasked_or_by_one_word(world: World) -> None:
    world.keys["eve"] = make_key(world.folder / "eve.pem").hex()
    with pytest.raises(ReleaseError, match="does not know eve"):
        world.add("eve", "data", "eve")
    world.add("eve", "data", "cleo")
    assert "eve" not in world.register.people and world.register.waiting["eve"].by == ("cleo",)
    with pytest.raises(ReleaseError, match="does not know eve"):
        world.propose(by="eve")
    with pytest.raises(ReleaseError, match="has said so already"):
        world.add("eve", "data", "cleo")
    with pytest.raises(ReleaseError, match="waits to be let in as data"):
        world.add("eve", "business", "ana")
    world.add("eve", "data", "ben")
    assert world.register.people["eve"].by == ("cleo", "ben") and not world.register.waiting


def test_who_waits_is_told_no_by_one_and_a_word_goes_with_who_gave_it(world: World) -> None:
    world.keys["eve"] = make_key(world.folder / "eve.pem").hex()
    world.add("eve", "data", "cleo")
    world.say(REMOVED, "ana", person="eve")
    assert not world.register.waiting
    world.add("eve", "data", "cleo")
    world.say(REMOVED, "cleo", person="cleo")
    world.add("eve", "data", "ana")
    assert "eve" in world.register.waiting
    world.add("eve", "data", "dora")
    assert "eve" in world.register.people


def test_nobody_is_removed_by_one_other_and_two_stay(world: World) -> None:
    world.say(REMOVED, "cleo", person="ben")
    with pytest.raises(ReleaseError, match="has said so already"):
        world.say(REMOVED, "cleo", person="ben")
    assert "ben" in world.register.people
    world.say(REMOVED, "dora", person="ben")
    world.say(REMOVED, "dora", person="dora")
    assert sorted(world.register.people) == ["ana", "cleo"]
    with pytest.raises(ReleaseError, match="one person alone"):
        world.say(REMOVED, "ana", person="ana")


def test_a_key_is_one_persons(world: World) -> None:
    for key in (world.keys["ana"], world.keys["ana"].upper()):
        world.keys["eve"] = key
        with pytest.raises(ReleaseError, match="the key of ana"):
            world.add("eve", "data", "ana")
    for key in ("", "zz", "00" * 31):
        world.keys["eve"] = key
        with pytest.raises(ReleaseError, match="is no key"):
            world.add("eve", "data", "ana")
    for by in ("ana", "ben"):
        world.say(REMOVED, by, person="cleo")
    world.keys["eve"] = world.keys["cleo"]
    with pytest.raises(ReleaseError, match="the key of cleo"):
        world.add("eve", "data", "ana")
    world.add("cleo", "data", "ana")
    world.keys["eve"] = world.keys["cleo"]
    with pytest.raises(ReleaseError, match="the key of cleo"):
        world.add("eve", "data", "ana")
    world.add("cleo", "data", "ben")
    assert world.register.people["cleo"].role == "data"


def test_nobody_speaks_of_a_proposal_twice_not_even_in_another_role(world: World) -> None:
    id = world.propose()
    world.say(SIGNED, "dora", proposal=id)
    for by in ("ana", "ben"):
        world.say(REMOVED, by, person="dora")
    for by in ("ana", "ben"):
        world.add("dora", "data", by)
    for what in (SIGNED, REFUSED):
        with pytest.raises(ReleaseError, match="has spoken of this proposal already"):
            world.say(what, "dora", role="data", proposal=id)
    for by in ("ana", "ben"):
        world.say(REMOVED, by, person="cleo")
    for by in ("ana", "ben"):
        world.add("cleo", "data", by)
    with pytest.raises(ReleaseError, match="Nobody signs their own"):
        world.say(SIGNED, "cleo", role="data", proposal=id)


def old_register(world: World) -> tuple[list[Signed], str]:
    """Statements as they were made before: all join unasked, two with one key, and a signature names 12 digits."""
    path = world.folder / "old.db"
    world.register.store.close()
    world.path, world.register = path, Register.open(path)
    said: list[Signed] = []

    def say(what: str, by: str, **more: Any) -> Signed:
        one = sign(world.statement(what, by, **more), read_key(world.folder / f"{more.get('key_of', by)}.pem"))
        said.append(one)
        return one

    for name in PEOPLE:
        say(ADDED, name, person=name, key=world.keys[name])
    change = Change(flow="F", digest="1" * 64, bundle="b" * 64, roles=("business", "data"))
    proposed = say(PROPOSED, "cleo", why="why", change=change)
    id = sha256(msgspec.msgpack.encode(proposed)).hexdigest()
    say(SIGNED, "ana", proposal=id[:12])
    say(SIGNED, "ben", proposal=id[:12])
    say(RELEASED, "ana", proposal=id[:12])
    return said, id


def test_a_register_of_before_is_read_and_held_to_the_rules_of_today_from_now_on(world: World) -> None:
    said, id = old_register(world)
    past_the_rules(world, *said)
    with Register.open(world.path) as register:
        world.register = register
        live = register.live("F")
        assert live is not None and live.proposal.id == id and sorted(register.people) == sorted(PEOPLE)
        with pytest.raises(ReleaseError, match="signed by business and data too"):
            world.propose(before="1" * 64, roles=())
        world.let_out(digest="2" * 64, before="1" * 64)
    gone = sign(world.statement(REMOVED, "cleo", person="ben"), read_key(world.folder / "cleo.pem"))
    past_the_rules(world, gone)
    with pytest.raises(ReleaseError, match="rules of edition 1"):
        Register.open(world.path)


def test_one_key_of_before_under_two_names_does_not_sign_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.register.store.close()
    world.path = tmp_path / "old.db"
    world.register = Register.open(world.path)
    key = read_key(tmp_path / "ana.pem")
    names = {"mal": "AI", "sock": "business"}
    joined = [
        sign(Statement(what=ADDED, by=name, role=role, at=1, person=name, key=world.keys["ana"]), key)
        for name, role in names.items()
    ]
    past_the_rules(world, *joined)
    with Register.open(world.path) as world.register:
        id = world.say(
            PROPOSED, "mal", role="AI", key_of="ana", why="x",
            change=Change(flow="F", digest="1" * 64, bundle="b" * 64, roles=("business",)),
        )  # fmt: skip
        with pytest.raises(ReleaseError, match="has spoken of this proposal already"):
            world.say(SIGNED, "sock", role="business", key_of="ana", proposal=id)


def test_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def people(*words: str) -> str:
        result = typed("people", *words)
        assert result.exit_code == 0, result.output
        return result.stderr

    people("add", "ana", "--role", "business")
    assert typed("people", "add", "eve", "--role", "data").exit_code != 0 and not Path("eve.pem").exists()
    people("add", "ben", "--role", "data", "--as", "ana")
    public = typed("people", "key", "cleo").stdout.strip()
    assert "cleo waits" in people("add", "cleo", "--role", "AI", "--as", "ana", "--public", public)
    assert "waits to be let in" in typed("people", "list").stdout
    assert "cleo speaks as AI" in people("add", "cleo", "--role", "AI", "--as", "ben")
    assert "ben stays" in people("remove", "ben", "--as", "ana")
    assert "ben is out" in people("remove", "ben", "--as", "cleo")
    lines = [json.loads(line) for line in typed("people", "list", "--json").stdout.splitlines()]
    assert [(one["name"], one["let_in_by"]) for one in lines] == [("cleo", ["ana", "ben"]), ("ana", ["ana"])]
    assert lines[0]["key"] == public
