"""A flow on a real Flink between topics of a real Kafka, as it is, while processes are killed, and when it changes."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.flink.site import FLOW, PARTITIONS, Sent, Site, much_later, reach
from tests.flink.traffic import right, traffic
from tests.flink.watched import Changed, Watched
from tidegate import Flow
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def site(kafka: "Kafka", flink: Environment, models: Path, own: str, tmp_path: Path) -> Site:
    return Site(kafka, flink, models, own, tmp_path)


def _right(site: Site, events: Sent, flow: type[Flow[Any]] = Watched) -> dict[str, bytes]:
    placed = [(topic, partition % PARTITIONS[topic], event) for topic, partition, event in events]
    return right(placed, site.models, flow)


def test_decisions_are_those_of_a_replay(site: Site) -> None:
    events = list(traffic(20_000))
    site.produce(events)
    at = f"kafka://{site.kafka.address}/{site.own}"
    topics = [f"{at}-paid", f"Login={at}-logins", f"ListChange={at}-changes"]
    tidegate = str(Path(sys.executable).with_name("tidegate"))
    command = [tidegate, "flink", FLOW, "--to", f"{at}-out", "--group", site.own]
    command += [part for topic in topics for part in ("--from", topic)]
    command += ["--parallelism", "2", "--shards", "8", "--until-now", "--models", str(site.models)]
    done = subprocess.run(command, cwd=site.folder, env=os.environ, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything that was there has been decided" in done.stderr
    expected = _right(site, events)
    assert any(b'"models":[{' in one for one in expected.values())
    site.held(expected)


def test_killed_and_rescaled_it_loses_repeats_and_changes_nothing(site: Site) -> None:
    events = list(traffic(24_000, seed=2))
    sending = Thread(target=site.produce, args=(events, 300.0))
    sending.start()
    cluster = Cluster(site.flink, site.folder / "cluster", managers=2, slots=2)
    try:
        cluster.start()
        running = site.start(site.job(), cluster)
        reach(running, 2)
        for manager in cluster.task_managers:  # whichever of them runs the job
            manager.kill()
            manager.wait()
        reach(running, 2)
        assert cluster.job_manager is not None
        cluster.job_manager.kill()
        cluster.job_manager.wait()
        reach(running, 2)
        running = site.go_on(running, cluster, parallelism=4)
        reach(running, 2)
        running = site.go_on(running, cluster, parallelism=2)
        sending.join()
        site.produce(list(much_later(events)))
        expected = _right(site, events)
        site.wait(len(expected))
        running.stop()
    finally:
        cluster.stop()
        sending.join()
    site.held(expected)


def test_a_changed_flow_keeps_what_it_can_and_learns_the_rest(site: Site) -> None:
    events = list(traffic(6_000, seed=3))
    half = len(events) // 2
    site.produce(events[:half])
    cluster = Cluster(site.flink, site.folder / "cluster", managers=1, slots=2)
    try:
        cluster.start()
        running = site.start(site.job(), cluster)
        site.wait(1_500)
        running = site.go_on(running, cluster, FLOW.replace("Watched", "Changed"))
        assert running.job.rebuilt and len(running.job.rebuilt) < len(running.job.stages) - 2
        site.produce([*events[half:], *much_later(events)])
        expected = _right(site, events)
        site.wait(len(expected))
        running.stop()
    finally:
        cluster.stop()
    later, found = _right(site, events, Changed), site.decided()
    before = {id for id, decision in found.items() if b'"flow":"Watched@' in decision}
    assert 0 < len(before) < len(expected)
    times = {event.id: event.at for _, _, event in events}
    assert max(times[id] for id in before) < min(times[id] for id in found.keys() - before), "one after the other"
    site.held({id: expected[id] if id in before else later[id] for id in expected})
