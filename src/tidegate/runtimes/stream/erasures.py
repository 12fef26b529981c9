"""Erasures of a stream's store: the one that decides puts them on the order topic, and the stores of others follow.

What was erased is not learned again by a start, so decisions rest on a past without it from then on. An order that
holds the statement of erasure says from where on that is: whoever follows erases the same records there, and makes its
state anew.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from tidegate.connectors.kafka.partition import Spot
from tidegate.connectors.store import Store
from tidegate.errors import StreamError
from tidegate.evidence.erasure import KIND, Erasure, erasures, statement
from tidegate.evidence.record import Row
from tidegate.runtimes.erasing import is_of_age
from tidegate.runtimes.stream.apart import another, to_erase_again
from tidegate.runtimes.stream.order import ERASING, Order, stretches, turns


def not_told(store: Store, known: int, positions: Mapping[Spot, int], flow: bytes, group: str) -> Iterator[Order]:
    """An order for each statement of erasure that a store holds and the stream does not know of.

    Args:
        store: of the instance that decides.
        known: records that the stream has.
        positions: where each partition is to be read on.
        flow: digest of what decides.
        group: that decides.

    Raises:
        StreamError: the store holds something else that the stream does not know.
    """
    seq = known
    while rows := store.rows(seq):
        for row in rows:
            root = store.root_at(seq)
            if row[2] != KIND or root is None:
                raise another(store, f"record {row[0]}, {row[1]}, where the stream has {known:,}")
            yield Order(
                version=ERASING, seq=seq, root=root, flow=flow, records=1, stretches=stretches(positions, positions),
                turns=turns([], []), erasure=_bytes(row[11]), group=group,
            )  # fmt: skip
            seq += 1


def erase_as(store: Store, order: Order, forget: Callable[[bool], None]) -> None:
    """Erase from a store that follows what an order says was erased.

    What is cut off in the middle is done again: records that are empty already are stated as they would be otherwise.

    Args:
        store: whose log ends where the order begins.
        order: one with a statement.
        forget: called before, to let snapshots forget; told whether windows keep what is erased.

    Raises:
        StreamError: the statement does not fit the store, or windows cannot forget what is erased.
    """
    try:
        said = msgspec.json.decode(order.erasure, type=Erasure)
    except msgspec.DecodeError as error:
        raise StreamError("An order holds no statement of erasure that can be read.", seen=str(error)) from None
    entry = statement([_row(store, seq) for seq in said.seqs], said.what, said.why, said.at)
    if entry.body != order.erasure:
        raise StreamError(
            f"What was erased from the stream is not what {store.address} has under the same numbers.",
            seen=f"record {order.seq + 1}, {said.what}",
            do="Begin with an empty store, which is made anew, or copy one here with `tidegate store copy`."
            + to_erase_again(store),
        )
    kept = is_of_age(said)
    if not kept and any(is_of_age(one) for _, one in erasures(store)):
        raise StreamError(
            "What was erased from the stream cannot be forgotten here: windows cannot be made without records that "
            "were pruned.",
            seen=f"record {order.seq + 1}, {said.what}",
            do="Copy the store that it was erased from here with `tidegate store copy`.",
        )
    forget(kept)
    store.blank(said.seqs)  # before it is stated: if it is cut off here, the same order comes again
    store.append([entry])
    store.scrub()


def _row(store: Store, seq: int) -> Row:
    rows = store.rows(seq - 1, 1)
    if not rows or rows[0][0] != seq:
        raise StreamError(f"The store {store.address} has no record {seq}, which was erased from the stream.")
    return rows[0]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
