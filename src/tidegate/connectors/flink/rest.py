"""What a cluster says over HTTP (Flink's REST API, version 1), as far as we ask."""

import json
import time
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tidegate.errors import TidegateError

_TIMEOUT = 10.0
COMMITTER = "decisions_to_Kafka__Committer"
"""How figures of the part of our sink that commits are called: the sink's name, and Flink's own of that part."""


class Rest:
    """A JobManager's REST endpoint.

    Args:
        address: HOST:PORT.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """The answer to a request.

        Raises:
            TidegateError: it cannot be reached, or refuses.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://{self.address}/v1{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=_TIMEOUT) as answer:
                text = answer.read()
        except HTTPError as error:
            said = error.read().decode(errors="replace")
            raise TidegateError(f"Flink refused {path}.", seen=said[:400]) from None
        except (URLError, HTTPException, OSError) as error:
            raise TidegateError(
                f"Flink cannot be reached at {self.address}.", seen=str(error), do="See whether its JobManager runs."
            ) from None
        return json.loads(text) if text else {}

    def slots(self) -> int:
        """How many slots the cluster has; none while it cannot be asked."""
        try:
            return int(self.ask("/overview")["slots-total"])
        except (TidegateError, KeyError, ValueError):
            return 0

    def state(self, job: str) -> str:
        """The state of a job, as Flink names it: RUNNING, RESTARTING, FINISHED, FAILED, …"""
        return str(self.ask(f"/jobs/{job}")["state"])

    def taken(self, job: str) -> int:
        """How many events the job has read, since it was last started."""
        for vertex in self.ask(f"/jobs/{job}")["vertices"]:
            if vertex["name"].startswith("Source: events"):
                return int(vertex["metrics"]["write-records"])
        return 0

    def failure(self, job: str) -> str:
        """Why the job failed last, in Flink's words; empty if it did not."""
        entries = self.ask(f"/jobs/{job}/exceptions").get("exceptionHistory", {}).get("entries", [])
        return str(entries[0].get("stacktrace", ""))[:40_000] if entries else ""

    def checkpoints(self, job: str) -> int:
        """How many checkpoints the job has completed."""
        return int(self.ask(f"/jobs/{job}/checkpoints")["counts"]["completed"])

    def uncommitted(self, job: str) -> int:
        """How many transactions it could not commit and has given up, since its tasks were last started."""
        name, many = f"{COMMITTER}.failedCommittables", 0
        for vertex in self.ask(f"/jobs/{job}")["vertices"]:
            if vertex["name"].endswith("Committer"):
                told = self.ask(f"/jobs/{job}/vertices/{vertex['id']}/subtasks/metrics?get={name}&agg=sum")
                many += sum(int(one["sum"]) for one in told)
        return many

    def points(self, job: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """The number of the checkpoint that the job last went on from, and when; that of its newest, and when it began.

        Times are milliseconds; two zeros where there is none.
        """
        latest = self.ask(f"/jobs/{job}/checkpoints")["latest"]
        restored, completed = latest.get("restored") or {}, latest.get("completed") or {}
        return (
            (int(restored.get("id", 0)), int(restored.get("restore_timestamp", 0))),
            (int(completed.get("id", 0)), int(completed.get("trigger_timestamp", 0))),
        )

    def clock(self, job: str) -> int:
        """The time on the cluster's clock, in milliseconds."""
        return int(self.ask(f"/jobs/{job}")["now"])

    def stop(self, job: str, folder: str, patience: float = 120.0) -> str:
        """Stop a job with a savepoint in a folder; gives the savepoint's path.

        Raises:
            TidegateError: it failed, or took too long.
        """
        asked = self.ask(f"/jobs/{job}/stop", {"targetDirectory": folder, "drain": False})["request-id"]
        until = time.monotonic() + patience
        while time.monotonic() < until:
            told = self.ask(f"/jobs/{job}/savepoints/{asked}")
            if told["status"]["id"] == "COMPLETED":
                operation = told["operation"]
                if "location" in operation:
                    return str(operation["location"])
                raise TidegateError("The savepoint failed.", seen=str(operation.get("failure-cause", operation))[:1000])
            time.sleep(0.2)
        raise TidegateError("The savepoint was not made in time.", seen=f"{patience:g} seconds")

    def cancel(self, job: str) -> None:
        """End a job where it is; what it has not committed is not to be seen."""
        self.ask(f"/jobs/{job}?mode=cancel", {}, method="PATCH")
