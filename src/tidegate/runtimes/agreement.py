"""Decisions that lie on a topic, or in a file, set against those of a replay: is each there once, byte for byte?"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.connectors.store import Store
from tidegate.connectors.store_reading import stored
from tidegate.errors import TidegateError
from tidegate.evidence.erasure import is_blank
from tidegate.runtimes.claims import Claim, ClaimReader, Head

if TYPE_CHECKING:
    from tidegate.connectors.kafka.place import Place
    from tidegate.connectors.schemas.written import WrittenDecisions

_CHUNK = 1000
_FIRST = 5
_UNSEEN, _EQUAL, _DIFFERENT = 0, 1, 2
_GROUP = "tidegate-against"


@dataclass
class Some:
    """How many there are, and the first of them in words."""

    many: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, words: str) -> None:
        """One more."""
        self.many += 1
        if len(self.first) < _FIRST:
            self.first.append(words)


@dataclass
class Agreement:
    """What came of it.

    Args:
        decided: decisions of the replay.
        equal: of them, those that are there with the same bytes, as often as they are there.
        different: those that are there with other bytes.
        lost: those that are not there.
        earlier: those that are not there and need not be, for their events are too old.
        repeated: messages of a decision that was there before.
        erased: messages of decisions that were erased from the store whose events were decided again.
        unknown: messages of other events on which the replay did not decide.
        newer: those of them that came after the replay had begun, which are no fault.
        strange: messages that are no decisions.
    """

    decided: int = 0
    equal: int = 0
    different: Some = field(default_factory=Some)
    lost: Some = field(default_factory=Some)
    earlier: int = 0
    erased: int = 0
    repeated: Some = field(default_factory=Some)
    unknown: Some = field(default_factory=Some)
    newer: int = 0
    strange: Some = field(default_factory=Some)

    @property
    def faults(self) -> dict[str, Some]:
        """What must not be, by name."""
        names = ("different", "lost", "repeated", "unknown", "strange")
        return {name: getattr(self, name) for name in names}

    @property
    def whole(self) -> bool:
        """Whether every decision of the replay is there once, byte for byte, and nothing else is."""
        return self.equal > 0 and not any(some.many for some in self.faults.values())


def agreement(
    kept: Store,
    claims: Iterable[Claim],
    since: int | None = None,
    recorded: Store | None = None,
    written: "WrittenDecisions | None" = None,
) -> Agreement:
    """Set what lies somewhere against the decisions of a replay.

    Args:
        kept: the replay's store.
        claims: what is said to have been decided, in any order.
        since: decisions on events before then, microseconds since 1970 UTC, need not be there.
        recorded: whose events were decided again; what was erased from it cannot be.
        written: reads those that name a schema of a registry.

    Raises:
        TidegateError: they were written with a schema, and no registry is named, or it cannot be asked.
    """
    found, marks = Agreement(), bytearray(kept.head().size + 1)  # a byte for each record is all that is held
    waiting, gone, reads = iter(claims), _Gone(recorded), ClaimReader(written)
    while some := list(islice(waiting, _CHUNK)):
        _look(kept, some, marks, found, gone, reads)
    found.equal = marks.count(_EQUAL)
    _missed(kept, marks, since, found)
    return found


class _Gone:
    """What was decided, and erased since from the store whose events were decided again.

    An erased record keeps its outcome: a message that says another one is not what was decided.
    """

    def __init__(self, recorded: Store | None) -> None:
        self._recorded, self._met = recorded, set[int]()

    def look(self, head: Head, one: Claim, found: Agreement) -> bool:
        """Count a message if its decision was erased; False if it was not."""
        of = self._recorded.get(head.id) if self._recorded is not None else None
        if of is None or of.outcome is None or not is_blank(of):
            return False
        if head.outcome != of.outcome:
            said = f'/outcome is "{head.outcome}", and was "{of.outcome}" by what is left of its record'
            found.different.add(f"{head.id} ({one.where}): {said}")
        elif of.seq in self._met:
            found.repeated.add(f"{head.id} ({one.where})")
        else:
            found.erased += 1
        self._met.add(of.seq)
        return True


def _look(kept: Store, some: list[Claim], marks: bytearray, found: Agreement, gone: _Gone, reads: ClaimReader) -> None:
    heads = [reads.head(one) for one in some]
    known = kept.find([head.id for head in heads if isinstance(head, Head)])
    for one, head in zip(some, heads, strict=True):
        if isinstance(head, str):
            found.strange.add(f"{one.where}: {head}" if head else one.where)
            continue
        id, of = head.id, known.get(head.id)
        if of is None or of.answer is None:
            if gone.look(head, one, found):
                continue
            if one.since:
                found.newer += 1
            else:
                found.unknown.add(f"{id} ({one.where})")
            continue
        if marks[of.seq] != _UNSEEN:
            found.repeated.add(f"{id} ({one.where})")
        decided = reads.as_claim(of.answer, one)
        if one.data == decided:
            marks[of.seq] = marks[of.seq] or _EQUAL
        elif marks[of.seq] != _DIFFERENT:
            marks[of.seq] = _DIFFERENT
            found.different.add(f"{id} ({one.where}): {reads.differs(decided, one.data)}")


def _missed(kept: Store, marks: bytearray, since: int | None, found: Agreement) -> None:
    """Count the decisions, and those that were not met."""
    after = 0
    while rows := kept.rows(after, _CHUNK):
        for one in map(stored, rows):
            if one.answer is None:
                continue
            found.decided += 1
            if marks[one.seq] != _UNSEEN:
                continue
            if since is not None and one.at < since:
                found.earlier += 1
            else:
                found.lost.add(one.id)
        after = int(str(rows[-1][0]))


def in_file(path: Path) -> Iterator[Claim]:
    """The decisions in a file of one JSON object a line, also compressed.

    Raises:
        TidegateError: it cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if text := line.rstrip(b"\r\n"):
                    yield Claim(f"{path.name}, line {number}", text, since=False)
    except (OSError, EOFError, zlib.error) as error:
        seen = getattr(error, "strerror", None) or str(error)
        raise TidegateError(f"The decisions in {path} cannot be read.", seen=seen) from None


class OnTopic:
    """The decisions on a topic, to be read when the replay is done.

    Args:
        place: the topic.

    Raises:
        StreamError: there is no such topic, or it cannot be asked.
    """

    def __init__(self, place: "Place") -> None:
        from tidegate.connectors.kafka.cluster import Cluster
        from tidegate.connectors.kafka.content import ends

        self._topic, self._cluster = place.topic, Cluster(place.servers, place.settings)
        self._ends = ends(self._cluster, self._topic, _GROUP)

    def __iter__(self) -> Iterator[Claim]:
        from tidegate.connectors.kafka.content import messages

        for message in messages(self._cluster, self._topic, _GROUP):
            partition, offset, data = message.partition(), message.offset(), message.value()
            if data is not None:  # where a compacted topic says that a decision was erased, there is none
                since = partition >= len(self._ends) or offset >= self._ends[partition]
                yield Claim(f"{self._topic}/{partition} offset {offset}", data, since)
