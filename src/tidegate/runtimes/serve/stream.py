"""Many events in one body: an answer line for each line, problems in their place."""

import asyncio
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from time import perf_counter

from tidegate.errors import ContractError
from tidegate.events.event import Event
from tidegate.runtimes.serve.answering import Told
from tidegate.runtimes.serve.body import Receive, lines_of
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem, of_contract
from tidegate.runtimes.serve.reading import EventReading
from tidegate.runtimes.serve.turns import Turns

MEDIA = b"application/x-ndjson"
_IN_MEMORY = 4 << 20
_PIECE = 1 << 18


class Answers:
    """The answer lines, in order.

    Beyond a few megabytes they wait on disk, because a client may read none before it has sent all.
    """

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed by `pieces`, or with the object
        self.size = 0

    def add(self, line: bytes) -> None:
        """Add one answer."""
        self._file.write(line + b"\n")
        self.size += len(line) + 1

    def pieces(self) -> Iterator[bytes]:
        """All lines, in pieces."""
        self._file.seek(0)
        with self._file:
            while piece := self._file.read(_PIECE):
                yield piece


class Stream:
    """Takes the lines of one body.

    Args:
        reading: gives what reads one line, by the version that decides now.
        turns: where events wait.
        limits, metrics: of the server.
        learn: events are only learned from.
    """

    def __init__(
        self, reading: Callable[[], EventReading], turns: Turns, limits: Limits, metrics: Metrics, learn: bool
    ) -> None:
        self._reading, self._turns, self._limits, self._metrics, self._learn = reading, turns, limits, metrics, learn
        self._line = 0
        self.answers = Answers()

    async def take(self, receive: Receive) -> Answers:
        """The answers to all lines.

        Raises:
            Problem: nothing of the body is taken now.
            GoneError: the client went away; what it sent before counts.
        """
        limits = self._limits
        first = True
        try:
            async for lines in lines_of(receive, limits.stream_bytes, limits.event_bytes, limits.body_seconds):
                for start in range(0, len(lines), limits.turn):
                    await self._some(lines[start : start + limits.turn], first)
                    first = False
        except Problem as problem:
            if first:
                raise
            # Earlier lines are decided and answered; this one says why there are no more.
            self._refused(problem, self._line + 1)
        return self.answers

    async def _some(self, lines: list[bytes | None], first: bool) -> None:
        if not first:
            await self._turns.room(len(lines))
        pending: list[tuple[int, asyncio.Future[Told] | Problem]] = []
        for line in lines:
            self._line += 1
            if line is not None and not line.strip():
                continue
            try:
                pending.append((self._line, self._turns.future(self._event(line), self._learn, perf_counter())))
            except Problem as problem:
                if first and not pending and problem.status in (429, 503):
                    raise
                pending.append((self._line, problem))
        for number, answer in pending:
            try:
                if isinstance(answer, Problem):
                    raise answer
                self.answers.add((await answer)[0])
            except Problem as problem:
                self._refused(problem, number)

    def _event(self, line: bytes | None) -> Event:
        if line is None:
            raise Problem("too-large", f"A line has at most {self._limits.event_bytes} bytes.")
        try:
            return self._reading().read(line)
        except ContractError as error:
            raise of_contract(error, line) from None

    def _refused(self, problem: Problem, line: int) -> None:
        self._metrics.refusals[problem.code] += 1
        self.answers.add(problem.document(line))
