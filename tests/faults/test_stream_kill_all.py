"""A stream and all that it stands on - instances, broker, OpenSearch, PostgreSQL - killed in turns under load.

`TIDEGATE_KILLS` says how often, `TIDEGATE_KILL_EVENTS` over how many events (`make kills EVENTS=1000000`).
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KILLS
from tests.faults.test_stream_kill import reaches
from tests.runtimes.started import FLOW, Process, started
from tests.runtimes.stream.topics import decisions, put, replayed
from tests.servers.kafka import Kafka
from tests.servers.maven import UnavailableError
from tests.servers.postgres import Postgres
from tests.servers.search import OpenSearch
from tidegate import Store
from tidegate.connectors.store_address import Address
from tidegate.evidence.log import verify
from tidegate.runtimes.load import load_flow

EVENTS = int(os.environ.get("TIDEGATE_KILL_EVENTS") or 1000 * KILLS)
AWAY = 75
"""What an instance ends with that was started while what it needs was away: whoever supervises it starts it again."""


def traffic(many: int) -> list[bytes]:
    """Payments ten seconds apart; every fifth is of one of four cards, which so pay often."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        json.dumps(
            {
                "id": f"k{number}",
                "at": (first + timedelta(seconds=10 * number)).isoformat(),
                "card": f"c{number * 7919 % max(100, many // 200)}" if number % 5 else f"often{number // 5 % 4}",
            }
        ).encode()
        for number in range(many)
    ]


class Instance:
    """`tidegate run` in a folder of its own, supervised."""

    def __init__(self, folder: Path, kafka: Kafka, own: str, store: str, alerts: str) -> None:
        folder.mkdir()
        (folder / "flow.py").write_text(FLOW)
        at = f"kafka://{kafka.address}/{own}"
        self.words = ("run", "flow.py", "--from", f"{at}-in", "--to", f"{at}-out", "--group", own, "--store", store,
                      "--alerts", alerts)  # fmt: skip
        self.folder = folder
        self.process = self._started()

    def _started(self) -> Process:
        with (self.folder / "log").open("ab") as log:
            return started(self.folder, *self.words, stderr=log)

    @property
    def log(self) -> str:
        """The last of what it said."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def look(self) -> None:
        """Start it again, if it ended as one that is to be started again."""
        status = self.process.poll()
        if status is not None:
            assert status == AWAY, f"ended with {status}: {self.log}"
            self.process = self._started()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def fall(self) -> None:
        """Be killed, and started anew."""
        self.kill()
        self.process = self._started()


def documents(node: OpenSearch) -> Iterator[dict[str, Any]]:
    """Everything that is found, asked by the product's own client."""
    from opensearchpy import OpenSearch as Client
    from opensearchpy.helpers import scan

    with Client(f"http://127.0.0.1:{node.port}", timeout=120) as client:
        client.indices.refresh(index="decisions-*")
        yield from scan(client, index="decisions-*", size=5000)


def indexed(node: OpenSearch) -> int:
    """How many documents there are."""
    from opensearchpy import OpenSearch as Client

    with Client(f"http://127.0.0.1:{node.port}", timeout=120) as client:
        client.indices.refresh(index="decisions-*")
        return int(client.count(index="decisions-*")["count"])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[OpenSearch]:
    """A node of this test alone, as it is to be killed."""
    try:
        made = OpenSearch(tmp_path / "opensearch")
    except UnavailableError as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.mark.timeout(7200)
def test_whatever_is_killed_every_event_is_decided_and_found_once(
    tmp_path: Path, own: str, cluster: Postgres, node: OpenSearch
) -> None:
    chance, bodies = random.Random(KILLS), traffic(EVENTS)
    postgres = f"{cluster.room()}&files={tmp_path / 'one' / 'store'}"
    with Kafka(tmp_path / "kafka") as kafka:
        kafka.topics(f"{own}-in", f"{own}-out")
        one, two = (
            Instance(tmp_path / name, kafka, own, store, f"{node.address}/decisions")
            for name, store in (("one", postgres), ("two", "s.db"))
        )

        def wait(there: Callable[[], bool], what: Callable[[], str]) -> None:
            end = time.monotonic() + max(300, EVENTS / 300)
            while not there():
                assert time.monotonic() < end, f"{what()}; {one.log}; {two.log}"
                one.look()
                two.look()
                time.sleep(1)

        def falls(server: Kafka | Postgres | OpenSearch) -> None:
            server.kill()
            time.sleep(chance.uniform(0.0, 2.0))
            server.start()

        kills: dict[str, Callable[[], None]] = {
            "the instance that keeps in PostgreSQL": one.fall,
            "the broker": lambda: falls(kafka),
            "OpenSearch": lambda: falls(node),
            "the instance that keeps in SQLite": two.fall,
            "PostgreSQL": lambda: falls(cluster),
        }
        try:
            for kill in range(KILLS):
                put(kafka, f"{own}-in", bodies[kill * EVENTS // KILLS : (kill + 1) * EVENTS // KILLS])
                time.sleep(chance.uniform(0.1, 3.0))
                one.look()
                two.look()
                kills[list(kills)[kill % len(kills)]]()
            wait(lambda: reaches(kafka, f"{own}-out") >= EVENTS, lambda: "not all was decided")
            told = list[bytes]()

            def all_told() -> bool:
                told[:] = decisions(kafka, f"{own}-out")
                return len(told) >= EVENTS

            wait(all_told, lambda: f"{len(told)} were decided")
            wait(lambda: indexed(node) >= EVENTS, lambda: f"{indexed(node)} are found")
            found = {one["_id"]: one["_source"]["outcome"] for one in documents(node)}
        finally:
            one.kill()
            two.kill()
    wanted = replayed(bodies, load_flow(tmp_path / "one" / "flow.py"))
    ids = [json.loads(one)["id"] for one in told]
    lost, repeated, different = EVENTS - len(set(ids)), len(ids) - len(set(ids)), len(set(told) - set(wanted))
    outcomes = {one["id"]: one["outcome"] for one in map(json.loads, wanted)}
    missed = len(outcomes.keys() - found.keys())
    otherwise = sum(outcomes.get(id) != outcome for id, outcome in found.items())
    print(
        f"{KILLS} kills of all in {EVENTS:,} events: {lost} lost, {repeated} repeated, {different} different; "
        f"OpenSearch: {missed} lost, {otherwise} different"
    )
    assert (lost, repeated, different, missed, otherwise) == (0, 0, 0, 0, 0)
    assert told == wanted
    for store in (Address(postgres), tmp_path / "two" / "s.db"):
        with Store.open(store, read_only=True) as kept:
            assert verify(kept).ok
