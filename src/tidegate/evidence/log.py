"""The sealed log of a store, and checking all of it. (`proof` proves one record of it to others.)

What is caught, and by what:

* Any change, removal, insertion or reordering of records: the record no longer has its leaf hash. It is named exactly.
* The same with the leaf hashes written anew: the tree heads of all later commits. The commit is named.
* Everything written anew, or cut back to an older state: only by a tree head kept elsewhere (`head=`), by an auditor or
  in another system. The 32 bytes of one head vouch for every record before it.
* A record that says nothing any more and that no statement of erasure names (see `erasure`), or of which something else
  is left than that statement says. What it said cannot be checked; that nothing else was put in its place can.
* A flow, a model or what else records rest on, removed or changed: the digest that they are sealed with. It is named.
* An id that stands twice, or that the index of ids has lost or leads elsewhere: by reading that index too (see `ids`).
* A whole table that is gone: a store says of which version its tables are, and that has them all.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from tidegate.errors import StoreError
from tidegate.evidence.artefacts import ArtefactCheck, ArtefactStore, Named, nothing_else
from tidegate.evidence.erasure import Erasable, is_blank, left_of
from tidegate.evidence.fault import Fault
from tidegate.evidence.ids import IdIndex, IdsCheck
from tidegate.evidence.merkle import EMPTY_ROOT, Range
from tidegate.evidence.record import HeadRow, Row, Stored, TreeHead, leaf
from tidegate.evidence.refusals import RefusalLog, check_refusals
from tidegate.evidence.tables import LOWEST_NODE

CHUNK = 1000
NEAR = 1000
"""How many records before and after a damaged place are looked through for where its record went."""


class Log(RefusalLog, ArtefactStore, Erasable, IdIndex, Protocol):
    """What is needed of a store to check its log."""

    def lacking(self) -> Sequence[str]:
        """The tables that a store of its version has and this one has not."""
        ...

    def head(self) -> TreeHead:
        """The tree head of the last commit."""
        ...

    def heads(self, after: int = 0) -> Iterator[HeadRow]:
        """The tree heads of all commits that end after record `after`, in order."""
        ...

    def rows(self, after: int = 0, limit: int = CHUNK) -> Sequence[Row]:
        """At most `limit` records after number `after`, in order."""
        ...

    def unsealed(self) -> Sequence[tuple[int, str]]:
        """The first record, if any, outside what the last tree head covers: its number and id."""
        ...

    def subtree(self, level: int, index: int) -> bytes:
        """The stored hash of a complete subtree of the log (see `merkle.Subtree`)."""
        ...

    def get(self, id: str) -> Stored | None:
        """The record of this id."""
        ...


class Verification(msgspec.Struct, frozen=True):
    """What checking a log found.

    Args:
        records: how many records were found to be as they were sealed, from the first on.
        commits: how many tree heads were found right.
        head: the tree head of the whole log as computed from its records; up to the fault if there is one.
        fault: the first record that was touched, or else the first id that stands twice or is not found, or else the
            first flow or model that a record rests on, or else the first refusal; None when all is well.
        refusals: the tree head of the refusals, as computed from them; None when they were not looked at, because a
            record or an artefact was touched or the store is of an older version.
    """

    records: int
    commits: int
    head: TreeHead
    fault: Fault | None = None
    refusals: TreeHead | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was touched."""
        return self.fault is None


class _FaultFoundError(Exception):
    """Ends a check at the first fault."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.words)


def verify(
    store: Log,
    *,
    head: TreeHead | None = None,
    refusals: TreeHead | None = None,
    named: Named = nothing_else,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Compute anew every seal from the stored records, every tree head from the seals, and the digests of artefacts.

    Reads a part at a time; others may go on appending, and what they append is left for the next time.

    Args:
        store: whose log.
        head: a tree head of this log that was kept elsewhere.
        refusals: a tree head of its refusals that was kept elsewhere.
        named: what records rest on beside flows and their models.
        progress: is told how many records are checked, of how many, every thousand or so.

    Returns:
        What was found; faults in the log are a result, not an exception.

    Raises:
        StoreError: the store cannot be read at all.
    """
    lacking = store.lacking()
    if not {"refusals", "refusal_heads"}.issuperset(lacking):
        return Verification(0, 0, TreeHead(0, EMPTY_ROOT), Fault(1, None, "removed", _lacks(lacking)))
    found = _Check(store, head, named, progress).run()
    if found.fault is not None:
        return found
    if lacking:
        return msgspec.structs.replace(found, fault=Fault(1, None, "removed", _lacks(lacking), "refusals"))
    if not store.refusals_sealed():
        if refusals is None:
            return found
        words = (
            f"The head kept elsewhere covers {refusals.size} refusals, and the store says that it is of a version "
            "which sealed none: it was changed, or the head is not of this store."
        )
        return msgspec.structs.replace(found, fault=Fault(1, None, "cut back", words, "refusals"))
    try:
        counted, fault = check_refusals(store, refusals)
    except StoreError as error:
        counted, fault = None, Fault(1, None, "unreadable", f"The refusals cannot be read: {error}", "refusals")
    return msgspec.structs.replace(found, fault=fault, refusals=counted)


