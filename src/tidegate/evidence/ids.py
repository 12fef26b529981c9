"""The index of ids: that it leads to every record, and from no id to two.

Whether an event was decided on before is asked of this index, and no seal covers it. Where it has lost an id, the same
event is decided on twice. The records are read by their numbers, which are sealed; then

* the index is read from end to end: where its ids ascend, none stands twice and each is found; and where the sum of the
  hashes of its numbers and ids is that of the records, it has them all and no other. Python's hash of a text has a key
  that is new in each process (unless PYTHONHASHSEED fixes it), so nobody can prepare an index of the same sum;
* or, where an index has another order, each record is looked for by its id, and must be the first that is found: of two
  records with one id at least one is not.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, starmap
from operator import itemgetter, lt
from typing import Protocol

from tidegate.errors import StoreError
from tidegate.evidence.fault import Fault, How
from tidegate.evidence.record import Row

CHUNK = 1000
ANEW = "Write the index anew: `tidegate store copy` makes a store with a new one from the records."

_KEY = itemgetter(0, 1)


class IdIndex(Protocol):
    """What is needed of a store to check its index of ids."""

    def index_fault(self) -> str:
        """What is wrong with the index as a whole (it is missing, or lets an id stand twice); empty if nothing is."""
        ...

    def filed(self, size: int) -> Iterator[Sequence[tuple[int, str]]] | None:
        """Number and id of the first `size` records as the index has them, in its order, a part at a time; None where
        that order is not the one of the characters, so that each record has to be looked for."""
        ...

    def misfiled(self, first: int, last: int) -> tuple[int, int] | None:
        """The first record from number `first` to `last` to which the index does not lead from its id.

        Returns:
            Its number, and the number to which the index leads, 0 for none.
        """
        ...

    def stray(self, size: int) -> int | None:
        """The number of a record, if any, that the index of the first `size` names once too often, or that is not."""
        ...

    def rows(self, after: int = 0, limit: int = CHUNK) -> Sequence[Row]:
        """At most `limit` records after number `after`, in order."""
        ...

    def repeated(self) -> tuple[int, int, str] | None:
        """The first record whose id stands in the log before, read without the index: its number, that of the one
        before, and the id. It reads all ids, and sorts them on the disk if they are many."""
        ...


class IdsCheck:
    """Looks for the first record that the index of ids does not lead to.

    Args:
        store: whose index.
        size: how many records are looked at.
    """

    def __init__(self, store: IdIndex, size: int) -> None:
        self.store, self.size = store, size
        self.sum = 0

    def look(self, rows: Sequence[Row]) -> None:
        """Take records, as they lie in the table, into account."""
        self.sum += sum(map(hash, (key for key in map(_KEY, rows) if key[0] <= self.size)))

    def end(self) -> Fault | None:
        """The first fault, once all records were looked at."""
        try:
            wrong = self.store.index_fault()
            if wrong:
                return self._fault(1, None, "removed", wrong)
            filed = self.store.filed(self.size)
            if filed is not None and self._agrees(filed) and self.store.stray(self.size) is None:
                return None
            return self._first(filed is not None)
        except StoreError as error:
            return self._fault(1, None, "unreadable", f"The index of ids cannot be read: {error}")

    def _agrees(self, filed: Iterator[Sequence[tuple[int, str]]]) -> bool:
        """Whether the index ascends, and has the same numbers and ids as the records."""
        found = 0
        last: list[str] = []
        for part in filed:
            names = [*last, *map(itemgetter(1), part)]
            try:
                if not all(starmap(lt, pairwise(names))):
                    return False
            except TypeError:  # something that is no text
                return False
            found += sum(map(hash, part))
            last = names[-1:]
        return found == self.sum

    def _first(self, wrong: bool) -> Fault | None:
        """The first fault, by looking for each record; `wrong` says that there is one."""
        for first in range(1, self.size + 1, CHUNK):
            found = self.store.misfiled(first, min(self.size, first + CHUNK - 1))
            if found is not None:
                seq, leads = found
                name = str(self.store.rows(seq - 1, 1)[0][1])
                to = f"leads from its id to number {leads}" if leads else "does not know its id"
                words = f"The index of ids {to}: if record {seq} ({name}) came again, it would not be known as it is."
                return self._fault(seq, name, "changed", words)
        stray = self.store.stray(self.size)
        if stray is not None:
            return self._fault(
                stray, None, "inserted", f"The index of ids has an id of record {stray} that is not its own."
            )
        return self._fault(1, None, "changed", "The index of ids is not in order.") if wrong else None

    def _fault(self, seq: int, name: str | None, how: How, words: str) -> Fault:
        """That an id stands twice is graver than what the index lacks, and a new index does not mend it."""
        try:
            twice = self.store.repeated()
        except StoreError:
            twice = None
        if twice is None:
            return Fault(seq, name, how, f"{words} {ANEW}", "ids")
        later, before, name = twice
        words = f"The id {name} stands twice in the log, as record {before} and as record {later}."
        return Fault(later, name, "repeated", words, "ids")
