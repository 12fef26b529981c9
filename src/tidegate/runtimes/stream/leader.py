"""Leading: batches are taken, decided, and committed to Kafka; then they are kept."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import time_ns
from typing import Any

from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.limits import ANY, Limits
from tidegate.connectors.kafka.partition import Arrived, Spot
from tidegate.connectors.kafka.writer import Out, Writer
from tidegate.decisions.decision import Decision
from tidegate.events.event import Event
from tidegate.events.times import rfc3339
from tidegate.runtimes.engine import Engine, Refused
from tidegate.runtimes.horizon import FUTURE, in_future
from tidegate.runtimes.letter_headers import EMPTY
from tidegate.runtimes.stream.dead_letters import dead_letter
from tidegate.runtimes.stream.figures import Figures
from tidegate.runtimes.stream.held import HeldStore
from tidegate.runtimes.stream.order import VERSION, Order, stretches, turns, written
from tidegate.runtimes.stream.reading import Reading, Unreadable
from tidegate.runtimes.stream.repair import ORIGINAL
from tidegate.runtimes.stream.tracing import Trace, Tracing

_LOG = logging.getLogger("tidegate.stream")
_MOST = 4096
"""Messages of a transaction at most: committing one takes a broker some milliseconds however much is in it. The engine
decides on fewer at once, as many as a processor's caches hold."""
_SILENCE = 30.0
"""Seconds between words about dead letters: a thousand of them are said at once."""


class Topics:
    """Where things go.

    Args:
        decisions: decisions.
        dead: dead letters.
        order: orders of batches.
        limits: how large what goes there may be.
    """

    def __init__(self, decisions: str, dead: str, order: str, limits: Limits = ANY) -> None:
        self.decisions, self.dead, self.order, self.limits = decisions, dead, order, limits


