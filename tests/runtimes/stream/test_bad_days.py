"""Bad days of a stream: one that sleeps, a broker that stands still, a partition that is slow, a change of no list."""

import json
import logging
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_stream_kill import start
from tests.runtimes.served import payment
from tests.runtimes.started import FLOW, started, until
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
)  # fmt: skip
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.place import place, properties
from tidegate.connectors.kafka.said import Seldom
from tidegate.connectors.kafka.writer import Writer
from tidegate.errors import StreamError
from tidegate.runtimes.stream.dead_letters import read_letter
from tidegate.runtimes.stream.stream import Stream

TAKEOVER = 15.0
"""Seconds within which a stand-by decides when the other falls silent: the session of 6, and for the group to agree."""


def test_who_slept_and_wakes_does_not_decide(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    first, second = tmp_path / "first", tmp_path / "second"
    put(kafka, f"{own}-in", payments(0, 200))
    one = start(kafka, own, first)
    other = None
    try:
        until(lambda: len(decisions(kafka, f"{own}-out")) == 200, 120)
        other = start(kafka, own, second)
        until(lambda: (second / "s.db").exists() and len(stored(second)) == 200, 120)
        one.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        put(kafka, f"{own}-in", payments(200, 400))
        until(lambda: len(decisions(kafka, f"{own}-out")) == 400, 120)
        took = time.monotonic() - began
        print(f"the stand-by decided after {took:.1f} s")
        assert took < TAKEOVER
        one.send_signal(signal.SIGCONT)
        put(kafka, f"{own}-in", payments(400, 600))
        until(lambda: len(stored(first)) == 600, 120)  # it follows
        assert decisions(kafka, f"{own}-out") == replayed(payments(0, 600)) == stored(first)
        assert one.poll() is None and other.poll() is None
    finally:
        for process in (one, other):
            if process is not None:
                process.kill()
                process.wait()


def test_a_broker_that_stands_still_slows_and_loses_nothing(tmp_path: Path, own: str) -> None:
    with Kafka(tmp_path / "kafka") as broker:
        broker.topics(f"{own}-in", f"{own}-out")
        put(broker, f"{own}-in", payments(0, 200))
        stream = Stream(settings(broker, own, tmp_path, until_end=False))
        with running(stream):
            until(lambda: stream.figures.taken == 200)
            put(broker, f"{own}-in", payments(200, 400))
            broker.freeze()
            time.sleep(8)
            broker.thaw()
            until(lambda: len(decisions(broker, f"{own}-out")) == 400)
        assert decisions(broker, f"{own}-out") == replayed(payments(0, 400))


@pytest.mark.parametrize("by_another", [False, True])
def test_a_topic_that_was_just_made_is_waited_for(
    kafka: Kafka, own: str, monkeypatch: pytest.MonkeyPatch, by_another: bool
) -> None:
    """A broker may tell of it later than the one that made it, or than an instance that starts at the same time."""
    cluster = Cluster(kafka.address, {})
    if by_another:
        assert Cluster(kafka.address, {}).make(f"{own}-made")
    told, asked = cluster.topics, list[int]()

    def late() -> dict[str, int]:
        asked.append(1)
        return {name: many for name, many in told().items() if name != f"{own}-made" or len(asked) > 3}

    monkeypatch.setattr(cluster, "topics", late)
    assert cluster.make(f"{own}-made") is not by_another
    assert cluster.partitions([f"{own}-made"]) == {f"{own}-made": 1}


def test_a_change_of_a_list_that_the_flow_does_not_read_ends_nothing(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-changes", f"{own}-out")
    change = {"id": "x", "at": "2026-01-01T00:00:00Z", "list": "stolen", "key": "c1", "listed": True}
    put(kafka, f"{own}-changes", [json.dumps(change).encode()])
    put(kafka, f"{own}-in", payments(0, 50))
    run(kafka, own, tmp_path, sources=f"{own}-in,{own}-changes", events={f"{own}-changes": "ListChange"})
    (letter,) = [read_letter(message) for message in everything(kafka, f"{own}-out.dead-letters")]
    assert letter is not None and letter.code == "contract" and "stolen" in letter.reason
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 50))


