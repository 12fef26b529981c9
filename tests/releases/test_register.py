"""Who may do what to a change, and that nobody gets past it, not even by writing to the file."""

import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.conftest import typed
from tidegate import Store
from tidegate.errors import ReleaseError, TidegateError
from tidegate.evidence.record import Entry
from tidegate.releases.bundle import Bundle, make_bundle, read_bundle
from tidegate.releases.keys import make_key, read_key
from tidegate.releases.register import Register
from tidegate.releases.statement import (
    ADDED,
    EDITION,
    KIND,
    PROPOSED,
    REFUSED,
    RELEASED,
    REMOVED,
    ROLLED_BACK,
    SIGNED,
    Change,
    Signed,
    Statement,
    Suite,
    rests_on,
    sign,
)  # fmt: skip

PEOPLE = {"ana": "business", "ben": "data", "cleo": "AI", "dora": "business"}


class World:
    """A register, and the people who speak to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "releases.db"
        self.register = Register.open(self.path)
        self.at = 0
        self.keys: dict[str, str] = {}
        for name, role in PEOPLE.items():
            self.keys[name] = make_key(folder / f"{name}.pem").hex()
            for by in ("ana",) if name in ("ana", "ben") else ("ana", "ben"):
                self.add(name, role, by)

    def add(self, name: str, role: str, by: str) -> None:
        self.say(ADDED, by, role=role, person=name, key=self.keys[name])

    def statement(self, what: str, by: str, **more: Any) -> Statement:
        self.at += 1
        return Statement(what=what, by=by, at=self.at, **{"role": PEOPLE.get(by, "")} | more)

    def say(self, what: str, by: str, *, key_of: str = "", **more: Any) -> str:
        return self.register.say(self.statement(what, by, **more), read_key(self.folder / f"{key_of or by}.pem"))

    def propose(self, by: str = "cleo", **more: Any) -> str:
        fields = {"flow": "F", "digest": "d" * 64, "bundle": "b" * 64, "roles": ("business", "data")}
        return self.say(PROPOSED, by, why="why", change=Change(**fields | more))

    def let_out(self, **more: Any) -> str:
        id = self.propose(**more)
        self.say(SIGNED, "ana", proposal=id)
        self.say(SIGNED, "ben", proposal=id)
        self.say(RELEASED, "ana", proposal=id)
        return id


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_register_takes_no_release_of_models_whose_reasons_are_lacking_without_a_word(world: World) -> None:
    id = world.propose(reasons_lacking={"m.txt@0": "never measured"})
    world.say(SIGNED, "ana", proposal=id)
    world.say(SIGNED, "ben", proposal=id)
    for more in ({}, {"why": "A pilot"}, {"override": True}, {"override": True, "why": " "}):
        with pytest.raises(ReleaseError, match="never measured") as told:
            world.say(RELEASED, "ana", proposal=id, **more)
        assert told.value.seen == "m.txt@0: never measured"
    assert world.register.live("F") is None
    world.say(RELEASED, "ana", proposal=id, override=True, why="A pilot")
    assert world.register.live("F").proposal.warning == "the reasons of m.txt@0 are not known to hold"
    world.register.store.close()
    with Register.open(world.path, read_only=True) as again:
        assert again.live("F").proposal.id == id


def test_every_role_signs_and_then_it_goes_live(world: World) -> None:
    id = world.propose()
    assert world.register.proposal(id).hindrance == "not signed by business and data"
    with pytest.raises(ReleaseError, match="may not be released"):
        world.say(RELEASED, "ana", proposal=id)
    world.say(SIGNED, "ana", proposal=id)
    assert world.register.proposal(id[:6]).id == id
    with pytest.raises(ReleaseError, match="no proposal"):
        world.say(SIGNED, "ben", proposal=id[:6])
    world.say(SIGNED, "ben", proposal=id)
    assert world.register.live("F") is None
    world.say(RELEASED, "cleo", proposal=id)
    live = world.register.live("F")
    assert live is not None and live.proposal.id == id and live.proposal.signed == {"business": "ana", "data": "ben"}


@pytest.mark.parametrize(
    ("what", "by", "more", "words"),
    [
        (SIGNED, "cleo", {}, "Nobody signs their own"),
        (SIGNED, "eve", {"key_of": "ana"}, "does not know eve"),
        (SIGNED, "ben", {"key_of": "ana"}, "not the key of ben"),
        (SIGNED, "ben", {"role": "business"}, "ben speaks as data"),
        (SIGNED, "dora", {}, "answered as business already"),
        (REFUSED, "dora", {}, "answered as business already"),
        (ROLLED_BACK, "ana", {}, "was not live before"),
        (SIGNED, "ben", {"short": True}, "no proposal"),
        (ADDED, "ana", {"person": "ben", "key": "00" * 32}, "known already"),
        (REMOVED, "ana", {"person": "eve"}, "does not know eve"),
    ],
)
def test_what_nobody_may_do(world: World, what: str, by: str, more: dict[str, Any], words: str) -> None:
    id = world.propose()
    world.say(SIGNED, "ana", proposal=id)
    named = id[:12] if more.pop("short", False) else id
    with pytest.raises(ReleaseError, match=words):
        world.say(what, by, proposal=named, **more)


def test_who_is_of_another_role_or_gone_signs_nothing(world: World) -> None:
    id = world.propose(by="ana")
    with pytest.raises(ReleaseError, match="not signed as AI"):
        world.say(SIGNED, "cleo", proposal=id)
    world.say(REMOVED, "ana", person="ben")
    world.say(REMOVED, "cleo", person="ben")
    with pytest.raises(ReleaseError, match="does not know ben"):
        world.say(SIGNED, "ben", proposal=id)


def test_refused_or_failing_is_not_released(world: World) -> None:
    id = world.propose()
    world.say(SIGNED, "ana", proposal=id)
    world.say(REFUSED, "ben", proposal=id, why="No")
    with pytest.raises(ReleaseError, match="may not be released") as told:
        world.say(RELEASED, "ana", proposal=id)
    assert told.value.seen == "refused by ben (data)"
    failing = world.propose(suite=Suite(3, ("small",)))
    for name in ("ana", "ben"):
        world.say(SIGNED, name, proposal=failing)
    with pytest.raises(ReleaseError) as told:
        world.say(RELEASED, "ana", proposal=failing)
    assert "1 of its 3 cases fail" in told.value.seen


def test_back_and_forth(world: World) -> None:
    first = world.let_out(digest="1" * 64)
    stale = world.propose(digest="3" * 64, before="1" * 64)
    second = world.let_out(digest="2" * 64, before="1" * 64)
    for name in ("ana", "ben"):
        world.say(SIGNED, name, proposal=stale)
    with pytest.raises(ReleaseError, match="a version that is not live any more"):
        world.say(RELEASED, "ana", proposal=stale)
    world.say(ROLLED_BACK, "ben", proposal=first, why="x")
    world.register.store.close()
    with Register.open(world.path, read_only=True) as again:
        live = again.live("F")
        assert live is not None and live.proposal.id == first
        assert [one.proposal.id for one in again.versions("F")] == [first, second, first]


def test_what_was_taken_back_is_not_released_again_on_its_old_signatures(world: World) -> None:
    first = world.let_out(digest="1" * 64)
    second = world.let_out(digest="2" * 64, before="1" * 64)
    with pytest.raises(ReleaseError, match="live already"):
        world.say(RELEASED, "ana", proposal=second)
    world.say(ROLLED_BACK, "ben", proposal=first, why="x")
    with pytest.raises(ReleaseError, match="was released before") as told:
        world.say(RELEASED, "ana", proposal=second)
    assert f"tidegate rollback F --to {second[:12]} --why" in told.value.do
    assert world.register.live("F").proposal.id == first
    world.say(ROLLED_BACK, "ana", proposal=second, why="It was not that")
    assert world.register.live("F").proposal.id == second
    world.say(ROLLED_BACK, "ben", proposal=first, why="It was")
    anew = world.let_out(digest="2" * 64, before="1" * 64)
    assert anew != second and world.register.live("F").proposal.id == anew


@pytest.mark.parametrize("edition", [3, EDITION])
def test_a_register_in_which_that_was_done_by_the_rules_of_its_day_is_read(world: World, edition: int) -> None:
    one, two = Change(flow="F", digest="1" * 64, bundle="b"), Change(flow="F", digest="2" * 64, bundle="b")
    cleo = read_key(world.folder / "cleo.pem")
    path, seen = world.folder / "older.db", []

    def said(what: str, **more: Any) -> str:
        signed = sign(world.statement(what, "cleo", edition=edition, **more), cleo)
        seen.append(signed)
        return sha256(msgspec.msgpack.encode(signed)).hexdigest()

    said(ADDED, role="AI", person="cleo", key=world.keys["cleo"])
    first = said(PROPOSED, why="why", change=one)
    said(RELEASED, proposal=first)
    second = said(PROPOSED, why="why", change=msgspec.structs.replace(two, before=one.digest))
    said(RELEASED, proposal=second)
    said(ROLLED_BACK, proposal=first, why="x")
    said(RELEASED, proposal=second)
    with Store.open(path) as store:
        for signed in seen:
            body = msgspec.msgpack.encode(signed)
            store.append([Entry(id=sha256(body).hexdigest(), kind=KIND, at=1, digest=b"\0" * 32, body=body, flags=0)])
    if edition == EDITION:
        with pytest.raises(ReleaseError, match="was released before"):
            Register.open(path, read_only=True)
        return
    with Register.open(path, read_only=True) as read:
        assert read.live("F").proposal.id == second


def test_a_change_is_signed_by_the_roles_that_the_live_version_and_itself_demand(world: World) -> None:
    live = world.let_out(digest="1" * 64)
    for roles in ((), ("business",), ("AI", "data")):
        with pytest.raises(ReleaseError, match="is to be signed by"):
            world.propose(digest="2" * 64, before="1" * 64, roles=roles)
    with pytest.raises(ReleaseError, match="signed by AI too"):
        world.propose(digest="2" * 64, before="1" * 64, demands=("business", "data", "AI"))
    with pytest.raises(ReleaseError, match="signed by data too"):
        world.propose(flow="G", roles=("business",), demands=("business", "data"))
    less = world.let_out(digest="2" * 64, before="1" * 64, demands=("business",))
    assert [one.proposal.id for one in world.register.versions("F")] == [live, less]
    alone = world.propose(digest="3" * 64, before="2" * 64, roles=("business",))
    world.say(SIGNED, "ana", proposal=alone)
    world.say(RELEASED, "ana", proposal=alone)


def test_to_let_a_version_come_back_does_not_lower_what_is_demanded(world: World) -> None:
    first = world.propose(digest="1" * 64, roles=())
    world.say(RELEASED, "cleo", proposal=first)
    world.let_out(digest="2" * 64, before="1" * 64)
    world.say(ROLLED_BACK, "cleo", proposal=first, why="x")
    with pytest.raises(ReleaseError, match="signed by business and data too"):
        world.propose(digest="3" * 64, before="1" * 64, roles=())
    lower = world.propose(digest="4" * 64, before="1" * 64, demands=("data",))
    assert world.register.lowers(world.register.proposal(lower).change) == ("business",)
    world.register.store.close()
    ana = ("--as", "ana", "--key", world.folder / "ana.pem")
    for words in (("history", lower), ("sign", lower, *ana)):
        told = typed(*words, "--register", world.path)
        assert "F are not signed by business any more" in " ".join(told.stderr.split()), told.output


def test_what_was_proposed_for_fewer_roles_than_are_demanded_by_now_is_not_released(world: World) -> None:
    early = world.propose(digest="2" * 64, before="1" * 64, roles=("business",))
    world.say(SIGNED, "ana", proposal=early)
    world.let_out(digest="1" * 64)
    with pytest.raises(ReleaseError, match="signed by data too"):
        world.say(RELEASED, "ana", proposal=early)


def test_a_first_version_that_demands_nobodys_signature_is_told_of(world: World) -> None:
    id = world.propose(roles=())
    assert "nobody's signature" in world.register.proposal(id).warning
    world.register.store.close()
    command = ("--as", "cleo", "--key", world.folder / "cleo.pem", "--register", world.path)
    assert "nobody's signature" in typed("release", id, *command).stderr
    assert "nobody's signature" not in typed("history", "--register", world.path).stdout, "it is live"


def past_the_rules(world: World, *signed: Signed) -> None:
    """Write statements to the register's file without asking the register."""
    world.register.store.close()
    with Store.open(world.path) as store:
        for one in signed:
            body = msgspec.msgpack.encode(one)
            store.append([Entry(id=sha256(body).hexdigest(), kind=KIND, at=1, digest=b"\0" * 32, body=body, flags=0)])


