"""A store that is not what its stream goes on from: how that is seen, and what to do without bringing back the erased.

A store may lack what its stream committed last, as after a leader was killed. It takes that in when it is started, at
the place in its log where the stream has it. If it was erased or pruned from meanwhile, a statement of that stands
there, and nothing can be mended: what the stream decided rested on what is gone, and a log is not cut.
"""

from tidegate.connectors.store import Store
from tidegate.errors import StreamError
from tidegate.evidence.erasure import KIND, erasures, seqs_of
from tidegate.evidence.record import Row
from tidegate.runtimes.stream.order import Order

_NAMED = 5
"""Statements that are named one by one."""


def stated_last(store: Store) -> int:
    """How many statements of erasure a store's log ends with."""
    size = store.head().size
    many = 0
    while many < size and _states(_row(store, size - many)):
        many += 1
    return many


def holds(store: Store, order: Order) -> bool:
    """Whether the record that a store has where an order's first one is to be can be that order's.

    Those of a batch are kept all at once, so the first tells of the others.
    """
    row = _row(store, order.seq + 1) if order.records else None
    if row is None:
        return True
    return _body(row) == order.erasure if order.erasure else not _states(row)


def apart(store: Store, order: Order) -> StreamError:
    """The fault that a store does not have what the stream has before an order, or something else in its place."""
    head = store.head()
    if order.seq < head.size and order.root == store.root_at(order.seq) and _states(_row(store, order.seq + 1)):
        stated = [(kept.seq, f"{said.what}: {said.why}") for kept, said in erasures(store) if kept.seq > order.seq]
        words = "; ".join(f"record {seq}, {said}" for seq, said in stated[:_NAMED])
        return StreamError(
            f"Records were erased from the store {store.address} while it lacked what its stream had committed.",
            seen=f"{order.seq:,} records, then {words}{'; …' * (len(stated) > _NAMED)}; the stream went on with "
            f"{'another statement' if order.erasure else 'a batch'} at record {order.seq + 1:,}",
            do="Nothing was added to it. Keep it aside. With all instances stopped, take the store of another one, or "
            "an empty one, which is made anew, and bring it to where the stream is with --catch-up. What was erased is "
            "there still, or again: erase or prune it from that store, then start the stream on it. Next time run "
            "with --catch-up first, and erase then.",
        )
    return another(
        store,
        f"{head.size:,} records of root {head.root.hex()[:16]}; the stream had {order.seq:,} of root "
        f"{order.root.hex()[:16]}",
    )


def another(store: Store, seen: str) -> StreamError:
    """The fault that a store is not of this stream, or went another way."""
    return StreamError(
        f"The store {store.address} is not of this stream, or went another way.",
        seen=seen,
        do="Put the store that was used with this group back, or begin with an empty one, which is made anew; "
        "where it was erased from while another one decided, copy that one's here with `tidegate store copy`."
        + to_erase_again(store)
        if store.head().size
        else "The stream began on a store with a past, or this topic lost its first orders: copy the store of "
        "another instance here with `tidegate store copy`.",
    )


def to_erase_again(store: Store) -> str:
    """What to do, beside taking another store, where something was erased from this one; empty where nothing was."""
    stated = [str(kept.seq) for kept, _ in erasures(store)]
    if not stated:
        return ""
    named = ", ".join(stated[-_NAMED:])
    return (
        f" What was erased from this one ({'…, ' * (len(stated) > _NAMED)}record {named}) may be in that one: run on "
        "it with --catch-up first, erase or prune from it again, and start the stream only then."
    )


def _row(store: Store, seq: int) -> Row | None:
    rows = store.rows(seq - 1, 1)
    return rows[0] if rows and rows[0][0] == seq else None


def _states(row: Row | None) -> bool:
    """Whether a record is a statement of erasure; an event type of a flow may be called so too."""
    return row is not None and row[2] == KIND and bool(seqs_of(_body(row)))


def _body(row: Row) -> bytes:
    return row[11] if isinstance(row[11], bytes) else b""
