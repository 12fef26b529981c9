"""PostgreSQL goes away under a stream that keeps its decisions there: it waits, and each event is decided once."""

import logging
from pathlib import Path

import pytest

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, run, running, settings
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tidegate import Store
from tidegate.connectors.store_address import Address
from tidegate.evidence.log import verify
from tidegate.runtimes.stream.held import HeldStore
from tidegate.runtimes.stream.stream import Stream


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_stream_goes_on_when_postgres_comes_back(
    kafka: Kafka,
    own: str,
    tmp_path: Path,
    cluster: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    when: str,
) -> None:
    """Killed where Kafka has committed a batch and the store has not been asked, or has kept it and cannot say."""
    kafka.topics(f"{own}-in", f"{own}-out")
    address = Address(f"{cluster.room()}&files={tmp_path / 'store'}")
    commit, wanted = HeldStore.commit, [True]

    def killed(self: HeldStore) -> None:
        if not wanted or not self.records:
            commit(self)
            return
        wanted.clear()
        if when == "after":
            self._store.append(self._entries, self._refusals)
        cluster.kill()
        commit(self)

    stream = Stream(settings(kafka, own, tmp_path, store=address, until_end=False))
    with caplog.at_level(logging.WARNING), running(stream):
        wanted.clear()
        put(kafka, f"{own}-in", payments(0, 100))
        until(lambda: stream.figures.taken == 100)
        monkeypatch.setattr(HeldStore, "commit", killed)
        wanted.append(True)
        put(kafka, f"{own}-in", payments(100, 200))
        assert not stream.figures.metrics.store_failures
        until(lambda: caplog.text.count("PostgreSQL cannot be reached") >= 2, 120)
        assert stream.figures.metrics.store_failures  # what TidegateStoreFailing looks at
        assert not stream.deciding and "PostgreSQL cannot be reached" in str(stream.held_up)
        put(kafka, f"{own}-in", payments(200, 300))
        cluster.start()
        until(lambda: len(decisions(kafka, f"{own}-out")) == 300, 120)
        assert stream.deciding and stream.held_up is None
    run(kafka, own, tmp_path, store=tmp_path / "other.db", catch_up=True)
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 300))
    with Store.open(address, read_only=True) as kept, Store.open(tmp_path / "other.db", read_only=True) as other:
        assert verify(kept).ok and kept.head() == other.head() and kept.head().size == 300


def test_a_stream_ends_when_it_is_told_to_while_postgres_is_away(
    kafka: Kafka, own: str, tmp_path: Path, cluster: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    address = Address(f"{cluster.room()}&files={tmp_path / 'store'}")
    stream = Stream(settings(kafka, own, tmp_path, store=address, until_end=False))
    with caplog.at_level(logging.WARNING), running(stream):  # it fails if it does not end, or raises
        until(lambda: stream.leads)
        cluster.kill()
        put(kafka, f"{own}-in", payments(0, 100))
        until(lambda: "PostgreSQL cannot be reached" in caplog.text, 120)
