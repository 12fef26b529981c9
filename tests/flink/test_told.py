"""What the command makes of what Flink answers when a job cannot go on: a stand-in says what Flink 2.2.1 said.

The answers in `recorded/` are those of a real cluster, with fewer lines of their stacks: `make flink` meets them again.
"""

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from tests.flink.test_command import _job
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment
from tidegate.errors import TidegateError
from tidegate.runtimes.flink.running import Running

RECORDED = Path(__file__).with_name("recorded")
JOB = "6a01d585e01405e102c3cb990dc8ca12"


class StandIn:
    """Answers as a JobManager does of a job, whose states come one after another, each for one look: two questions."""

    def __init__(self) -> None:
        self.states, self.stack, self.asked = ["RUNNING"], "", 0
        manager = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("/exceptions"):
                    entries = [{"exceptionName": "x", "stacktrace": manager.stack}] if manager.stack else []
                    told: object = {"exceptionHistory": {"entries": entries, "truncated": False}}
                else:
                    state = manager.states[min(manager.asked // 2, len(manager.states) - 1)]
                    manager.asked += 1
                    read = {"name": "Source: events", "metrics": {"write-records": 7}}
                    told = {"jid": JOB, "state": state, "vertices": [read]}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(told).encode())

            def log_message(self, *given: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def manager() -> Iterator[StandIn]:
    made = StandIn()
    yield made
    made.close()


def running(manager: StandIn, folder: Path) -> Running:
    found = Running(replace(_job(), state=f"file://{folder}"), Environment(folder, []), folder, manager.address)
    found.id = JOB
    return found


@pytest.mark.parametrize(
    ("recorded", "cause"),
    [
        (
            "another-flow",
            r"The job is failed.*:Watched is another flow here than where the job was submitted",
        ),
        ("state-nowhere", r"Failed to create directory for shared state: file:/proc/nowhere/checkpoints"),
    ],
)
def test_a_job_that_cannot_go_on_says_why(manager: StandIn, tmp_path: Path, recorded: str, cause: str) -> None:
    manager.states = ["INITIALIZING", "RUNNING", "FAILING", "FAILED"]
    manager.stack = (RECORDED / f"{recorded}.txt").read_text()
    told = list[tuple[str, int]]()
    with pytest.raises(TidegateError, match=cause):
        running(manager, tmp_path).watch(lambda *words: told.append(words), every=0.01)
    assert told == [("INITIALIZING", 7), ("RUNNING", 7), ("FAILING", 7)]


@pytest.mark.parametrize(
    ("recorded", "words", "do"),
    [
        ("topic-gone", r"A topic is not there: one of x-logins, x-changes, x-nothing\.", "Make it, or name another"),
        ("certificate-over", r"certificate has expired \(NotAfter: Fri Jan 01", "Give the broker a new certificate"),
        (
            "certificate-of-another",
            r"is another host's \(No subject alternative names",
            "an address that its certificate",
        ),
        ("no-answer", r"Kafka does not answer in time \(Timed out waiting", "See whether its brokers run"),
    ],
)
def test_what_a_cause_means_and_what_to_do_is_told_while_it_tries_and_at_the_end(
    manager: StandIn, tmp_path: Path, recorded: str, words: str, do: str
) -> None:
    manager.states = ["RESTARTING", "FAILED"]
    manager.stack = (RECORDED / f"{recorded}.txt").read_text()
    job, causes = running(manager, tmp_path), list[str]()
    with pytest.raises(TidegateError, match=f"The job is failed.*{words}.*{do}"):
        job.watch(lambda state, taken: causes.append(job.failure()), every=0.01)
    assert re.search(f"{words}.*{do}", causes[0])


def test_a_disk_that_takes_no_checkpoint_is_named_while_the_job_begins_again(manager: StandIn, tmp_path: Path) -> None:
    manager.states = ["RUNNING", "RESTARTING", "RUNNING", "FINISHED"]
    job, causes = running(manager, tmp_path), list[str]()

    def told(state: str, taken: int) -> None:
        manager.stack = (RECORDED / "no-checkpoint.txt").read_text() if state == "RESTARTING" else manager.stack
        causes.append(job.failure())

    job.watch(told, every=0.01)
    assert causes[0] == "" and len(causes) == 3
    assert "checkpoint" in causes[1].lower() and causes[1] == causes[2]


def test_a_job_does_not_go_on_from_a_checkpoint_that_grew_too_old_while_its_jobmanager_was_away(
    manager: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, submitted = running(manager, tmp_path), list[str]()
    job._ids, job._cluster = [JOB], cast(Cluster, SimpleNamespace(mend=lambda: True))
    monkeypatch.setattr(job, "submit", lambda: submitted.append(job.job.savepoint))
    written = tmp_path / "checkpoints" / JOB / "chk-7" / "_metadata"
    written.parent.mkdir(parents=True)
    written.touch()
    assert job.state() == "RUNNING" and submitted == [f"file://{written.parent}"]
    job.job = replace(job.job, savepoint="", why="of the one before")
    os.utime(written, (time.time() - 700,) * 2)
    with pytest.raises(TidegateError, match=r"too old.*written 11\.7 min ago.*for 10m"):
        job.state()


def test_a_job_that_is_not_taken_says_why(manager: StandIn, tmp_path: Path) -> None:
    job = running(manager, tmp_path)
    python = tmp_path / "bin" / "python"
    for path in (python.parent, tmp_path / "lib" / "python3.11" / "site-packages" / "pyflink"):
        path.mkdir(parents=True)
    said = 'Traceback (most recent call last):\\n  File \\"x\\"\\npy4j.protocol.Py4JJavaError: An error\\n'
    python.write_text(f'#!/bin/sh\nprintf "{said}Caused by: java.io.IOException: No room left\\n" >&2\nexit 1\n')
    python.chmod(0o700)
    with pytest.raises(TidegateError, match=r"Flink did not take the job.*No room left"):
        job.submit()
