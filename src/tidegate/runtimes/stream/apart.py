"""A store that is not what its stream goes on from: how that is seen, and what to do without bringing back the erased.

A store may lack what its stream committed last, as after a leader was killed. It takes that in when it is started, at
the place in its log where the stream has it. If it was erased or pruned from meanwhile, a statement of that stands
there, and nothing can be mended: what the stream decided rested on what is gone, and a log is not cut.
So it is where another store of the stream was erased or pruned from as well, and its statement was told first.
"""

import msgspec

from tidegate.connectors.store import Store
from tidegate.errors import StreamError
from tidegate.evidence.erasure import KIND, Erasure, erasures, seqs_of
from tidegate.evidence.record import Row
from tidegate.runtimes.erasing import is_of_age
from tidegate.runtimes.stream.order import Order

_NAMED = 5
"""Statements that are named one by one."""
_ASIDE = (
    "Nothing was added to it. Keep it aside. With all instances stopped, take the store of another one, or an empty "
    "one under another name, which is made anew, and bring it to where the stream is with --catch-up."
)
"""What to do first about a store that cannot be mended."""


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


def apart(store: Store, order: Order, *, told: bool) -> StreamError:
    """The fault that a store does not have what the stream has before an order, or something else in its place.

    Args:
        store: whose log it is.
        order: where it was seen.
        told: whether the order before holds a statement of erasure, which the store has.
    """
    head, agreed = store.head(), order.root == store.root_at(order.seq)
    here = f"{order.seq:,} records of root {order.root.hex()[:16]}"
    if agreed and order.seq < head.size and _states(_row(store, order.seq + 1)):
        stated = [(kept.seq, said) for kept, said in erasures(store) if kept.seq > order.seq]
        words = "; ".join(f"record {seq}, {said.what}: {said.why}" for seq, said in stated[:_NAMED])
        words += "; …" * (len(stated) > _NAMED)
        if order.erasure:
            return _twice(store, stated[0][1], order, f"{here}, then {words}")
        return StreamError(
            f"Records were erased from the store {store.address} while it lacked what its stream had committed.",
            seen=f"{here}, then {words}; the stream went on with a batch at record {order.seq + 1:,}",
            do=f"{_ASIDE} What was erased is there still, or again: erase or prune it from that store, then start the "
            "stream on it. Next time run with --catch-up first, and erase then.",
        )
    if told and not agreed and order.seq <= head.size:
        return StreamError(
            f"The store {store.address} has the statement of erasure that its order topic tells, and what was decided "
            "behind that rests on another one.",
            seen=f"record {order.seq:,}, after which the stream had root {order.root.hex()[:16]}, and this store "
            f"{_hex(store.root_at(order.seq))}",
            do="Two stores of the stream were erased from or pruned, and an earlier version took both: no store can be "
            "made from these topics any more. Copy that of the instance that decided last here with `tidegate store "
            f"copy`, and keep copies of it.{to_erase_again(store)}",
        )
    return another(store, f"{head.size:,} records of root {head.root.hex()[:16]}; the stream had {here}")


def _twice(store: Store, said: Erasure, order: Order, seen: str) -> StreamError:
    """The fault that a store and that of an instance which has told of it were both erased from, or pruned."""
    try:
        other = msgspec.json.decode(order.erasure, type=Erasure)
    except msgspec.DecodeError:
        other = said
    done, too = (_done(one) for one in (said, other))
    again = "pruned here only is there still: prune" if is_of_age(said) else "erased here only is there still: erase"
    went_on = f"the stream went on with another statement at record {order.seq + 1:,}, {other.what}: {other.why}"
    return StreamError(
        f"The store {store.address} was {done} while another instance's was {too}{' too' * (done == too)}.",
        seen=f"{seen}; {went_on}",
        do=f"{_ASIDE} What was {again} it from that store, then start the stream on it, before the others. Next time "
        "erase from or prune one store of a stream: the others follow.",
    )


def _done(said: Erasure) -> str:
    return "pruned" if is_of_age(said) else "erased from"


def _hex(root: bytes | None) -> str:
    return root.hex()[:16] if root else "none"


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
