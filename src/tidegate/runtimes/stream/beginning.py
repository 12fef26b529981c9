"""Where a first start begins, committed before anything is decided; and on which store.

The end of a topic moves on: asked for again, by whoever starts or takes over before a first batch is committed, it
would lie behind events that came in between, and nobody would decide them.
"""

from collections.abc import Mapping

from tidegate.connectors.kafka.partition import Spot
from tidegate.connectors.store import Store
from tidegate.errors import StreamError
from tidegate.runtimes.stream.order import VERSION, Order, stretches, turns, written


def beginning(starts: Mapping[Spot, int], seq: int, root: bytes, flow: bytes, group: str) -> bytes:
    """An order of no messages, as it lies on its topic: whoever reads it goes on from `starts`.

    Args:
        starts: where each partition is read from.
        seq: records in the store's log.
        root: of that log.
        flow: digest of what decides.
        group: that decides.
    """
    nothing = stretches(starts, starts)
    none = turns([], [])
    return written(
        Order(version=VERSION, seq=seq, root=root, flow=flow, records=0, stretches=nothing, turns=none, group=group)
    )


def require_no_past(store: Store, sink: str) -> None:
    """Make sure that a stream which has decided nothing begins on an empty store.

    Raises:
        StreamError: the store holds records: events that it knows would be no decisions of this stream.
    """
    size = store.head().size
    if size:
        raise StreamError(
            f"This stream has decided nothing yet, and its store {store.address} holds records already.",
            seen=f"{size:,} records; an event that is among them is taken as one that came before, and no decision on "
            f"it is written to {sink}",
            do="Give the stream a store of its own with --store. If it is to go on from this past, say so with "
            "--with-past; others of its group then begin with a copy of this store (`tidegate store copy`).",
        )
