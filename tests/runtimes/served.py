"""A server in a process of its own (`python -m tests.runtimes.served STORE [limit=value …]`), and how to start one."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import ROOT
from tidegate import Event, Flow, Money, at_most, count, deadline, decline, entity, eur, has_seen, mean, review, total

Card = entity("card")
Device = entity("device")


class Payment(Event, version=2):
    """A card payment."""

    card: Card
    amount: Money
    share: float | None
    device: Device | None
    country: str | None


class Login(Event):
    """Someone logged in."""

    card: Card


class Fraud(Flow[Payment]):
    """Stop stolen cards."""

    currency = "EUR"
    learns = (Login,)
    payments_10m = count(per=Card, last="10m")
    usual = mean(Payment.amount, per=Card, last="30d")
    spent = total(Payment.amount, per=Card, last="1d")
    known = has_seen(Payment.country, per=Card, last="30d")
    score = (Payment.amount / usual).otherwise(1.0)
    often = decline(payments_10m >= 6, because="Many payments in ten minutes")
    large = review((usual * 5 < Payment.amount) & (spent > eur(10)), because="Much more than usual")


class Hurried(Fraud):
    """The same, with an answer for when there is no time."""

    limits = (deadline("1us", answer="review"), at_most(1000, "decline", last="1h"))


def payment(number: int, card: str = "c1", **more: Any) -> dict[str, Any]:
    """A payment; later numbers are later."""
    at = f"2026-01-{1 + number // 1440 % 28:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00Z"
    amount = {"units": 100 + number * 37 % 900, "currency": "EUR"}
    return {"id": f"{card}-{number}", "at": at, "card": card, "amount": amount, **more}


class Running:
    """A server that runs, and a client of it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, trusted: str | None = None) -> None:
        self.process, self.url = process, url
        self.verify = ssl.create_default_context(cafile=trusted)
        self.client = httpx.Client(base_url=url, timeout=30, verify=self.verify)

    def decide(self, event: Mapping[str, Any], **more: Any) -> httpx.Response:
        """Ask for one decision."""
        return self.client.post("/decisions", json=event, **more)

    def metric(self, name: str) -> float:
        """The value of one sample."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " "))

    def stop(self) -> tuple[int, str]:
        """End it as an operator would; its exit status and what it said."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1]
        return self.process.returncode, said


@contextmanager
def served(store: Path | str, *limits: str) -> Iterator[Running]:
    """A server that is ready, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runtimes.served", str(store), *limits],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )
    assert process.stderr is not None
    try:
        said, heard, until = "", "", time.monotonic() + 200
        while not said.startswith("ready "):
            said = process.stderr.readline()
            heard += said
            assert said and time.monotonic() < until, f"the server ended with {process.wait()}: {heard}"
        running = Running(process, said.split()[1], dict(part.split("=") for part in limits).get("tls_cert"))
        yield running
        running.client.close()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()


def main() -> None:
    """Serve until told to stop."""
    from tidegate.connectors.store_address import Address
    from tidegate.runtimes.serve.limits import Limits
    from tidegate.runtimes.serve.server import Server
    from tidegate.runtimes.serve.settings import Settings

    given = dict(part.split("=") for part in sys.argv[2:])
    flow = {"Fraud": Fraud, "Hurried": Hurried}[given.pop("flow", "Fraud")]
    files = {name: Path(given.pop(name)) for name in ("keys", "tls_cert", "tls_key") if name in given}
    limits = Limits(**{name: type(getattr(Limits, name))(value) for name, value in given.items()})
    Server(Settings(flow, Address(sys.argv[1]), port=0, limits=limits, **files)).run(
        lambda server: print(f"ready {server.url}", file=sys.stderr, flush=True)
    )


if __name__ == "__main__":
    main()
