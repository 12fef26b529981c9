"""Times that cannot be, and clocks that are wrong: they move no watermark, and hold up nobody. On a real Flink."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from msgspec.structs import replace

from tests.flink.site import FLOW, PARTITIONS, Site
from tests.flink.traffic import bytes_of, right, traffic
from tests.flink.watched import Changed, Login, Paid
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment
from tidegate.errors import ContractError
from tidegate.events.contract import Reader
from tidegate.events.times import microseconds_of

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(900)
READ = """
import java.util.Scanner;

public class Read {
    public static void main(String[] words) {
        Scanner lines = new Scanner(System.in, "UTF-8");
        while (lines.hasNextLine()) {
            System.out.println(tidegate.Incoming.microseconds(lines.nextLine()));
        }
    }
}
"""
TIMES = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00-05:00", "0000-01-01T00:00:00Z",
    "2199-12-31T23:59:59.9999994Z", "2199-12-31T23:59:59.9999995Z", "2200-01-01T00:30:00+01:00",
    "2199-12-31T23:59:59-05:00", "2200-01-01T00:00:00Z", "2262-04-11T23:47:16Z", "9999-12-31T00:00:00Z",
    "9999-12-31T23:59:59-23:59", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T99:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z",
    "2026-01-01t00:00:00z", "2026-01-01 00:00:00Z", "2026-01-01X00:00:00Z", "2026-01-01T00:00:00",
    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+23:60", "2026-01-01T00:00:00-0130", "2026-01-01T00:00:00+01",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.1234565Z", "2026-01-01T00:00:00.123",
    "2026-01-01T00:00:00.1234564999+02:00", "2026-01-01T00:00:00.٣Z", "２026-01-01T00:00:00Z", "2026-01-01", "never",
    "", "1969-12-31T23:59:59.9999999Z", "2026-01-01T00:00:00Z ", "-026-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
]  # fmt: skip


def test_a_time_that_the_contract_refuses_is_none_for_the_watermark_and_others_are_the_same(
    flink: Environment, tmp_path: Path
) -> None:
    (tmp_path / "Read.java").write_text(READ)
    jars = os.pathsep.join(map(str, [*flink.jars, *(flink.home / "lib").glob("*.jar")]))
    command = ["java", "-Dfile.encoding=UTF-8", "-cp", jars, str(tmp_path / "Read.java")]
    done = subprocess.run(command, input="\n".join([*TIMES, ""]), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    logins = Reader(Login)

    def contract(text: str) -> int:
        try:
            login = {"id": "x", "at": text, "card": "c", "success": True}
            return microseconds_of(logins.read(json.dumps(login).encode()).at)
        except ContractError:
            return -(2**63)

    assert [(text, int(line)) for text, line in zip(TIMES, done.stdout.split(), strict=True)] == [
        (text, contract(text)) for text in TIMES
    ]


@pytest.fixture
def site(kafka: "Kafka", flink: Environment, models: Path, own: str, tmp_path: Path) -> Site:
    return Site(kafka, flink, models, own, tmp_path)


@pytest.fixture
def cluster(site: Site) -> Iterator[Cluster]:
    cluster = Cluster(site.flink, site.folder / "cluster", managers=1, slots=1)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _send(site: Site, topic: str, *placed: tuple[int, bytes]) -> None:
    producer = Producer({"bootstrap.servers": site.kafka.address})
    for partition, data in placed:
        producer.produce(f"{site.own}-{topic}", data, partition=partition)
    assert producer.flush(60) == 0


def _until(met: Callable[[], bool], what: Callable[[], object]) -> None:
    until = time.monotonic() + 240
    while not met():
        assert time.monotonic() < until, what()
        time.sleep(1)


def _letters(site: Site) -> Counter[str]:
    told = site.consumed(f"{site.own}-out.dead-letters", 1)
    return Counter(headers["tidegate-code"].decode() for _, _, headers in told)


def test_a_message_of_a_time_that_cannot_be_or_is_ahead_of_the_clock_holds_up_nothing_behind_it(
    site: Site, cluster: Cluster
) -> None:
    """All good ones lie in one partition, so that no other keeps the watermark back; one is of wrong clocks alone."""
    paid = sorted((event for topic, _, event in traffic(100) if topic == "paid"), key=lambda event: event.at)
    now, numbers = datetime.now(UTC), count(1)
    never = b'{"id":"never","at":"9999-12-31T00:00:00Z"}'
    far = bytes_of(replace(paid[0], id="far", at=datetime(2150, 1, 1, tzinfo=UTC)))
    hour = bytes_of(replace(paid[0], id="hour", at=now + timedelta(hours=1)))
    sent = list[Paid]()

    def send(*good: Paid) -> None:
        sent.extend(good)
        _send(site, "paid", *((0, bytes_of(event)) for event in good))

    def decided(many: int) -> None:
        """Wait for those that were sent until now, while the watermark is brought on."""

        def met() -> bool:
            last = sent[-1]
            send(replace(last, id=f"push{next(numbers)}", at=last.at + timedelta(seconds=1)))
            wrong = replace(paid[0], id=f"wrong{next(numbers)}", at=now + timedelta(days=1))
            _send(site, "paid", (1, bytes_of(wrong)))
            return len(site.decided()) >= many

        _until(met, lambda: f"{len(site.decided())} of {many} decided; letters: {_letters(site)}")

    more = {"idle": 4000, "out_of_order": 1000, "parallelism": 1}
    running = site.start(site.job(**more), cluster)
    _send(site, "paid", (0, never), (0, far), (0, hour), (0, b"{"))
    refused = {"contract": 2, "future": 2}
    _until(lambda: _letters(site) == refused, lambda: f"told before any event is taken: {_letters(site)}")
    send(*paid[:30])
    decided(30)
    _send(site, "paid", (0, never), (0, far))
    send(*(replace(event, at=event.at + timedelta(hours=1)) for event in paid[30:60]))
    decided(len(sent))
    running = site.go_on(running, cluster, FLOW.replace("Watched", "Changed"), **more)  # which reads all of it again
    assert running.job.rebuilt
    send(*(replace(event, at=event.at + timedelta(hours=2)) for event in paid[60:80]))
    decided(len(sent))
    running.stop()
    assert _letters(site).keys() == {"contract", "future"}
    placed, found = [("paid", 0, event) for event in sent], site.decided()
    old, new = right(placed, site.models), right(placed, site.models, Changed)
    assert len(found) >= 80
    assert found == {id: old[id] if b'"flow":"Watched@' in one else new[id] for id, one in found.items()}
    assert sum(one == new[id] for id, one in found.items()) >= 20


def test_until_now_decides_everything_but_what_is_further_ahead_than_is_allowed(site: Site) -> None:
    events, now = list(traffic(400, seed=11)), datetime.now(UTC)
    first = next(event for topic, _, event in events if topic == "paid")
    login = next(event for topic, _, event in events if topic == "logins")
    wrong = [replace(first, id="wrong", at=now + timedelta(hours=3)), b'{"id":"never","at":"9999-12-31T00:00:00Z"}']
    fast = replace(login, id="fast", at=now + timedelta(hours=1))
    site.produce(events[:200])
    _send(site, "paid", *((p, one if isinstance(one, bytes) else bytes_of(one)) for p in (0, 1, 2) for one in wrong))
    placed = [*events, ("logins", 1, fast), ("paid", 1, replace(first, id="last", at=fast.at))]
    site.produce(placed[200:])
    at = f"kafka://{site.kafka.address}/{site.own}"
    command = [str(Path(sys.executable).with_name("tidegate")), "flink", FLOW, "--models", str(site.models)]
    command += ["--from", f"{at}-paid", "--from", f"Login={at}-logins", "--from", f"ListChange={at}-changes"]
    command += ["--to", f"{at}-out", "--shards", "4", "--until-now", "--ahead", "7200"]
    done = subprocess.run(command, cwd=site.folder, env=os.environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    # Of the same message three times over, each is told: what is refused leaves no id behind.
    assert _letters(site) == {"future": 3, "contract": 3}
    expected = right([(topic, partition % PARTITIONS[topic], event) for topic, partition, event in placed], site.models)
    assert site.decided() == expected and "last" in expected
