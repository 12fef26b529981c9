"""What late events cost an entity that has many: late ones beside events in order, on the same past, in one run.

    python -m benchmarks.late [--entity 100000] [--share 0.1 0.5] [--behind 5 100 10000] [--events 10000]

The one entity has an event a millisecond, `--entity` of them at first. The `--share` of the events after that lie
`--behind` events back: so much later they came than they happened. The windows are those that have to give up what they
took in: counts, a deviation of money, distinct values and a largest value, all as long as the entity's whole past.
`windows` are the kernels alone; `engine` is `Engine.decide_many` of event objects, in batches of 1000.
"""

import argparse
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tidegate import Engine, Event, Flow, Money, count, distinct, entity, eur, maximum, since_last, std

Merchant = entity("merchant")
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 1000


class Sale(Event):
    """A sale of the one merchant."""

    merchant: Merchant
    amount: Money
    customer: str


class Sales(Flow[Sale]):
    """Windows over the merchant's whole past."""

    currency = "EUR"
    sales = count(per=Merchant, last="30d")
    spread = std(Sale.amount, per=Merchant, last="30d")
    customers = distinct(Sale.customer, per=Merchant, last="30d")
    largest = maximum(Sale.amount, per=Merchant, last="30d")
    last_large = since_last(per=Merchant, last="30d", where=Sale.amount > eur(80))


def sales(first: int, many: int, share: float, behind: int) -> list[Sale]:
    """Sales from the millisecond `first` on, a share of them so many milliseconds earlier than they come."""
    chance = random.Random(first)
    return [
        Sale(
            id=f"{number}-{share}-{behind}",
            at=START + timedelta(milliseconds=number - (behind if chance.random() < share else 0)),
            merchant="m",
            amount=Money(chance.randint(1, 10_000), "EUR"),
            customer=f"c{chance.randrange(1000)}",
        )
        for number in range(first, first + many)
    ]


def windows_alone(engine: Engine, events: Sequence[Sale]) -> float:
    """Seconds in which the windows take the events."""
    decider, spent = engine.decider, 0.0
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        engine.rows.put(batch)
        began = time.perf_counter()
        decider.windows.run(decider.cells, decider.kinds, decider.flags, len(batch))
        spent += time.perf_counter() - began
    return spent


def whole_engine(engine: Engine, events: Sequence[Sale]) -> float:
    """Seconds in which the engine decides the events."""
    began = time.perf_counter()
    for start in range(0, len(events), BATCH):
        engine.decide_many(events[start : start + BATCH])
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entity", type=int, default=100_000, help="events that the entity has at first")
    parser.add_argument("--share", type=float, nargs="+", default=[0.1, 0.5], help="of the events that are late")
    parser.add_argument(
        "--behind", type=int, nargs="+", default=[5, 100, 10_000], help="events that a late one lies back"
    )
    parser.add_argument("--events", type=int, default=10_000, help="timed for each line")
    args = parser.parse_args()
    engine = Engine(Sales, remember=2000)
    for start in range(0, args.entity, BATCH):
        engine.decide_many(sales(start, min(BATCH, args.entity - start), 0, 0))
    following = args.entity

    def timed(share: float, behind: int) -> list[float]:
        nonlocal following
        found = []
        for way in (windows_alone, whole_engine):
            events = sales(following, args.events, share, behind)
            following += args.events
            found.append(args.events / way(engine, events))
        return found

    timed(0, 0)
    print(f"an entity of {args.entity:,} events")
    print(f"{'share late':>12}{'behind':>10}{'windows/s':>14}{'ratio':>8}{'engine/s':>14}{'ratio':>8}")
    for behind in args.behind:
        for share in args.share:
            rounds = [(timed(0, 0), timed(share, behind)) for _ in range(3)]
            order, late = ([max(column) for column in zip(*side, strict=True)] for side in zip(*rounds, strict=True))
            columns = "".join(f"{b:14,.0f}{b / a:8.3f}" for a, b in zip(order, late, strict=True))
            print(f"{share:12.2f}{behind:10,}{columns}")
    print("ratio: against the same number of events in order, timed in turns on the same entity, the best of three")


if __name__ == "__main__":
    main()