@pytest.mark.parametrize("edition", [1, EDITION])
def test_roles_are_looked_at_again_when_the_register_is_read(world: World, edition: int) -> None:
    world.let_out(digest="1" * 64)
    change = Change(flow="F", digest="2" * 64, bundle="b" * 64, before="1" * 64)
    said = world.statement(PROPOSED, "cleo", why="why", change=change, edition=edition)
    past_the_rules(world, sign(said, read_key(world.folder / "cleo.pem")))
    with pytest.raises(ReleaseError, match="signed by business and data too" if edition > 1 else "of edition 1"):
        Register.open(world.path, read_only=True)


def test_what_was_written_past_the_rules_is_not_believed(world: World) -> None:
    id = world.propose()
    said = world.statement(SIGNED, "ben", proposal=id, edition=EDITION)
    past_the_rules(world, sign(said, read_key(world.folder / "ana.pem")))
    with pytest.raises(ReleaseError, match="not the key of ben") as told:
        Register.open(world.path, read_only=True)
    assert "tidegate verify" in told.value.do


@pytest.mark.parametrize(
    ("touched", "how"),
    [
        ("DELETE FROM artefacts WHERE kind = ?", "removed"),
        ("UPDATE artefacts SET body = x'00' WHERE kind = ?", "changed"),
    ],
)
@pytest.mark.parametrize(("kind", "content"), [("bundle", b"files"), ("comparison", b"what it does")])
def test_verify_misses_what_statements_name(world: World, kind: str, content: bytes, touched: str, how: str) -> None:
    store = world.register.store
    kept = {
        name: store.put_artefact(name, data).hex()
        for name, data in (("bundle", b"files"), ("comparison", b"what it does"))
    }
    world.propose(bundle=kept["bundle"])
    world.propose(**kept)
    store.put_artefact(kind, b"of nobody")
    store.close()
    assert typed("verify", "--store", world.path).exit_code == 0
    with sqlite3.connect(world.path) as connection:
        connection.execute(touched, (kind,))
    connection.close()
    told = json.loads(typed("verify", "--store", world.path, "--json").stdout)
    first = 6 + (1 if kind == "bundle" else 2)
    fault = told["fault"]
    assert (told["ok"], fault["log"], fault["how"], fault["seq"]) == (False, "artefacts", how, first)
    assert f"The {kind} that record {first}" in fault["words"] and sha256(content).hexdigest() in fault["words"]


