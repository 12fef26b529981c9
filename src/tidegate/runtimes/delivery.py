"""Delivery: sinks are told of every decision of a store, in its order, whatever happens to them or to us meanwhile.

The store is the outbox. What it keeps is kept in order and never changes, so all that has to be remembered of a sink is
the number up to which it was told; after any interruption it is told on from there. What may have been told twice then
changes nothing, because every decision has one id everywhere. So a decision waits for no sink, and none is lost to one.
A statement of erasure is among the records, and sinks are told to let go of what it names.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tidegate.actions.document import Document, document
from tidegate.actions.sink import Gone, Sink, UnavailableError
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.store import Store
from tidegate.connectors.store_reading import stored
from tidegate.connectors.told import Held, Told
from tidegate.errors import TidegateError
from tidegate.evidence.erasure import KIND, seqs_of

_LOG = logging.getLogger("tidegate.alerts")
_CHUNK = 2000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_LOOK = 0.2
"""Seconds between looks at a store that has nothing new."""


class _Part(NamedTuple):
    """What a sink is told at once: documents, or what it is to forget; and the number of the record reached by it."""

    seq: int
    documents: list[Document]
    gone: list[Gone]


@dataclass
class Figures:
    """What became of one sink: documents told and held, and failures in a row."""

    told: int = 0
    held: int = 0
    failures: int = 0


class Delivery:
    """Tells one sink.

    Args:
        store: whose decisions it is told of; something else may be writing to it.
        file: where its progress is kept.
        sink: the sink.
        alarms: tell it of alarms only.
        left_out: fields of events that it is not told.
    """

    def __init__(
        self, store: Store, file: AlertsFile, sink: Sink, *, alarms: bool = False, left_out: Collection[str] = ()
    ) -> None:
        self.store, self.sink, self.figures = store, sink, Figures()
        self._alarms, self._left_out = alarms, left_out
        self._progress = Told(file, sink.name)
        self._after = self._resume()

    def _resume(self) -> int:
        """The number up to which the sink was told of what the store holds now.

        A store that was put back from a copy, or lost its last events with the power, is met again where both agree.
        """
        size = self.store.head().size
        marks = self._progress.marks()
        if not marks:
            self._progress.begin()  # so that one who cannot be reached from the start is listed too
            return 0
        for seq, leaf in marks:
            if seq <= size and (not seq or self._leaf(seq) == leaf):
                break
        else:
            seq = 0
        if seq != marks[0][0]:
            _LOG.warning(
                "%s was told up to record %d, of which the store %s holds the first %d; it is told on from there.",
                self.sink.name, marks[0][0], self.store.address, seq,
            )  # fmt: skip
            self._progress.back_to(seq)
            if isinstance(self.sink, SqliteIndex):
                self.sink.forget_after(seq)
        return seq

    def _leaf(self, seq: int) -> bytes:
        """The hash by which the log seals a record."""
        (leaf,) = self.store.leaves(seq - 1, seq)
        return leaf

    @property
    def behind(self) -> int:
        """How many records the store has that the sink was not told of."""
        return self.store.head().size - self._after

    def catch_up(self, *, told: Callable[[int], None] | None = None, stop: Callable[[], bool] = lambda: False) -> int:
        """Tell the sink everything that the store holds by now; gives how many records that were.

        Args:
            told: told after each step how many records it had.
            stop: asked now and then whether to leave it at that.

        Raises:
            UnavailableError: it takes nothing now; the next call begins with the same again.
        """
        began = self._after
        while not stop():
            part = self._next()
            if not part:
                break
            for one in part:
                before = self._after
                self._tell(one)
                self._after = one.seq
                if told is not None:
                    told(one.seq - before)
        return self._after - began

    def _next(self) -> list[_Part]:
        """What to tell next."""
        many = min(_CHUNK, self.store.head().size - self._after)
        rows = [stored(row) for row in self.store.rows(self._after, many)] if many > 0 else []
        parts: list[_Part] = []
        documents: list[Document] = []

        def put() -> None:
            nonlocal documents
            for start in range(0, len(documents), self.sink.most):
                some = documents[start : start + self.sink.most]
                parts.append(_Part(some[-1].seq, some, []))
            documents = []

        for row in rows:
            if row.kind == KIND:
                put()
                parts.append(_Part(row.seq, [], self._gone(row.body)))
                continue
            one = document(row, self._left_out)
            if one is not None and (one.alarm or not self._alarms):
                documents.append(one)
        put()
        if rows and (not parts or parts[-1].seq < rows[-1].seq):
            parts.append(_Part(rows[-1].seq, [], []))
        return parts

    def _gone(self, statement: bytes) -> list[Gone]:
        """What a statement of erasure names and the sink may have been told of."""
        rows = [stored(row) for seq in seqs_of(statement) for row in self.store.rows(seq - 1, 1)]
        return [Gone(row.seq, row.id, row.at) for row in rows if row.outcome and (row.alarm or not self._alarms)]

    def _tell(self, part: _Part) -> None:
        seq, documents, gone = part
        try:
            if gone:
                self.sink.forget(gone)
                self._progress.let_go([one.seq for one in gone])
            rejected = {one.id: one.reason for one in self.sink.send(documents)} if documents else {}
            held = [Held(self.sink.name, one.seq, one.id, rejected[one.id]) for one in documents if one.id in rejected]
            self._progress.reached(seq, self._leaf(seq), held)
        except UnavailableError:
            self.figures.failures += 1
            raise
        for one in held:
            _LOG.error("%s does not take the decision %s: %s", self.sink.name, one.id, one.reason)
        self.figures.failures = 0
        self.figures.told += len(documents) - len(held)
        self.figures.held += len(held)

    def follow(self, stop: threading.Event, *, told: Callable[[int], None] | None = None) -> None:
        """Go on until asked to stop; a sink that takes nothing is asked again, after longer and longer pauses."""
        pause, reached = _FIRST_PAUSE, self._after
        while not stop.is_set():
            try:
                self.catch_up(told=told, stop=stop.is_set)
                stop.wait(_LOOK)
            except Exception as error:  # whatever it is, the others and the next try must not end with it
                if not isinstance(error, TidegateError):
                    _LOG.exception("%s could not be told.", self.sink.name)
                if self._after > reached:  # it takes something now and then
                    pause, reached = _FIRST_PAUSE, self._after
                _LOG.warning("%s Asked again in %.1f s; nothing is lost.", error, pause)
                stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def retry(self) -> tuple[int, list[Held]]:
        """Tell the sink again what it rejected; gives how many it took, and what it still rejects.

        Raises:
            UnavailableError: it takes nothing now.
        """
        taken, kept = 0, []
        for batch in _batches(self._progress.held(limit=1_000_000), self.sink.most):
            found = [stored(row) for one in batch for row in self.store.rows(one.seq - 1, 1)]
            documents = [made for made in (document(row, self._left_out) for row in found) if made is not None]
            rejected = {one.id: one.reason for one in self.sink.send(documents)}
            still = [one._replace(reason=rejected[one.id]) for one in batch if one.id in rejected]
            self._progress.tried_again([one.seq for one in batch if one.id not in rejected], still)
            taken += len(batch) - len(still)
            kept += still
        return taken, kept


def _batches(held: list[Held], most: int) -> Iterator[list[Held]]:
    for start in range(0, len(held), most):
        yield held[start : start + most]
