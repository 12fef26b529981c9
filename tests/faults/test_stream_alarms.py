"""Two instances of a stream, both with `--alerts`: everyone is told once, by the one that decides, also at a change."""

import json
import signal
from collections import Counter
from pathlib import Path

from tests.runtimes.started import FLOW, Process, started, until
from tests.runtimes.stream.topics import everything, put
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.shared import SharedProgress


def events(first: int, last: int) -> list[bytes]:
    """All of one card, ten a second: nearly all are many, and alarms."""
    return [
        json.dumps({"id": f"p{n}", "at": f"2026-01-01T00:{n // 600:02d}:{n / 10 % 60:04.1f}Z", "card": "c"}).encode()
        for n in range(first, last)
    ]


def instance(kafka: Kafka, own: str, folder: Path) -> Process:
    folder.mkdir()
    (folder / "flow.py").write_text(FLOW + '    alarm = count(per=Card, last="10m") >= 2\n')
    at = f"kafka://{kafka.address}/{own}"
    return started(
        folder, "run", "flow.py", "--from", f"{at}-in", "--to", f"{at}-out", "--store", "s.db", "--group", own,
        "--alerts", f"{at}-alarms",
    )  # fmt: skip


def told(kafka: Kafka, own: str) -> Counter[str]:
    return Counter(one.key().decode() for one in everything(kafka, f"{own}-alarms"))


def wanted(first: int, last: int) -> Counter[str]:
    return Counter(f"p{n}" for n in range(max(2, first), last))


def test_alarms_come_once_of_two_instances_and_when_one_takes_over(kafka: Kafka, own: str, tmp_path: Path) -> None:
    for name in ("in", "out", "alarms"):
        kafka.topics(f"{own}-{name}")
    put(kafka, f"{own}-in", events(0, 50))
    one = instance(kafka, own, tmp_path / "one")
    running = [one]
    try:
        until(lambda: told(kafka, own) == wanted(0, 50), 120)
        running.append(instance(kafka, own, tmp_path / "two"))
        shared = SharedProgress(Cluster(kafka.address), f"{own}-out.order", own)
        name = f"kafka://{kafka.address}/{own}-alarms"
        put(kafka, f"{own}-in", events(50, 100))
        until(lambda: shared.read().get(name) == 100, 120)
        one.send_signal(signal.SIGTERM)
        assert one.wait(120) == 0
        put(kafka, f"{own}-in", events(100, 150))
        until(lambda: shared.read().get(name) == 150, 120)
        assert told(kafka, own) == wanted(0, 150)

        # One that falls may have told what nobody knows of: none is lost, and what comes twice is of its last second.
        running.append(instance(kafka, own, tmp_path / "three"))
        running[1].kill()
        put(kafka, f"{own}-in", events(150, 200))
        until(lambda: shared.read().get(name) == 200, 120)
        assert told(kafka, own).keys() == wanted(0, 200).keys()
        assert all(many == 1 for id, many in told(kafka, own).items() if int(id[1:]) < 150)
        shared.close()
    finally:
        for each in running:
            each.kill()
            each.wait()
