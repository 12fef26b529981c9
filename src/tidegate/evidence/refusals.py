"""The sealed log of refusals, a tree of its own beside that of the records, and checking all of it.

That an id came again with other content is evidence too, and so is what a caller was told when an event was too late.
Refusals have no decision and their ids may come many times, so they are no records; their leaves are numbered apart.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from tidegate.evidence.fault import Fault, How
from tidegate.evidence.merkle import EMPTY_ROOT, Range
from tidegate.evidence.record import HeadRow, Refusal, TreeHead

CHUNK = 1000
RefusalRow = tuple[object, ...]
"""A refusal as it lies in the table `refusals`: number, id, digest, reason, at."""

_encode = msgspec.msgpack.Encoder().encode


class RefusalLog(Protocol):
    """What is needed of a store to check its refusals."""

    def refusal_heads(self, after: int = 0) -> Iterator[HeadRow]:
        """The tree heads of all commits of refusals that end after number `after`, in order."""
        ...

    def refusal_rows(self, after: int = 0, limit: int = CHUNK) -> Sequence[RefusalRow]:
        """At most `limit` refusals after number `after`, in order, as they lie in the table."""
        ...

    def refusals_sealed(self) -> bool:
        """Whether refusals are sealed at all: a store of the first version that is only read has none that are."""
        ...


def refusal_leaf(row: RefusalRow) -> bytes:
    """The leaf hash of a refusal: SHA-256(0x00 || its row as a MessagePack array)."""
    return sha256(b"\x00" + _encode(row)).digest()


def seal_refusals(refusals: Sequence[Refusal], tree: Range) -> tuple[list[RefusalRow], HeadRow]:
    """The rows and the tree head of refusals that are appended to a log whose edge is `tree`, which grows by them."""
    rows: list[RefusalRow] = [
        (seq, one.id, one.digest, one.reason, one.at) for seq, one in enumerate(refusals, tree.size + 1)
    ]
    leaves = [refusal_leaf(row) for row in rows]
    tree.extend(leaves)
    return rows, HeadRow(tree.size, tree.root(), b"".join(leaves))


def check_refusals(store: RefusalLog, kept: TreeHead | None = None) -> tuple[TreeHead, Fault | None]:
    """Compute the seal of every refusal anew.

    Args:
        store: whose.
        kept: a tree head of these refusals that was kept elsewhere.

    Returns:
        The tree head of what was found to be as sealed, and the first refusal that was touched.
    """
    tree = Range()

    def stop(seq: int, how: How, words: str, id: str | None = None) -> tuple[TreeHead, Fault]:
        return TreeHead(tree.size, tree.root()), Fault(seq, id, how, words, "refusals")

    if kept is not None and kept.size == 0 and kept.root != EMPTY_ROOT:
        return stop(1, "rewritten", "The head kept elsewhere is of no refusals, yet not the empty one.")
    for commit in store.refusal_heads():
        leaves = [commit.leaves[at : at + 32] for at in range(0, len(commit.leaves), 32)]
        first = tree.size + 1
        if tree.size + len(leaves) != commit.size:
            words = f"The commit of refusals up to {commit.size} does not begin at {first}: some were removed."
            return stop(first, "rewritten", words)
        grown = tree.copy()
        grown.extend(leaves)
        rows = _rows(store, tree.size, len(leaves))
        for place, own in enumerate(leaves):
            seq, row = first + place, rows[place] if place < len(rows) else None
            if row is None or row[0] != seq:
                return stop(seq, "removed", f"Refusal {seq} was removed: the log has its seal, the store no refusal.")
            if refusal_leaf(row) != own:
                words = f"Refusal {seq} ({row[1]}) was changed: it does not have the hash it was sealed with."
                return stop(seq, "changed", words, str(row[1]))
            tree.append(own)
            if kept is not None and tree.size == kept.size and tree.root() != kept.root:
                words = (
                    f"The first {kept.size} refusals do not have the root {kept.root.hex()} that was kept elsewhere."
                )
                tree = Range()
                return stop(1, "rewritten", words)
        if grown.root() != commit.root:
            tree = Range()
            words = f"Refusals {first} to {commit.size}, one commit, do not have its root {commit.root.hex()}."
            return stop(first, "rewritten", words)
    strangers = [*store.refusal_rows(-(2**62), 1), *store.refusal_rows(tree.size, 1)]
    # What is appended meanwhile comes together with its head, which is looked for after it.
    for row in strangers:
        if (
            not isinstance(row[0], int)
            or row[0] < 1
            or (row[0] > tree.size and not any(store.refusal_heads(tree.size)))
        ):
            return stop(tree.size + 1, "inserted", f"Refusal {row[0]} ({row[1]}) lies outside the log.", str(row[1]))
    if kept is not None and kept.size > tree.size:
        words = f"The refusals end at {tree.size}, where the head kept elsewhere covers {kept.size}."
        return stop(tree.size + 1, "cut back", words)
    return TreeHead(tree.size, tree.root()), None


def _rows(store: RefusalLog, after: int, many: int) -> list[RefusalRow]:
    found: list[RefusalRow] = []
    while len(found) < many:
        part = store.refusal_rows(after + len(found), min(CHUNK, many - len(found)))
        if not part:
            break
        found += part
    return found
