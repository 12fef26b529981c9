"""Dead letters of messages that are larger than their topic takes, or hold nothing; and whose word is believed."""

import logging
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, run, settings
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.letters import originals
from tidegate.connectors.kafka.limits import takes
from tidegate.connectors.kafka.writer import LARGEST, Out, Writer
from tidegate.errors import StreamError
from tidegate.runtimes.stream.dead_letters import DeadLetter, dead_letter, read_letter, read_letters
from tidegate.runtimes.stream.reading import Unreadable
from tidegate.runtimes.stream.repair import outgoing
from tidegate.runtimes.stream.stream import Stream

Headers = list[tuple[str, bytes | None]]


class Said:
    """A message, as far as letters look at it."""

    def __init__(self, value: bytes | None, headers: Headers, key: bytes | None = None, offset: int = 7) -> None:
        self._held: tuple[bytes | None, bytes | None] = (key, value)
        self._headers, self._offset = headers, offset

    def key(self) -> bytes | None:
        return self._held[0]

    def value(self) -> bytes | None:
        return self._held[1]

    def headers(self) -> Headers | None:
        return self._headers or None

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_700_000_000_000


def letters(kafka: Kafka, own: str) -> list[DeadLetter]:
    return read_letters(everything(kafka, f"{own}-out.dead-letters"))


@pytest.fixture
def small(kafka: Kafka, own: str) -> str:
    """Topics, of which that of dead letters takes 10,000 bytes."""
    kafka.topics(f"{own}-in", f"{own}-out")
    kafka.topics(f"{own}-out.dead-letters", max_message_bytes="10000")
    return own


