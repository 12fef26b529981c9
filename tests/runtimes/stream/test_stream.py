"""From topic to topic on a real broker: each event decided once, as replay decides it, whatever comes in between."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.runtimes.served import Fraud
from tests.runtimes.started import until
from tests.runtimes.stream.topics import (
    decisions,
    everything,
    in_order,
    payments,
    put,
    replayed,
    run,
    running,
    settings,
    stored,
)
from tests.servers.kafka import Kafka
from tidegate import Decision, Engine, Store
from tidegate.decisions.decision import to_json
from tidegate.errors import StreamError
from tidegate.evidence.log import verify
from tidegate.runtimes.stream.dead_letters import read_letter
from tidegate.runtimes.stream.stream import Stream


@pytest.fixture
def topics(kafka: Kafka, own: str) -> str:
    kafka.topics(f"{own}-in", f"{own}-out")
    return own


def test_every_event_is_decided_as_replay_decides_it(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    bodies, at = payments(0, 3000), int(time.time() * 1000) - 12_345  # older ones the broker may delete
    put(kafka, f"{topics}-in", bodies, key=b"k", headers=[("trace", b"1")], timestamp=at)
    run(kafka, topics, tmp_path)
    assert decisions(kafka, f"{topics}-out") == replayed(bodies) == stored(tmp_path)
    first = everything(kafka, f"{topics}-out")[0]
    assert first.key() == b"k" and first.headers() == [("trace", b"1")] and first.timestamp()[1] == at
    with Store.open(tmp_path / "s.db", read_only=True) as kept:
        assert verify(kept).ok


def test_it_goes_on_where_it_was(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    bodies = payments(0, 900)
    for first in range(0, 900, 300):
        put(kafka, f"{topics}-in", bodies[first : first + 300])
        run(kafka, topics, tmp_path)
        assert _committed(kafka, topics) == first + 300
    assert decisions(kafka, f"{topics}-out") == replayed(bodies)


def _committed(kafka: Kafka, own: str) -> int:
    """How far the group says that it has read, which is where others look; the stream itself goes by its orders."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": own})
    try:
        (one,) = consumer.committed([TopicPartition(f"{own}-in", 0)], 30)
        return int(one.offset)
    finally:
        consumer.close()


