"""Durable decisions over HTTP against servers that decide nothing: same uvicorn, same load, side by side in one run.

    python -m benchmarks.http [--connections 32] [--seconds 6] [--rounds 3] [--folder FOLDER]

Ours: W1's 34 window features, ten rules and a LightGBM model of 200 trees; every decision sealed and on the disk before
it is answered. Against it (a) a raw ASGI application that reads the body and answers `{}`, and (b) a FastAPI endpoint
that answers a constant. Servers run on one core; the client, which keeps its connections and waits for each answer
before the next request, on another. Rounds alternate, so that a machine that slows down slows all.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.targets import Targets

PROLOGUE = "import os, sys, uvicorn; os.sched_setaffinity(0, {CORE}); port = int(sys.argv[1])\n"

RAW = """
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
"""

FASTAPI = """
import fastapi
app = fastapi.FastAPI()

@app.post("/decisions")
@app.get("/ready")
async def decide():
    return {"outcome": "approve"}
"""

EPILOGUE = """
uvicorn.run(app, port=port, loop="uvloop", http="httptools", ws="none", lifespan="off",
            access_log=False, log_level="warning", server_header=False, date_header=False,
            proxy_headers=False, timeout_keep_alive=75)
"""

OURS = """
from pathlib import Path
from benchmarks.w1_flow import W1Decision
from tidegate.runtimes.serve.server import Server
from tidegate.runtimes.serve.settings import Settings
folder = Path(sys.argv[2])
Server(Settings(W1Decision, folder / "store.db", folder / "models", port=port)).run(lambda server: None)
"""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(code: str, *args: str) -> Iterator[int]:
    """A server in a process of its own on the first core, ready; its port."""
    port, core = free_port(), min(os.sched_getaffinity(0))
    process = subprocess.Popen([sys.executable, "-c", PROLOGUE.replace("CORE", str(core)) + code, str(port), *args])
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
                break
            except urllib.error.HTTPError as error:
                if error.code == 405:
                    break
            except OSError:
                pass
            if process.poll() is not None:
                raise SystemExit(f"the server ended with {process.returncode}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


class Client(asyncio.Protocol):
    """One connection that asks, waits for the answer, and asks again."""

    def __init__(self, requests: Iterator[bytes], times: list[float], failed: list[bytes]) -> None:
        self.requests, self.times, self.failed = requests, times, failed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.left = b""
        self.ask()

    def ask(self) -> None:
        request = next(self.requests, None)
        if request is not None:
            self.began = time.perf_counter()
            self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        data = self.left + data
        head = data.find(b"\r\n\r\n")
        at = data.find(b"content-length: ", 0, head)
        if head < 0 or len(data) < head + 4 + int(data[at + 16 : data.find(b"\r", at)]):
            self.left = data
            return
        self.left = b""
        self.times.append(time.perf_counter() - self.began)
        if not data.startswith(b"HTTP/1.1 200"):
            self.failed.append(data)
        self.ask()


async def load(
    port: int, connections: int, seconds: float, bodies: Iterator[bytes]
) -> tuple[float, list[float], list[bytes]]:
    """Ask as fast as answers come; the rate after the first half second, and the seconds of each answer."""
    times: list[float] = []
    failed: list[bytes] = []
    head = (
        b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    requests = (head % len(body) + body for body in bodies)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Client(requests, times, failed), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(0.5)
    begun, clock = len(times), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (len(times) - begun) / (time.perf_counter() - clock)
    counted = times[begun:]
    for transport, _ in made:
        transport.close()
    return rate, counted, failed


def client(port: int, connections: int, seconds: float, bodies: Path, skip: int) -> None:
    """The client's own process: prints the rate and percentiles."""
    import uvloop

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    lines = iter(bodies.read_bytes().splitlines()[skip:])
    rate, times, failed = uvloop.run(load(port, connections, seconds, lines))
    if failed:
        raise SystemExit(f"{len(failed)} requests failed, the first with {failed[0]!r}")
    if next(lines, None) is None:
        raise SystemExit("the events did not last: give more with --events")
    print(rate, *np.percentile(times, [50, 99]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=800_000)
    parser.add_argument("--folder", help="where the store is written; a folder on the disk to measure")
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    Targets.option(parser)
    args = parser.parse_args()
    if args.client:
        port, bodies, skip = args.client
        client(int(port), args.connections, args.seconds, Path(bodies), int(skip))
        return
    from benchmarks.decision import bodies_of, forest_text, workload
    from benchmarks.w1_flow import W1
    from tidegate.models.artefact import Artefact, Card, ModelFeature
    from tidegate.models.registry import Registry

    with tempfile.TemporaryDirectory(dir=args.folder or os.getcwd()) as name:
        folder = Path(name)
        documents = bodies_of(workload().make(args.events, 7))
        (folder / "events.ndjson").write_bytes(b"\n".join(documents))
        features = tuple(ModelFeature(name) for name in W1.definition.features)
        card = Card(name="w1", version="1", objective="binary", features=features)
        Registry(folder / "models").add(
            Artefact(card, forest_text(documents[:40_000]).encode()),
            alias="champion",
            override=True,
            why="A benchmark's model",
        )
        found: dict[str, list[list[float]]] = {"raw": [], "fastapi": [], "ours": []}
        with server(RAW + EPILOGUE) as raw, server(FASTAPI + EPILOGUE) as fast, server(OURS, str(folder)) as ours:
            ports, taken = {"raw": raw, "fastapi": fast, "ours": ours}, 0
            for _ in range(args.rounds):
                for which, port in ports.items():
                    asked = [str(port), str(folder / "events.ndjson"), str(taken if which == "ours" else 0)]
                    command = [sys.executable, "-m", "benchmarks.http", "--client", *asked]
                    command += ["--seconds", str(args.seconds), "--connections", str(args.connections)]
                    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                    found[which].append([float(part) for part in told])
                    if which == "ours":
                        taken += int(float(told[0]) * (args.seconds + 3))
        show(found, args.connections, Targets(held=not args.tiny))


def show(found: dict[str, list[list[float]]], connections: int, targets: Targets) -> None:
    """Print the figures: medians over the rounds, and ratios within each."""
    print(f"{connections} connections{'':14}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}")
    for which, words in (
        ("raw", "(a) raw ASGI, empty"),
        ("fastapi", "(b) FastAPI, constant"),
        ("ours", "durable decisions"),
    ):
        rate, p50, p99 = np.median(np.array(found[which]), axis=0)
        print(f"{words:28}{rate:12,.0f}{p50 * 1e3:10.2f}{p99 * 1e3:10.2f}")
    rates = {which: np.array(rounds)[:, 0] for which, rounds in found.items()}
    to_raw, to_fastapi = (np.median(rates["ours"] / rates[peer]) for peer in ("raw", "fastapi"))
    print(f"against (a): {to_raw:.0%}   against (b): {to_fastapi:.2f}x")
    targets.ratio("durable decisions, of raw ASGI", float(to_raw), least=0.4)
    targets.ratio("durable decisions, of FastAPI", float(to_fastapi), least=1.5)
    targets.end()


if __name__ == "__main__":
    main()