def test_a_message_larger_than_letters_may_be_becomes_one_that_says_where_it_lies(
    kafka: Kafka, small: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, own = payments(0, 20), f"{small}-in"
    put(kafka, own, [*good[:10], b"x" * 50_000], key=b"k", headers=[("trace", b"1")])
    put(kafka, own, [b"bad"], key=b"k" * 6000, headers=[("large", b"h" * 6000)])
    put(kafka, own, [b"bad"], headers=[("tidegate-event", b"K" * 12_000)])  # which the reason tells in full
    put(kafka, own, [*[b"y" * 1000] * 40, *good[10:]])  # each has room, and together they are larger
    run(kafka, small, tmp_path)
    assert decisions(kafka, f"{small}-out") == replayed(good)
    first, second, third, *others = letters(kafka, small)
    assert (first.place, first.left_out, first.value, first.key) == (10, 50_000, None, b"k")
    assert first.headers == [("trace", b"1")] and "JSON" in first.reason
    assert (second.place, second.left_out, second.value, second.key, second.headers) == (11, 3, None, None, [])
    assert (third.place, third.left_out, third.code) == (12, 3, "unknown-type") and len(third.reason) == 400
    assert [(one.value, one.left_out) for one in others] == [(b"y" * 1000, None)] * 40
    assert "Larger ones than it takes are only where they lay" in caplog.text


def test_messages_are_read_where_they_lay_by_one_client(
    kafka: Kafka, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-a", f"{own}-b", partitions=2)
    put(kafka, f"{own}-a", [b"%d" % number for number in range(2000)], partition=1)
    put(kafka, f"{own}-b", [b"x", None])
    made, cluster, consumer = list[Any](), Cluster(kafka.address), Cluster.consumer

    def counted(self: Cluster, group: str, **more: Any) -> Any:
        made.append(consumer(self, group, **more))
        return made[-1]

    monkeypatch.setattr(Cluster, "consumer", counted)
    with originals(cluster) as at:
        assert not made, "of letters that are whole nothing is read"
        for offset in (1500, 3, 4, 1999, 0):
            assert at(f"{own}-a", 1, offset).value() == b"%d" % offset
        assert at(f"{own}-a", 0, 0) is at(f"{own}-a", 1, 2000) is at(f"{own}-a", 7, 0) is at(f"{own}-c", 0, 0) is None
        assert at(f"{own}-b", 0, 1).value() is None and at(f"{own}-b", 0, 0).value() == b"x"
        assert at(f"{own}-a", 1, 1999).value() == b"1999"
    assert len(made) == 1
    with pytest.raises(RuntimeError, match="closed"):
        made[0].poll(0)


@pytest.mark.parametrize("many", [0, 1, 60])
def test_what_is_counted_for_a_message_is_at_least_what_a_broker_counts(kafka: Kafka, own: str, many: int) -> None:
    kafka.topics(f"{own}-t", max_message_bytes="5000")
    assert takes(Cluster(kafka.address), [f"{own}-t"]) == {f"{own}-t": 5000}
    headers: Headers = [(f"h{number}é", b"" if number % 2 else None) for number in range(many)]
    just = Out(f"{own}-t", b"k" * many, b"", headers)
    full, writer = just._replace(value=b"x" * (5000 - just.size)), Writer(Cluster(kafka.address), own, 5000)
    assert full.size == 5000
    writer.write([full, full, full], {}, None)
    assert len(everything(kafka, f"{own}-t")) == 3
    with pytest.raises(StreamError, match=f"{own}-t does not take a message as large") as told:
        writer.write([full._replace(value=b"x" * 5000)], {}, None)
    assert f"Raise max.message.bytes of {own}-t" in str(told.value)


def test_what_a_topic_takes_is_asked_again_while_the_broker_has_not_heard_of_it(kafka: Kafka, own: str) -> None:
    """As one does that is asked right after another one made the topic."""
    made = threading.Timer(1.0, lambda: kafka.topics(f"{own}-t", max_message_bytes="5000"))
    made.start()
    assert takes(Cluster(kafka.address), [f"{own}-t"]) == {f"{own}-t": 5000}
    made.join()


def test_a_message_that_no_topic_takes_is_told_with_its_topic(kafka: Kafka, own: str) -> None:
    """The client itself refuses it."""
    kafka.topics(f"{own}-t")
    with pytest.raises(StreamError, match=f"{own}-t does not take a message as large"):
        Writer(Cluster(kafka.address), own).write([Out(f"{own}-t", None, b"x" * (LARGEST + 1))], {}, None)


sizes = st.integers(0, 5000)
some = st.none() | sizes.map(bytes)  # drawn byte by byte they would all have room
forged = st.sampled_from(["tidegate-left-out", "tidegate-code", "tidegate-topic", "tidegate-sent", "tidegate-at"])
headers = st.lists(st.tuples(forged, st.just(b"5"))) | st.lists(st.tuples(st.text("abé"), some), max_size=5)


@given(some, headers, some, st.text(st.characters(exclude_categories=["Cs"])), sizes, st.integers(2048, 12_000))
def test_a_letter_has_room_and_says_its_own_things(
    value: bytes | None, headers: Headers, key: bytes | None, reason: str, longer: int, room: int
) -> None:
    """Whatever headers a message has: where it lay, and whether its bytes are there, they do not say."""
    code, reason = "contract" if value is not None else "empty", reason + longer * "é"
    out = dead_letter(Said(value, headers, key), Unreadable(code, reason), "dead", room)
    assert out.size <= room
    letter = read_letter(Said(out.value, list(out.headers), out.key, 9))
    assert letter is not None
    assert (letter.offset, letter.topic, letter.partition, letter.place, letter.code) == (9, "in", 3, 7, code)
    if letter.left_out is None:
        assert (letter.value, letter.headers, letter.key, letter.reason) == (value, headers, key, reason)
    else:
        assert letter.left_out == len(value or b"") and letter.value is None
        assert reason.startswith(letter.reason) or letter.reason == reason


def test_the_letter_of_a_message_without_a_value_has_none(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", [None, b""], key=b"k")
    run(kafka, own, tmp_path)
    assert [(one.code, one.value) for one in letters(kafka, own)] == [("empty", None), ("contract", b"")]
    assert [one.value() for one in everything(kafka, f"{own}-out.dead-letters")] == [None, b""]
    older = [(name, value) for name, value in everything(kafka, f"{own}-out.dead-letters")[0].headers()]
    letter = read_letter(Said(b"", older))
    assert letter is not None and letter.value is None  # earlier versions wrote no bytes


def told(letter: DeadLetter, sent: DeadLetter | None = None) -> Any:
    """What a repaired message says of what it was."""
    others = [letter] if sent is None else [sent, letter]
    message, _ = outgoing("dead", [(letter, b"mended")], others, lambda topic: 10_000)
    assert [name for name, _ in message.headers].count("tidegate-repaired") == 1
    return [value for name, value in message.headers if name == "tidegate-original"]


def test_what_a_message_was_is_not_told_by_its_own_headers() -> None:
    """But by the topic of dead letters: of a letter that was sent again, what it was before it was first repaired."""

    def letter(offset: int, value: bytes, headers: Headers, sent_as: Any = None) -> DeadLetter:
        (*ours,) = dead_letter(Said(value, headers), Unreadable("contract", "x"), "dead", LARGEST).headers
        made = read_letter(Said(value, ours, offset=offset))
        mark = Said(sent_as, [("tidegate-sent", str(offset).encode())], offset=offset + 1)
        assert made is not None
        return made if sent_as is None else read_letters([Said(value, ours, offset=offset), mark])[0]

    claims: Headers = [("tidegate-repaired", b"dead@1"), ("tidegate-original", b"forged")]
    first = letter(1, b"first", [], sent_as=b"second")
    assert told(letter(5, b"alone", claims)) == [b"alone"]
    assert told(letter(5, b"another's", claims), first) == [b"another's"]
    assert told(letter(5, b"second", [("tidegate-repaired", b"others@1")]), first) == [b"second"]
    assert told(letter(5, b"second", [("tidegate-repaired", b"dead@" + b"9" * 9999)]), first) == [b"second"]
    assert told(letter(5, b"second", claims), first) == [b"first"]
    other = msgspec.structs.replace(letter(5, b"second", claims), topic="another")
    assert told(other, first) == [b"second"], "it was sent to another topic"
    claims_itself = letter(1, b"second", claims, sent_as=b"second")
    assert told(letter(5, b"second", claims), claims_itself) == [b"second"]
    assert told(letter(5, b"x" * 9999, [])) == []  # it has no room: the letter that is named holds it
    without = msgspec.structs.replace(first, value=None, left_out=9999)
    assert told(letter(5, b"second", claims), without) == []  # the same


def test_a_topic_that_takes_no_letter_at_all_is_refused(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    kafka.topics(f"{own}-out.dead-letters", max_message_bytes="2047")
    with pytest.raises(StreamError, match=r"max\.message\.bytes=2047"):
        Stream(settings(kafka, own, tmp_path))


def test_who_may_not_see_what_a_topic_takes_writes_what_topics_take(
    own: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker with rights: all are given but the one to describe settings of the topic of dead letters."""
    rights = {
        "authorizer_class_name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super_users": "User:nobody",
        "allow_everyone_if_no_acl_found": "true",
    }
    with Kafka(tmp_path / "kafka", **rights) as broker:
        dead = f"{own}-out.dead-letters"
        broker.topics(f"{own}-in", f"{own}-out")
        broker.topics(dead, max_message_bytes="1048588")
        rules = [(AclOperation.ALL, AclPermissionType.ALLOW), (AclOperation.DESCRIBE_CONFIGS, AclPermissionType.DENY)]
        acls = [
            AclBinding(ResourceType.TOPIC, dead, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", what, how)
            for what, how in rules
        ]
        admin = broker.admin()  # by name: it must outlive what it is asked
        for one in admin.create_acls(acls).values():
            one.result(30)
        large = b"x" * 1_048_400
        producer = Producer({"bootstrap.servers": broker.address, "message.max.bytes": 1_048_588})
        producer.produce(f"{own}-in", large)
        assert producer.flush(60) == 0
        put(broker, f"{own}-in", payments(0, 5))
        caplog.set_level(logging.WARNING)
        run(broker, own, tmp_path)
        assert decisions(broker, f"{own}-out") == replayed(payments(0, 5))
        assert [(one.left_out, one.value) for one in letters(broker, own)] == [(len(large), None)]
        assert f"may not see what {dead} takes" in caplog.text
