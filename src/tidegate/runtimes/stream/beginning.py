"""Where a first start begins, committed before anything is decided.

The end of a topic moves on: asked for again, by whoever starts or takes over before a first batch is committed, it
would lie behind events that came in between, and nobody would decide them.
"""

from collections.abc import Mapping

from tidegate.connectors.kafka.partition import Spot
from tidegate.runtimes.stream.order import VERSION, Order, stretches, turns, written


def beginning(starts: Mapping[Spot, int], seq: int, root: bytes, flow: bytes) -> bytes:
    """An order of no messages, as it lies on its topic: whoever reads it goes on from `starts`.

    Args:
        starts: where each partition is read from.
        seq: records in the store's log.
        root: of that log.
        flow: digest of what decides.
    """
    nothing = stretches(starts, starts)
    return written(
        Order(version=VERSION, seq=seq, root=root, flow=flow, records=0, stretches=nothing, turns=turns([], []))
    )
