"""How fast the world is made, against the same kind of payment drawn by a plain Python loop, in one run on one core.

    python -m benchmarks.world [--payments 3000000] [--seed 7] [--json]

The peer draws eleven fields of a payment with the standard library's `random` and keeps nothing; it has no habits, no
stories and no fraud, so it does less than the world does. Times are wall clock, the best of three.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse
import json
import random
import resource
import time
from collections.abc import Callable

from tidegate.solutions.world import World

CUSTOMERS, MERCHANTS, PER_DAY = 50_000, 5_000, 2.3


def plain_python(n: int, seed: int) -> int:
    """Draw `n` payments, one dictionary each; returns how many."""
    draw = random.Random(seed)
    level = [draw.lognormvariate(0.0, 0.45) for _ in range(CUSTOMERS)]
    price = [draw.lognormvariate(3.3, 0.9) for _ in range(MERCHANTS)]
    at = 0
    for number in range(n):
        at += int(draw.expovariate(1.0) * 860_000)
        customer = draw.randrange(CUSTOMERS)
        merchant = draw.randrange(MERCHANTS)
        online = draw.random() < 0.3
        row = {
            "id": number,
            "at": at,
            "card": customer,
            "customer": customer,
            "merchant": merchant,
            "device": customer if online else None,
            "country": "DE",
            "channel": "online" if online else "chip",
            "amount": round(100 * price[merchant] * level[customer] * draw.lognormvariate(0.0, 0.6)),
            "declined": draw.random() < 0.02,
            "fraud": False,
        }
    return len(row) and n


def read(world: World, what: str) -> int:
    """Generate one kind of stream to its end and count."""
    stream = world.payments() if what == "payments" else world.events()
    return sum(part.height for part in stream)


def rate(work: Callable[[], int], times: int = 3) -> float:
    """Rows a second, the best of `times`."""
    best = 0.0
    for _ in range(times):
        begin = time.perf_counter()
        best = max(best, work() / (time.perf_counter() - begin))
    return best


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--payments", type=int, default=3_000_000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    days = max(1, round(asked.payments / (CUSTOMERS * PER_DAY)))
    world = World(seed=asked.seed, customers=CUSTOMERS, merchants=MERCHANTS, days=days)
    begin = time.perf_counter()
    world.entities()
    ready = time.perf_counter() - begin
    peer = rate(lambda: plain_python(200_000, asked.seed))
    payments = rate(lambda: read(world, "payments"))
    events = rate(lambda: read(world, "events"))
    figures = {
        "days": days,
        "entities_s": round(ready, 3),
        "plain_python_per_s": round(peer),
        "payments_per_s": round(payments),
        "payments_ratio": round(payments / peer, 1),
        "events_per_s": round(events),
        "events_ratio": round(events / peer, 1),
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if asked.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name:>20}  {figure:>12,}")


if __name__ == "__main__":
    main()
