"""What a restart reads: the state from its snapshot, and of the topics only what comes behind it."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, run, running, settings
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.runtimes.stream.stream import Stream


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offsets of all messages of inputs that are taken from now on."""
    offsets: list[int] = []
    took = Inputs._took

    def noted(self: Inputs, found: list[Any]) -> list[Any]:
        offsets.extend(one.message.offset() for one in found)
        return took(self, found)

    monkeypatch.setattr(Inputs, "_took", noted)
    return offsets


def test_it_learns_from_the_snapshot_on_and_reads_what_is_new(
    kafka: Kafka, own: str, tmp_path: Path, read: list[int]
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    bodies = payments(0, 1500)
    put(kafka, f"{own}-in", bodies[:1000])
    run(kafka, own, tmp_path)
    assert read == list(range(1000))
    read.clear()
    put(kafka, f"{own}-in", bodies[1000:])
    again = Stream(settings(kafka, own, tmp_path))
    assert again.engine.recovered == 0  # a snapshot was written when it ended
    with running(again):
        until(lambda: again.figures.taken == 500)
    assert read == list(range(1000, 1500))
    assert decisions(kafka, f"{own}-out") == replayed(bodies)


def test_one_that_was_killed_learns_again_what_came_behind_its_last_snapshot(
    kafka: Kafka, own: str, tmp_path: Path, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    bodies = payments(0, 1500)
    first = Stream(settings(kafka, own, tmp_path, until_end=False, snapshot=600))
    with running(first):
        for start in range(0, 1200, 400):
            put(kafka, f"{own}-in", bodies[start : start + 400])
            until(lambda many=start + 400: first.figures.taken == many)  # type: ignore[misc]
        until(lambda: first._saving.written == 1)  # of 800 records: while it went on
        monkeypatch.setattr(first._saving, "close", lambda *, last: None)  # it is killed
    read.clear()
    put(kafka, f"{own}-in", bodies[1200:])
    again = Stream(settings(kafka, own, tmp_path))
    assert again.engine.recovered == 400
    with running(again):
        until(lambda: again.figures.taken == 300)
    assert read == list(range(1200, 1500))  # the store had the others
    assert decisions(kafka, f"{own}-out") == replayed(bodies)


def test_a_snapshot_that_cannot_be_written_stops_nothing(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 300))
    stream = Stream(settings(kafka, own, tmp_path, snapshot=100))

    def full(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stream.engine._journal.snapshots, "write", full)  # type: ignore[union-attr]
    with caplog.at_level(logging.ERROR), running(stream):
        until(lambda: stream.figures.taken == 300)
    assert "No snapshot was written" in caplog.text and "No space left" in caplog.text
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 300))