def test_a_store_that_is_lost_or_behind_is_made_anew_from_the_topics(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    bodies = payments(0, 2500)
    put(kafka, f"{topics}-in", bodies[:1500])
    run(kafka, topics, tmp_path)
    shutil.copy(tmp_path / "s.db", tmp_path / "old.db")
    put(kafka, f"{topics}-in", bodies[1500:])
    run(kafka, topics, tmp_path)
    with Store.open(tmp_path / "s.db", read_only=True) as kept:
        root = kept.head()
    (tmp_path / "older").mkdir()
    shutil.copy(tmp_path / "old.db", tmp_path / "older" / "s.db")
    for folder in (tmp_path / "older", tmp_path / "new"):
        folder.mkdir(exist_ok=True)
        run(kafka, topics, folder, catch_up=True)
        with Store.open(folder / "s.db", read_only=True) as kept:
            assert kept.head() == root
    assert decisions(kafka, f"{topics}-out") == replayed(bodies)


def test_a_store_that_went_another_way_is_refused(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", payments(0, 50))
    run(kafka, topics, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with Store.open(other / "s.db") as kept:
        Engine(Fraud, store=kept).decide_json_many(payments(0, 20, "x"))
    with pytest.raises(StreamError, match="went another way"):
        run(kafka, topics, other)


def test_what_cannot_be_taken_is_a_dead_letter_with_its_bytes(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    good = payments(0, 10)
    late = json.loads(good[0]) | {"id": "old", "at": "2020-01-01T00:00:00Z"}
    soon = json.loads(good[0]) | {"id": "soon", "at": "2100-01-01T00:00:00Z"}
    reused = json.loads(good[1]) | {"share": 0.5}
    bad = [b"\xff\x00", b"{", b'{"id":"x"}', json.dumps(soon).encode(), json.dumps(late).encode()]
    put(kafka, f"{topics}-in", [*good[:5], *bad, json.dumps(reused).encode(), good[2], None, *good[5:]], key=b"k")
    put(kafka, f"{topics}-in", [good[3]], headers=[("tidegate-event", b"Pay")])
    run(kafka, topics, tmp_path)
    assert decisions(kafka, f"{topics}-out") == replayed(good)
    letters = [read_letter(message) for message in everything(kafka, f"{topics}-out.dead-letters")]
    assert sorted((one.place, one.code) for one in letters if one) == [
        (5, "contract"), (6, "contract"), (7, "contract"), (8, "future"), (9, "before-retention"), (10, "id-reused"),
        (12, "empty"), (18, "unknown-type"),
    ]  # fmt: skip
    by_place = {one.place: one for one in letters if one}
    assert by_place[5].value == b"\xff\x00" and by_place[5].key == b"k" and by_place[5].topic == f"{topics}-in"
    assert "Here, with --ahead, 20" in by_place[8].reason
    assert "no Pay events. The message's header tidegate-event names that type. It knows P" in by_place[18].reason
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    run(kafka, topics, fresh, catch_up=True)
    assert stored(fresh) == stored(tmp_path)


def test_several_topics_and_partitions_in_one_order(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-a", partitions=3)
    kafka.topics(f"{own}-logins", f"{own}-out")
    for partition in range(3):
        put(kafka, f"{own}-a", [b for n, b in enumerate(payments(0, 600)) if n % 3 == partition], partition=partition)
    logins = [{"id": f"l{n}", "at": f"2026-01-01T00:{n:02d}:30Z", "card": "c10"} for n in range(60)]
    put(kafka, f"{own}-logins", [json.dumps(one).encode() for one in logins])
    sources = f"{own}-a,{own}-logins"
    run(kafka, own, tmp_path, sources=sources, events={f"{own}-logins": "Login"})
    taken = in_order(kafka, own, sources.split(","))
    assert len(taken) == 660
    engine, wanted = Engine(Fraud), []
    for message in taken:
        kind = "Login" if message.topic().endswith("logins") else "Payment"
        (answer,) = engine.process([engine.readers[kind].read(message.value())])
        if isinstance(answer, Decision):
            wanted.append(to_json(answer))
    assert decisions(kafka, f"{own}-out") == wanted
    times = [json.loads(message.value())["at"] for message in taken]
    assert times == sorted(times)  # a backlog comes in order of time
    assert wanted == replayed(payments(0, 600))  # logins play no part in this flow's rules


def test_an_added_partition_is_read_from_its_beginning(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.runtimes.stream.stream._LOOK", 0.5)
    put(kafka, f"{topics}-in", payments(0, 100))
    stream = Stream(settings(kafka, topics, tmp_path, until_end=False))
    with running(stream):
        until(lambda: stream.figures.taken == 100)
        kafka.widen(f"{topics}-in", 2)
        put(kafka, f"{topics}-in", payments(100, 150, "d"), partition=1)
        until(lambda: stream.figures.taken == 150)
    taken = in_order(kafka, topics, [f"{topics}-in"])
    assert decisions(kafka, f"{topics}-out") == replayed(one.value() for one in taken) and len(taken) == 150


def test_a_message_does_not_say_where_its_dead_letter_lay(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    """Or who may write there alone would choose where it is sent again, and by whose rights; or hide it."""
    forged = [("tidegate-topic", f"{topics}-out".encode()), ("tidegate-at", b"x"), ("tidegate-code", b"fine")]
    put(kafka, f"{topics}-in", [b'{"id":"forged","outcome":"approve"}'], headers=forged)
    run(kafka, topics, tmp_path)
    (letter,) = [read_letter(message) for message in everything(kafka, f"{topics}-out.dead-letters")]
    assert letter is not None and (letter.topic, letter.place, letter.code) == (f"{topics}-in", 0, "contract")
    assert letter.headers == forged  # as they came


def test_a_message_as_large_as_a_topic_takes_becomes_a_letter(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    """The letter, with what it says of the message, is larger than what a topic takes by default."""
    large = b"x" * 1_048_400
    producer = Producer({"bootstrap.servers": kafka.address, "message.max.bytes": 1_048_588})
    producer.produce(f"{topics}-in", large)
    assert producer.flush(60) == 0
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    (letter,) = [read_letter(message) for message in everything(kafka, f"{topics}-out.dead-letters")]
    assert letter is not None and letter.place == 0 and letter.value == large
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 20))


def test_figures_tell_lag_and_dead_letters(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", [*payments(0, 100), b"{", b"}"])
    text = run(kafka, topics, tmp_path).figures.metrics.text().decode()
    for line in (
        f'tidegate_partition_lag_messages{{topic="{topics}-in",partition="0"}} 0',
        "tidegate_lag_seconds 0",
        'tidegate_dead_letters_total{code="contract"} 2',
        'tidegate_decisions_total{outcome="approve"} 100',
    ):
        assert line in text.splitlines()
    assert "tidegate_age_seconds_count" in text and "tidegate_decide_seconds_count" in text


def test_who_takes_over_does_not_say_that_it_decides_before_it_has_all_that_was_decided(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    (tmp_path / "b").mkdir()
    reach, held = Stream._reach, threading.Event()

    def slowly(self: Stream, end: int, go_on: Callable[[], bool]) -> bool:
        return held.wait(30) and reach(self, end, go_on)

    monkeypatch.setattr(Stream, "_reach", slowly)
    second = Stream(settings(kafka, topics, tmp_path / "b", until_end=False))

    def says() -> bytes:
        told = second.figures.metrics.text().splitlines()
        return next(line for line in told if line.startswith(b"tidegate_decides "))

    with running(second):
        until(lambda: second.leads)
        assert says() == b"tidegate_decides 0"
        held.set()
        until(lambda: says() == b"tidegate_decides 1")
        assert len(stored(tmp_path / "b")) == 20


def test_one_decides_and_another_takes_over(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first = Stream(settings(kafka, topics, tmp_path, until_end=False))
    second = Stream(settings(kafka, topics, tmp_path / "b", until_end=False))
    put(kafka, f"{topics}-in", payments(0, 200))
    with running(first) as stop_first:
        until(lambda: first.leads)
        with running(second):
            until(lambda: first.figures.taken == 200)
            until(lambda: len(stored(tmp_path / "b")) == 200)  # the stand-by follows
            assert first.leads and not second.leads and second.figures.taken == 0
            stop_first.set()
            until(lambda: second.leads)
            put(kafka, f"{topics}-in", payments(200, 300))
            until(lambda: second.figures.taken == 100)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 300))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"sources": "nothing-of-ours"}, "There is no topic nothing-of-ours"),
        ({"events": {"in": "Paymnt"}}, "knows no Paymnt events"),
        ({"events": {"x": "Payment"}}, "x is none of the topics that are read"),
    ],
)
def test_mistakes_are_told(kafka: Kafka, topics: str, tmp_path: Path, more: dict, words: str) -> None:
    if "in" in more.get("events", {}):
        more = {"events": {f"{topics}-in": more["events"]["in"]}}
    with pytest.raises(StreamError, match=words):
        Stream(settings(kafka, topics, tmp_path, **more))