def test_a_record_that_is_no_statement_names_nothing() -> None:
    change = Change(flow="F", digest="d", bundle="not hexadecimal")
    odd = msgspec.msgpack.encode(
        Signed(msgspec.json.encode(Statement(what="x", by="a", role="b", at=1, change=change)), b"")
    )
    for kind, body in (
        ("Payment", b""),
        (KIND, b""),
        (KIND, b"\xc1"),
        (KIND, msgspec.msgpack.encode([b"{", b""])),
        (KIND, odd),
    ):
        assert rests_on(kind, body) == []


def test_a_bundle_stays_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "flow.py"
    file.write_text("x")
    made = make_bundle(f"{file}:F", {file: b"x"})
    assert read_bundle(made.dump()) == made and made.place == "flow.py:F"
    assert Path(made.unpack(tmp_path / "b").removesuffix(":F")).read_bytes() == b"x"
    with pytest.raises(ReleaseError, match="in one folder"):
        make_bundle(str(file), {tmp_path / "other.py": b""})
    for name in ("../x", "/x", "a/../../x"):
        with pytest.raises(ReleaseError, match="leads out"):
            Bundle("x", {name: b""}).unpack(tmp_path / "c")
    with pytest.raises(ReleaseError):
        read_bundle(b"no")


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    make_key(tmp_path / "k.pem")
    assert (tmp_path / "k.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(TidegateError, match="cannot be written"):
        make_key(tmp_path / "k.pem")
    (tmp_path / "bad.pem").write_text("no")
    with pytest.raises(TidegateError, match="is no key"):
        read_key(tmp_path / "bad.pem")
    with pytest.raises(TidegateError, match="cannot be read"):
        read_key(tmp_path / "none.pem")