class Leader:
    """Decides what arrives.

    Args:
        inputs: at the positions that the last order says.
        writer: writes under the stream's transactional id.
        engine: in the state of the last order; its store holds what is not committed.
        store: that store.
        topics: where things go.
        flow: digest of what decides.
        ahead: a message whose time (microseconds) is later than what this gives is not taken.
        figures: what is counted.
        reading: what reads the messages.
        encode: makes the messages of decisions, of their JSON.
        tracing: tells of transactions.
        group: the stream's.
    """

    def __init__(
        self, *, inputs: Inputs, writer: Writer, engine: Engine, store: HeldStore, topics: Topics, flow: bytes,
        ahead: Callable[[], int], figures: Figures, reading: Reading, encode: Callable[[bytes], bytes],
        tracing: Tracing, group: str,
    ) -> None:  # fmt: skip
        self._reading, self._encode, self._tracing = reading, encode, tracing
        self._inputs, self._writer, self._engine, self._store = inputs, writer, engine, store
        self._topics, self._flow, self._ahead, self.figures = topics, flow, ahead, figures
        self._group = group
        self._more, self._without, self._say_at = False, False, 0.0
        self._codes: Counter[str] = Counter()
        self._unsaid: Counter[str] = Counter()

    def step(self, member: Any, timeout: float) -> int:
        """Take what waits, decide and commit it; gives how many messages that were.

        Args:
            member: what shows that this instance is still the one.
            timeout: seconds to wait for the first message.

        Raises:
            UncertainError: see what the topics say; nothing of it is kept here.
            RegistryAwayError: a message waits for its schema; nothing was taken.
            StreamError: it cannot go on.
        """
        there = time_ns()
        if not self._more:  # also where much waits, held back by a partition that is waited for
            self._inputs.fill(timeout)
            there = self._inputs.came
        self._inputs.fill(0.0, _MOST)
        before = self._inputs.positions
        arrived = self._inputs.take(_MOST)
        self._more = bool(arrived) and any(one.waiting for one in self._inputs.partitions)
        if not arrived:
            return 0
        with self._tracing.begin(arrived, before, self._inputs.positions, there) as trace:
            self._transact(arrived, before, member, trace)
        return len(arrived)

    def _transact(self, arrived: Sequence[Arrived], before: dict[Spot, int], member: Any, trace: Trace) -> None:
        """Decide what arrived, commit and keep it; `before` are the positions that it was read from."""
        figures, began = self.figures, self.figures.now()
        head = self._store.head()
        letters, events, places = self._sorted(arrived)
        self._store.schemas = self._reading.written_with(
            (e.id, arrived[p].message) for e, p in zip(events, places, strict=True)
        )
        answers, kept = self._decided(events)
        decided, records = figures.now(), self._store.records
        trace.stage("decide")
        decisions = self._told(arrived, places, answers, kept, letters, trace)
        order = Order(
            version=VERSION, seq=head.size, root=head.root, flow=self._flow, records=records,
            stretches=stretches(before, self._inputs.positions),
            turns=turns([one.spot for one in arrived], _passed(len(arrived), places)), group=self._group,
            refused=self._store.refused,
        )  # fmt: skip
        out = [*decisions, *letters, Out(self._topics.order, None, written(order))]
        self._writer.write(out, _moved(before, self._inputs.positions), member, lambda: trace.stage("produce"))
        self._inputs.keep()
        trace.stage("commit")
        self._count(arrived, answers, began, decided)
        self._store.commit()
        trace.stage("keep")
        trace.end(answers, len(letters), records)

    def _sorted(self, arrived: Sequence[Arrived]) -> tuple[list[Out], list[Event], list[int]]:
        """Dead letters, events to be taken, and the places of these in what arrived."""
        bound = self._ahead()
        letters: list[Out] = []
        events: list[Event] = []
        places: list[int] = []
        for place, one in enumerate(arrived):
            what = one.what
            if one.at is not None and one.at > bound:
                latest = rfc3339(bound // 1_000_000 * 1_000_000)
                what = Unreadable(FUTURE, f"{in_future(what.at)} Here, with --ahead, {latest} is the latest.")
            if type(what) is Unreadable:
                letters.append(self._letter(one.message, what))
                continue
            events.append(what)
            places.append(place)
        return letters, events, places

    def _letter(self, message: Any, why: Unreadable) -> Out:
        self._codes[why.code] += 1
        letter = dead_letter(message, why, self._topics.dead, self._topics.limits.letter)
        self._without |= letter.value is None and why.code != EMPTY
        return letter

    def _decided(self, events: Sequence[Event]) -> tuple[list[Any], Iterator[bytes]]:
        """The answers to events, and the JSON of those that are new decisions, as it is kept."""
        engine, answers, kept = self._engine, list[Any](), list[bytes]()
        for start in range(0, len(events), engine.batch):
            answers += engine.process(events[start : start + engine.batch])
            kept += [one.answer for one in engine.kept if one.answer is not None]
        return answers, iter(kept)

    def _told(
        self,
        arrived: Sequence[Arrived],
        places: Sequence[int],
        answers: Sequence[Any],
        kept: Iterator[bytes],
        letters: list[Out],
        trace: Trace,
    ) -> list[Out]:
        """The decisions to be written, as they are kept; what was refused is added to the dead letters."""
        found, topic = [], self._topics.decisions
        for place, answer in zip(places, answers, strict=True):
            if type(answer) is Decision and not answer.repeated:
                message = arrived[place].message
                kind, at = message.timestamp()
                headers: Any = message.headers() or ()
                if headers:
                    headers = [one for one in headers if one[0] != ORIGINAL]
                headers = trace.headers(headers)
                found.append(Out(topic, message.key(), self._encode(next(kept)), headers, at if kind else 0))
            elif isinstance(answer, Refused) and not answer.erased:  # a letter would bring back what was erased
                letters.append(self._letter(arrived[place].message, Unreadable(answer.code, answer.reason)))
        return found

    def _count(self, arrived: Sequence[Arrived], answers: Sequence[Any], began: float, decided: float) -> None:
        """Count a batch that was just committed, and say from time to time what became dead letters."""
        codes, self._codes = self._codes, Counter()
        self.figures.batch([one.message for one in arrived], answers, codes, began, decided)
        self._unsaid += codes
        if self.figures.now() >= self._say_at:
            self.say_letters()

    def say_letters(self) -> None:
        """Say what became dead letters since that was last said."""
        if self._unsaid:
            said = ", ".join(f"{many:,} {code}" for code, many in self._unsaid.most_common())
            hint = " If there are many of the future, see whether this machine's clock is right."
            hint *= "future" in self._unsaid
            if self._without:
                hint += " Larger ones than it takes are only where they lay, for as long as that topic keeps them."
            _LOG.warning("Dead letters on %s: %s. See `tidegate dead-letters show`.%s", self._topics.dead, said, hint)
            self._unsaid, self._without, self._say_at = Counter(), False, self.figures.now() + _SILENCE


def _passed(many: int, taken: Sequence[int]) -> list[bool]:
    passed = [True] * many
    for place in taken:
        passed[place] = False
    return passed


def _moved(before: dict[Any, int], after: dict[Any, int]) -> dict[Any, int]:
    return {spot: offset for spot, offset in after.items() if before[spot] != offset}
