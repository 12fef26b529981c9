"""Transactions of jobs on a real Flink: two of one flow beside one another, and those that Kafka gives up."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from tests.flink.site import FLOW, Site, reach
from tests.flink.traffic import bytes_of, traffic
from tidegate.cli import app
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment
from tidegate.errors import TidegateError
from tidegate.runtimes.flink.job import prefix_of
from tidegate.runtimes.flink.running import Running

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(900)
QUICK: dict[str, Any] = {"idle": 1000, "out_of_order": 100, "parallelism": 1, "checkpoint": 1000}


@pytest.fixture
def payments() -> Iterator["Payments"]:
    made = Payments()
    yield made
    made.end()


class Payments:
    """Payments that come all the time, to the same partition of each site."""

    def __init__(self) -> None:
        self.sent = 0
        self._first = next(event for topic, _, event in traffic(50) if topic == "paid")
        self._end = Flag()
        self._threads = list[Thread]()

    def begin(self, sites: Sequence[Site]) -> None:
        self._end.clear()
        self._threads.append(Thread(target=self._send, args=(sites,)))
        self._threads[-1].start()

    def end(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _send(self, sites: Sequence[Site]) -> None:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": sites[0].kafka.address, "linger.ms": 5})
        while not self._end.wait(0.01):
            at = self._first.at + timedelta(milliseconds=50 * self.sent)
            body = bytes_of(replace(self._first, id=f"e{self.sent}", at=at))
            for site in sites:
                producer.produce(f"{site.own}-paid", body, partition=0)
            producer.poll(0)
            self.sent += 1
        assert producer.flush(60) == 0


def test_two_jobs_of_one_flow_with_other_topics_leave_each_other_alone(
    kafka: "Kafka", flink: Environment, models: Path, own: str, tmp_path: Path, payments: Payments
) -> None:
    sites = []
    for part in ("eu", "us"):
        (tmp_path / part).mkdir()
        sites.append(Site(kafka, flink, models, f"{own}-{part}", tmp_path / part))
    cluster = Cluster(flink, tmp_path / "cluster", managers=2, slots=1)
    try:
        cluster.start()
        payments.begin(sites)
        jobs = []
        for site in sites:  # of one group, as those of one flow are if nothing else is said
            job = site.job(**QUICK, name=own, transactions=prefix_of(own, f"{site.own}-out"))
            jobs.append(site.start(job, cluster))
            reach(jobs[-1], 3)
        for running in jobs:
            reach(running, 5)
            assert running.job.transaction_timeout == 900_000, "the most that Kafka allows if nobody sets it"
        assert [running.failure() for running in jobs] == ["", ""]
        for site in sites:
            site.wait(50)
    finally:
        cluster.stop()


def _killed_as_a_checkpoint_is_whole(running: Running, cluster: Cluster) -> None:
    """End all of Flink before the checkpoint that is just written commits its transaction."""
    folder = Path(running.job.state.removeprefix("file://")) / "checkpoints" / running.id
    known, until = set(folder.glob("chk-*/_metadata")), time.monotonic() + 120
    while not set(folder.glob("chk-*/_metadata")) - known:
        assert time.monotonic() < until, "no checkpoint"
        time.sleep(0.0005)
    for process in (*cluster.task_managers, cluster.job_manager):
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _said_of_losses(running: Running) -> str:
    """What is said in the first minute that the job runs."""
    until = float("inf")

    def look(state: str, taken: int) -> None:
        nonlocal until
        if running.lost():
            raise AssertionError("it is sure")
        until = min(until, time.monotonic() + 60) if state == "RUNNING" else until
        if time.monotonic() > until:
            raise TidegateError("nothing")

    with pytest.raises(TidegateError) as told:
        running.watch(look)
    return str(told.value)


def test_a_checkpoint_whose_transaction_was_given_up_is_refused_and_the_loss_is_told(
    kafka: "Kafka", flink: Environment, models: Path, own: str, tmp_path: Path, payments: Payments
) -> None:
    site = Site(kafka, flink, models, own, tmp_path)
    job, said = site.job(**QUICK, properties={"transaction.timeout.ms": "5000"}), ""
    place = f"kafka://{kafka.address}/{own}"
    asked = ["flink", FLOW, "--from", f"{place}-paid", "--to", f"{place}-out", "--models", str(models)]
    for attempt in range(4):  # a transaction may be committed before all of Flink has ended
        cluster = Cluster(flink, tmp_path / f"cluster-{attempt}", managers=1, slots=1)
        try:
            cluster.start()
            running = site.start(job, cluster)  # as where the age of what it goes on from cannot be seen
            if attempt and (said := _said_of_losses(running)) != "nothing":
                break
            payments.begin([site])
            reach(running, 5)
            _killed_as_a_checkpoint_is_whole(running, cluster)
        finally:
            payments.end()
            cluster.stop()
        assert running.job.transaction_timeout == 5000
        time.sleep(15)  # the broker looks every ten seconds
        job = replace(job, savepoint=running.checkpoint())
        done = CliRunner().invoke(app, [*asked, "--state", str(tmp_path), "--from-savepoint", job.savepoint])
        refused = " ".join(done.output.split())
        assert done.exit_code == 2 and "The checkpoint is too old" in refused and "stay open for 5s" in refused, refused
    assert said.startswith("Decisions are lost"), said
    assert f"could not be committed to {own}-out: 1." in said, said