def _lacks(tables: Sequence[str]) -> str:
    return f"The store lacks what every store of its version has: the table {' and the table '.join(tables)}."


class _Check:
    def __init__(
        self, store: Log, kept: TreeHead | None, named: Named, progress: Callable[[int, int], None] | None
    ) -> None:
        self.store, self.kept, self.progress = store, kept, progress
        self.tree = Range()
        self.artefacts = ArtefactCheck(store, named)
        self.commits = 0
        self.total = store.head().size
        self.ids = IdsCheck(store, self.total)
        self.rows: Sequence[Row] = ()
        self.at = 0
        self._left: dict[int, bytes] | None = None

    def run(self) -> Verification:
        fault = None
        try:
            self.check_kept()
            for commit in self.store.heads():
                if commit.size > self.total:
                    break
                self.check_commit(commit)
                self.commits += 1
            self.check_end()
            # Only now, since a record that was touched is the graver.
            fault = self.ids.end() or self.artefacts.fault
        except _FaultFoundError as found:
            fault = found.fault
        except StoreError as error:
            seq = self.tree.size + 1
            fault = Fault(seq, None, "unreadable", f"The log cannot be read from record {seq} on: {error}")
        if self.progress is not None:
            self.progress(self.tree.size, self.total)
        return Verification(self.tree.size, self.commits, TreeHead(self.tree.size, self.tree.root()), fault)

    def some(self, seq: int, most: int) -> Sequence[Row]:
        """At least one and at most `most` stored records from `seq` on, fewer only where the store has no more."""
        if self.at >= len(self.rows):
            if self.progress is not None:
                self.progress(seq - 1, self.total)
            try:
                self.rows = self.store.rows(seq - 1, CHUNK)
            except StoreError:
                # Somewhere in this part lies a page that cannot be read. One at a time finds the first.
                try:
                    self.rows = self.store.rows(seq - 1, 1)
                except StoreError as error:
                    words = f"Record {seq} cannot be read: {error}"
                    raise _FaultFoundError(Fault(seq, None, "unreadable", words)) from error
            self.at = 0
            self.ids.look(self.rows)
        part = self.rows[self.at : self.at + most]
        self.at += len(part)
        return part

    def check_kept(self) -> None:
        if self.kept is None:
            return
        if self.kept.size == 0 and self.kept.root != EMPTY_ROOT:
            raise _FaultFoundError(
                Fault(1, None, "rewritten", "The head kept elsewhere is of no records, yet not the empty one.")
            )

    def check_commit(self, commit: HeadRow) -> None:
        start = self.tree.size
        leaves = [commit.leaves[at : at + 32] for at in range(0, len(commit.leaves), 32)]
        if start + len(leaves) != commit.size:
            words = (
                f"The commit up to record {commit.size} has {len(leaves)} leaf hashes for the "
                f"{commit.size - start} records from {start + 1} on: its part of the log was removed or changed."
            )
            raise _FaultFoundError(Fault(start + 1, None, "rewritten", words))
        done = 0
        while done < len(leaves):
            try:
                part = self.some(start + done + 1, len(leaves) - done)
            except _FaultFoundError:
                self.tree.extend(leaves[:done])
                raise
            # A leaf hash covers the record's number too, so equal hashes leave no room for gaps.
            own = [self.seal_of(row, sealed) for row, sealed in zip(part, leaves[done : done + len(part)], strict=True)]
            if not own or own != leaves[done : done + len(own)]:
                good = next((place for place, found in enumerate(own) if found != leaves[done + place]), 0)
                done += good
                self.tree.extend(leaves[:done])
                row = part[good] if part else None
                raise _FaultFoundError(self.touched(start + done + 1, row, leaves[done]))
            self.artefacts.look(part)
            done += len(own)
        kept = self.kept
        if kept is not None and start < kept.size <= commit.size:
            then = self.tree.copy()
            then.extend(leaves[: kept.size - start])
            if then.root() != kept.root:
                words = (
                    f"The first {kept.size} records do not have the root {kept.root.hex()} that was kept elsewhere: "
                    "one of them was changed and everything after it was sealed anew, or the head is not of this log."
                )
                self.tree = Range()  # any of them may be the one, so none is vouched for
                raise _FaultFoundError(Fault(1, None, "rewritten", words))
        grown = self.tree.copy()
        nodes = grown.extend(leaves, LOWEST_NODE)
        if grown.root() != commit.root:
            words = (
                f"Records {start + 1} to {commit.size}, one commit, do not have its root {commit.root.hex()}: "
                "one of them was changed and its leaf hash with it, or the root was changed."
            )
            raise _FaultFoundError(Fault(start + 1, None, "rewritten", words))
        for level, place, node in nodes:
            if self.store.subtree(level, place) != node:
                first, last = (place << level) + 1, (place + 1) << level
                words = f"The inner hash of the log over records {first} to {last} was changed."
                raise _FaultFoundError(Fault(start + 1, None, "rewritten", words))
        self.tree = grown

    def seal_of(self, row: Row, sealed: bytes) -> bytes:
        """A record's leaf hash; of one that was erased the one it was sealed with, if what is left is as stated."""
        own = leaf(row)
        if not is_blank(row):
            return own
        if self._left is None:  # all statements are looked for when the first blank record comes, and not before
            self._left = left_of(self.store)
        return sealed if self._left.get(int(str(row[0]))) == own else own

    def check_end(self) -> None:
        kept = self.kept
        if kept is not None and kept.size > self.tree.size:
            seq = self.tree.size + 1
            words = f"The log ends at record {self.tree.size}, where the head kept elsewhere covers {kept.size}."
            raise _FaultFoundError(Fault(seq, None, "cut back", words))
        for seq, found in self.store.unsealed():
            words = f"Record {seq} ({found}) lies outside the log, which ends at {self.total}."
            raise _FaultFoundError(Fault(seq, found, "inserted", words))

    def seals_near(self, seq: int) -> Iterator[tuple[int, bytes]]:
        """The numbers and stored leaf hashes of the records around `seq`."""
        for commit in self.store.heads(max(0, seq - 1 - NEAR)):
            first = commit.size - len(commit.leaves) // 32 + 1
            if first > seq + NEAR:
                return
            for at in range(0, len(commit.leaves), 32):
                yield first + at // 32, commit.leaves[at : at + 32]

    def touched(self, seq: int, row: Row | None, own: bytes) -> Fault:
        """What was done to record `seq`, which is not what its leaf hash `own` says."""
        if row is None or row[0] != seq:
            return Fault(seq, None, "removed", f"Record {seq} was removed: the log has its seal, the store no record.")
        name = str(row[1])
        near = self.store.rows(max(0, seq - 1 - NEAR), 2 * NEAR)
        moved = next((other for other in near if leaf((seq, *other[1:])) == own), None)
        came = next((n for n, other in self.seals_near(seq) if n != seq and leaf((n, *row[1:])) == other), None)
        if moved is not None and came is not None:
            return Fault(
                seq,
                name,
                "reordered",
                f"Record {seq} ({name}) was number {came}; the one that belongs here, {moved[1]}, is now {moved[0]}.",
            )
        if moved is not None:
            words = f"Record {seq} ({name}) was inserted: the one that belongs here, {moved[1]}, is now {moved[0]}."
            return Fault(seq, name, "inserted", words)
        if came is not None:
            words = f"Record {seq} was removed: what is there now ({name}) was number {came}."
            return Fault(seq, name, "removed", words)
        return Fault(
            seq, name, "changed", f"Record {seq} ({name}) was changed: it does not have the hash it was sealed with."
        )
