"""A broker that answers slowly, and one whose disk is full: a stream waits, and loses nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, run, running, settings
from tests.servers.kafka import Kafka
from tests.servers.proxy import Proxy
from tidegate.connectors.kafka.writer import Writer
from tidegate.runtimes.stream.stream import Stream


def test_a_broker_that_answers_slowly_slows_and_loses_nothing(tmp_path: Path, own: str) -> None:
    broker = Kafka(tmp_path / "kafka")
    with Proxy(broker.port) as proxy:
        ends = f"CONTROLLER://127.0.0.1:{broker.controller}"
        broker.settings["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{proxy.port},{ends}"
        with broker:
            broker.topics(f"{own}-in", f"{own}-out")
            put(broker, f"{own}-in", payments(0, 300))
            stream = Stream(settings(broker, own, tmp_path, until_end=False))
            with running(stream):
                until(lambda: stream.figures.taken == 300)
                put(broker, f"{own}-in", payments(300, 500))
                proxy.delay = 0.4  # and so for each question and each answer
                until(lambda: stream.figures.taken == 500, 240)
                proxy.delay = 0.0
                put(broker, f"{own}-in", payments(500, 600))
                until(lambda: stream.figures.taken == 600)
            assert decisions(broker, f"{own}-out") == replayed(payments(0, 600))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True)
    except OSError as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_of_the_broker_is_waited_for(
    small_disk: Path, tmp_path: Path, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_once = list[bool]()
    filler, write = small_disk / "filler", Writer.write

    def filling(self: Writer, *words: Any) -> None:
        if not full_once:
            full_once.append(True)
            with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as full:
                while True:
                    full.write(b"\0" * 4096)
        write(self, *words)

    with Kafka(tmp_path / "kafka", log_dirs=small_disk / "data") as broker:
        broker.topics(f"{own}-in", f"{own}-out")
        put(broker, f"{own}-in", payments(0, 300))
        run(broker, own, tmp_path)
        put(broker, f"{own}-in", payments(300, 600))
        stream = Stream(settings(broker, own, tmp_path, until_end=False))
        monkeypatch.setattr(Writer, "write", filling)
        with running(stream):
            until(lambda: broker.process is not None and broker.process.poll() is not None, 120)  # so Kafka does
            assert stream.figures.taken == 0
            filler.unlink()
            broker.start()
            # A commit whose answer was lost is learned from the order topic, and not counted as taken.
            until(lambda: len(decisions(broker, f"{own}-out")) == 600, 240)
        assert decisions(broker, f"{own}-out") == replayed(payments(0, 600))
