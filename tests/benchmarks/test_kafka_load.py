"""The load of the Kafka benchmark is open, on time, and told when it is not."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import kafka_latency
from benchmarks.kafka_latency import Run
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
        kafka_latency.report(None, tmp_path, [b""] * 10, 1000.0, 1.0, 1)  # type: ignore[arg-type]
        told = capsys.readouterr().out
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