def test_a_poisoned_message_every_thousandth_is_set_aside_and_the_rest_decided(
    kafka: Kafka, own: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    good = payments(0, 5000)
    poison = [b"", b"\xff\xfe", b"[" * 5000, b'{"id":1}', good[0][:-1]]
    bodies = [one for n in range(5) for one in (*good[n * 1000 : (n + 1) * 1000], poison[n])]
    put(kafka, f"{own}-in", bodies)
    stream = run(kafka, own, tmp_path)
    assert decisions(kafka, f"{own}-out") == replayed(good)
    letters = [read_letter(message) for message in everything(kafka, f"{own}-out.dead-letters")]
    assert [(one.place, one.value) for one in letters if one] == [(n * 1001 + 1000, poison[n]) for n in range(5)]
    assert +stream.figures.letters == {"contract": 5}
    assert "Dead letters on" in caplog.text and "See `tidegate dead-letters show`" in caplog.text


def test_clocks_that_are_an_hour_wrong(
    kafka: Kafka, own: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is ahead is not believed, and does not make the others late; one that is behind is late, and exact."""
    kafka.topics(f"{own}-in", partitions=2)
    kafka.topics(f"{own}-out")
    now = datetime.now(UTC)

    def paid(id: str, minutes: float) -> bytes:
        return json.dumps(payment(0) | {"id": id, "at": (now + timedelta(minutes=minutes)).isoformat()}).encode()

    right = [paid(f"r{n}", n / 10 - 5) for n in range(20)]
    put(kafka, f"{own}-in", [*right[:10], paid("ahead", 60), *right[10:]])
    put(kafka, f"{own}-in", [paid(f"behind{n}", n / 10 - 65) for n in range(20)], partition=1)
    run(kafka, own, tmp_path)
    (letter,) = [read_letter(message) for message in everything(kafka, f"{own}-out.dead-letters")]
    assert letter is not None and letter.code == "future" and "a clock is wrong" in letter.reason
    assert "see whether this machine's clock is right" in caplog.text
    taken = in_order(kafka, own, [f"{own}-in"])
    assert len(taken) == 40 and decisions(kafka, f"{own}-out") == replayed(one.value() for one in taken)


def test_a_slow_sink_slows_the_source_and_little_waits(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 30_000))
    write, waiting = Writer.write, list[int]()
    stream = Stream(settings(kafka, own, tmp_path))

    def slowly(self: Writer, *words: Any) -> None:
        time.sleep(0.3)
        waiting.append(sum(len(one.waiting) for one in stream._inputs.partitions))
        write(self, *words)

    monkeypatch.setattr(Writer, "write", slowly)
    stream.run(threading.Event())
    assert stream.figures.taken == 30_000
    assert max(waiting) <= 3 * 4096  # of messages; the client has 16 MB more at most


def test_what_deciding_takes_is_no_silence_of_a_partition(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in", partitions=2)
    put(kafka, f"{own}-in", [b"1"] * 10)
    put(kafka, f"{own}-in", [b"2"] * 10, partition=1)
    inputs = Inputs(Cluster(kafka.address), own, lambda message: (None, message.offset()), hold=0.5)
    inputs.assign({(f"{own}-in", 0): 0, (f"{own}-in", 1): 0})
    taken = []
    until(lambda: bool(inputs.fill(0.1)))
    while not inputs.at_end:
        time.sleep(1.0)  # a batch that takes longer to decide than a partition may be silent
        taken += [(one.key, one.spot) for one in inputs.take(4)]
        inputs.fill(0.05)
    inputs.close()
    assert taken == sorted(taken) and len(taken) == 20


def test_no_broker_is_told_with_its_address_and_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# ours\nsasl.username=tide\nsasl.password=hunter2\nsasl.mechanisms=PLAIN\n"
                    "security.protocol=SASL_PLAINTEXT\n")  # fmt: skip
    where = place("kafka://127.0.0.1:1/payments?client.id=x", properties(file))
    assert "hunter2" not in repr(where) + str(where) and where.settings["sasl.password"] == "hunter2"
    with pytest.raises(StreamError) as told:
        Cluster(where.servers, where.settings).topics()
    assert "127.0.0.1:1" in str(told.value) and "hunter2" not in str(told.value)
    with pytest.raises(StreamError) as told:
        Cluster(where.servers, {"sasl.password": "hunter2", "security.protocol": "hunter2"}).consumer("g")
    assert "hunter2" not in str(told.value)


def test_what_the_client_says_again_and_again_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, seldom = 0.0, Seldom()
    monkeypatch.setattr("tidegate.connectors.kafka.said.monotonic", lambda: now)

    def say(text: str, *words: object) -> str:
        record = logging.LogRecord("x", logging.WARNING, "x", 1, text, words, None)
        return record.getMessage() if seldom.filter(record) else ""

    assert say("%s is away after %d ms", "b1", 17) == "b1 is away after 17 ms"
    for now in (1.0, 2.0, 29.0):
        assert say("%s is away after %d ms", "b1", 200 + now) == ""
    assert say("another thing, 100 %") == "another thing, 100 %"
    now = 31.0
    assert say("b1 is away after 9 ms") == "b1 is away after 9 ms (and 3 times more since it was last said)"


def test_a_url_names_servers_topics_and_properties() -> None:
    where = place("kafka://a,b:1/t.x,u?client.id=me")
    assert (where.servers, where.topics, where.settings) == ("a:9092,b:1", ("t.x", "u"), {"client.id": "me"})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h/t", "not the URL of a topic"),
        ("kafka://h:9092", "names one topic"),
        ("kafka://h/a,b", "names one topic"),
        ("kafka://u:secret@h/a", "no name and password"),
        ("kafka://h/a?sasl.password=secret", r"holds no password and no key.*\?sasl\.password=….*--kafka-config"),
        ("kafka://h/a b", "cannot be the name"),
        ("kafka://h/a?group.id=x", "group.id is not for you to set"),
        ("kafka://h/a?isolation.level=read_uncommitted", "not for you to set"),
    ],
)
def test_a_wrong_url_says_what_is_wrong(url: str, words: str) -> None:
    with pytest.raises(StreamError, match=words) as told:
        place(url, single=True)
    assert "secret" not in str(told.value)


def test_started_while_the_brokers_are_away_it_is_to_be_started_again(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    process = started(
        tmp_path,
        "run",
        "flow.py",
        "--from",
        "kafka://127.0.0.1:1/in",
        "--to",
        "kafka://127.0.0.1:1/out",
        "--store",
        "s.db",
    )
    _, said = process.communicate(timeout=120)
    assert process.returncode == 75 and "See whether a broker runs there" in said
