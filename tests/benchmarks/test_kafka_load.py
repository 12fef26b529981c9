"""The load of the Kafka benchmark is open, on time, and told when it is not."""

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from confluent_kafka import Producer

from benchmarks import kafka_latency, kafka_memory
from benchmarks.kafka_latency import Run
from benchmarks.kafka_memory import Sample
from benchmarks.kafka_programs import came
from benchmarks.targets import Targets
from tests.runtimes.stream.topics import everything
from tests.servers.kafka import Kafka


def a_run(rate: float = 1000.0, late: float = 0.001, busy: float = 0.1, seconds: float = 0.01) -> Run:
    return Run(np.full(100, seconds), rate, late, busy)


def test_what_fell_behind_has_no_ratio(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [a_run(rate=900.0), a_run(late=0.2), a_run(busy=0.9)]
    assert [len(one.faults(1000.0)) for one in (a_run(), *bad)] == [0, 1, 1, 1]
    for one, expected in ((a_run(), True), *((each, False) for each in bad)):
        runs = iter([a_run(), one._replace(seconds=one.seconds * 1.5)])
        monkeypatch.setattr(kafka_latency, "run", lambda *_, runs=runs: next(runs))
        targets = Targets(held=True)
        kafka_latency.report(Kafka(tmp_path), tmp_path, [b""] * 10, 1000.0, 1.0, 1, targets)
        told = capsys.readouterr().out
        assert targets.missed == ([] if expected else ["latency, of a copy was not measured"])
        assert ("p50 1.50x   p99 1.50x" in told) == expected == ("no ratio" not in told)


def test_each_message_carries_when_it_was_to_be_sent(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(own)
    (tmp_path / "bodies").write_bytes(b"\n".join(b"%d" % number for number in range(40)))
    words = [kafka.address, own, str(tmp_path / "bodies"), "100", "5"]
    done = subprocess.run(
        [sys.executable, "-c", kafka_latency.LOAD, *words], input="go\n", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[1])
    assert told["left"] == 0 and 0 < told["rate"] < 110
    messages = everything(kafka, own)
    assert [one.value() for one in messages] == [b"%d" % number for number in range(40)]
    dues = [kafka_latency.due(one) for one in messages]
    assert np.allclose(np.diff(dues), 0.01, atol=1e-5)  # whatever became of those before it


def test_latency_beyond_its_target_is_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs, targets = iter([a_run(), a_run(seconds=0.021)]), Targets(held=True)
    monkeypatch.setattr(kafka_latency, "run", lambda *_: next(runs))
    kafka_latency.report(Kafka(tmp_path), tmp_path, [b""] * 10, 1000.0, 1.0, 1, targets)
    with pytest.raises(SystemExit, match=r"latency p50, of a copy 2.1x.*p99"):
        targets.end()


def test_what_did_not_come_makes_no_figure(kafka: Kafka, own: str) -> None:
    kafka.topics(own)
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": own})
    producer.init_transactions(30)
    for end in (producer.commit_transaction, producer.abort_transaction):
        producer.begin_transaction()
        for _ in range(20):
            producer.produce(own, b"x")
        end(30)
    came(kafka.address, own, 20)
    with pytest.raises(SystemExit, match=r"20 messages came to .*, of 40"):
        came(kafka.address, own, 40)


def samples(own: Callable[[int], int], every: int = 50) -> list[Sample]:
    return [Sample(taken, own(taken), 0, 1.0) for taken in range(every, 1001, every)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (samples(lambda taken: 1000), ""),
        (samples(lambda taken: 1000 if taken != 700 else 1200), "memory of the runner 1.2x"),
        (samples(lambda taken: 1000 + max(0, taken - 500)), "memory of the runner 1.5x"),
        (samples(lambda taken: 1000, 500), "a tenth of the events has no sample"),
    ],
)
def test_memory_is_flat_over_all_of_the_second_half(
    monkeypatch: pytest.MonkeyPatch, found: list[Sample], said: str
) -> None:
    monkeypatch.setattr(kafka_memory, "measure", lambda *_: found)
    with pytest.raises(SystemExit, match=said) if said else nullcontext():
        kafka_memory.report(1000)


def test_a_runner_that_ends_early_has_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a"], "at": [0]})
    monkeypatch.setattr(kafka_memory, "workload", lambda: Namespace(make=lambda *_, **__: frame))
    for name in ("put_model", "_put"):
        monkeypatch.setattr(kafka_memory, name, lambda *_: None)
    monkeypatch.setattr(kafka_memory, "bodies_of", lambda _: [])
    monkeypatch.setattr(kafka_memory, "Kafka", lambda _: nullcontext(Namespace(address="x", topics=lambda *_: None)))
    monkeypatch.setattr(kafka_memory, "Producer", lambda _: None)
    monkeypatch.setattr(kafka_memory, "RUNNER", "print('ready'); [print(n, 1000, 0, 1.0) for n in range(50, 651, 50)]")
    with pytest.raises(SystemExit, match="the runner ended after 650 of 1,000 events"):
        kafka_memory.measure(1000, tmp_path)
