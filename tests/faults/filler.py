"""A process that fills a store until it is killed, and tells what was acknowledged: `filler.py STORE`."""

import os
import random
import sys
import threading
import time

from tidegate.connectors import sqlite
from tidegate.connectors.store import Store
from tidegate.evidence.record import Entry


def entry(number: int) -> Entry:
    """The same entry for the same number, in every process."""
    chance = random.Random(number)
    return Entry(
        id=f"{chance.getrandbits(64):016x}",
        kind="Payment",
        at=number,
        digest=chance.randbytes(32),
        body=chance.randbytes(chance.randrange(400)),
        answer=chance.randbytes(300),
        record=chance.randbytes(400),
        outcome="approve",
    )


def keep(store: Store) -> None:
    """Keep what is known of the ids, again and again, as snapshots do now and then."""
    while True:
        store.keep_seen()
        time.sleep(0.01)


def fill(path: str) -> None:
    """Append batches of random length for ever, and write the last number of each once it is kept."""
    sqlite.WORTH_KEEPING = 1
    with Store.open(path) as store:
        threading.Thread(target=keep, args=(store,), daemon=True).start()
        size = store.head().size
        os.write(1, b"open %d\n" % size)
        chance = random.Random(size)
        while True:
            more = chance.choice((1, 3, 20, 100, 500))
            size = store.append([entry(number) for number in range(size + 1, size + more + 1)]).size
            os.write(1, b"kept %d\n" % size)


if __name__ == "__main__":
    fill(sys.argv[1])
