"""Turns: events that wait together are decided together, kept in one transaction, answered once it is on disk.

All of it runs on the event loop's own thread but the sync of a disk that is slow, or for which others would wait. While
one batch is on its way to the disk the next gathers, and if that takes long it is decided and appended meanwhile; an
answer goes out only after a sync that began after its batch was appended.
If a batch cannot be appended, the state is made anew from the store before anything else is decided, so nothing is
decided on what was never kept.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

from tidegate.connectors.store import Store
from tidegate.errors import ContractError, TidegateError
from tidegate.events.contract import body
from tidegate.events.event import Event
from tidegate.runtimes.engine import Answer, Engine
from tidegate.runtimes.serve.answering import Answering, Asked, Reply, Told
from tidegate.runtimes.serve.gathering import Gathering
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem, any_fault, of_store
from tidegate.runtimes.serve.syncing import Syncing

_LOG = logging.getLogger("tidegate.serve")


class Turns:
    """Takes events, decides them in batches, and answers each.

    Args:
        engine: decides. From now on only this object may use it.
        store: the engine's. Its appends and syncs go apart from now on.
        limits: of the server.
        metrics: where everything is counted.
    """

    def __init__(self, engine: Engine, store: Store, limits: Limits, metrics: Metrics) -> None:
        self.engine, self.store, self.limits, self.metrics = engine, store, limits, metrics
        self.refusing: Problem | None = None
        self._failing = self._draining = self._taken_over = False
        self._loop = asyncio.get_running_loop()
        self._deadline = engine.plan.deadline / 1e6
        self._waiting: deque[Asked] = deque()
        self._room: deque[asyncio.Future[None]] = deque()
        self._gathering = Gathering(self._waiting, limits, self._turn)
        self._syncing = self._failures = 0
        self._disk = Syncing(lambda: self.store.sync(), limits.syncs, limits.gather)
        self._threads = ThreadPoolExecutor(2, "tidegate-save")
        # What had to be learned again is not in a snapshot yet; the next start shall not have to do so as well.
        self._records = engine.recovered
        self._saved = perf_counter()
        self._saving: asyncio.Future[None] | None = None
        store.sync_apart(each=True)
        metrics.gauges["queue_events"] = ("Events that wait for their turn.", lambda: len(self._waiting))

    def future(self, event: Event, learn: bool, began: float) -> "asyncio.Future[Told]":
        """Let an event wait for its turn, as `submit` does; the answer is the future's."""
        answer: asyncio.Future[Told] = self._loop.create_future()
        self.submit(event, learn, began, answer)
        return answer

    def submit(self, event: Event, learn: bool, began: float, answer: Reply) -> None:
        """Let an event wait for its turn; `began` is when it came (perf_counter), `answer` gets the answer.

        Raises:
            Problem: none are taken now, or too many wait.
        """
        if self.refusing is not None:
            raise self.refusing
        if len(self._waiting) >= self.limits.queue:
            raise Problem(
                "busy",
                f"{len(self._waiting)} event{' is' if len(self._waiting) == 1 else 's are'} waiting.",
                id=event.id,
                headers=((b"retry-after", b"1"),),
            )
        self._waiting.append(Asked(event, learn, began, answer))
        self._gathering.call()

    def take_over(self, engine: Engine) -> Engine | None:
        """Let another engine decide from now on; it learns what the store holds by now.

        Returns:
            The engine that decided so far; None if it cannot be now, because the last write failed.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._failing or self._draining:
            return None
        engine.catch_up()
        before, self.engine = self.engine, engine
        self._deadline = engine.plan.deadline / 1e6
        self._taken_over = True
        self._threads.submit(self._save, before.hold())  # so that going back to it is quick
        return before

    def _as_read_today(self, batch: list[Asked]) -> list[Asked]:
        """What was read before another version took over is read again, by that version's contracts."""
        found = []
        for asked in batch:
            kind = type(asked.event)
            reader = self.engine.readers.get(kind.__name__)
            try:
                if reader is None:
                    raise ContractError(f"{self.engine.definition.name} does not know {kind.__name__} events any more.")
                if not self.engine.knows(kind):
                    asked.event = reader.read(body(asked.event), kind.__version__)
                self.engine.require(asked.event)
                found.append(asked)
            except ContractError as error:
                if not asked.answer.done():
                    asked.answer.set_exception(
                        Problem("contract", str(error), pointer=error.pointer, id=asked.event.id)
                    )
        return found

    async def room(self, many: int) -> None:
        """Wait until so many more events may wait."""
        while self.refusing is None and len(self._waiting) + many > self.limits.queue:
            freed = self._loop.create_future()
            self._room.append(freed)
            await freed

    async def settled(self) -> None:
        """Return once everything that was decided is on the disk.

        Raises:
            StoreError: the disk failed.
        """
        if self._syncing or self._failing:
            await self._loop.run_in_executor(self._threads, self.store.sync)

    def _turn(self) -> None:
        waiting = self._waiting
        if not waiting or self._failing or not self._gathering.may(self._syncing):
            return
        batch = [waiting.popleft() for _ in range(min(len(waiting), self.limits.turn))]
        while self._room:
            free = self._room.popleft()
            if not free.done():
                free.set_result(None)
        began = perf_counter()
        if self._taken_over:
            batch = self._as_read_today(batch)
            if not batch:  # nothing of it is known any more
                self._gathering.call()
                return
        try:
            answers, deciding = self._decide(batch, began)
        except Exception as error:
            # Half of a batch may have been learned: the state is not to be used again before it was made anew. What
            # breaks a contract is found before anything is learned.
            if not isinstance(error, ContractError):
                self.engine.distrust()
            self._fail([asked.answer for asked in batch], error)
            return
        self._gathering.appended()
        # While the disk is at work already; where it is not, a thread could not begin a sync meanwhile either.
        answering = Answering(batch, began, deciding)
        answering.prepare(answers, self.engine.kept)
        self.metrics.events.add(len(batch))
        self._records += len(batch)
        # To free what a batch was made of takes its time too, which is better spent now than before the next one.
        self.engine.kept = ()
        del batch, answers
        self._syncing += 1
        if waiting:
            self._gathering.call()
        self._disk.ask(partial(self._synced, answering), idle=not waiting)

    def _decide(self, batch: list[Asked], began: float) -> tuple[list[Answer], float]:
        """The answers of a batch, in its order, and how long deciding them took, in seconds: the rest was keeping."""
        process, deadline = self.engine.process, self._deadline
        overdue = [began - asked.began > deadline for asked in batch] if deadline else ()
        waited = [(began - asked.began) * 1e6 for asked in batch]
        learn = batch[0].learn
        if all(asked.learn is learn for asked in batch):
            answers = process([asked.event for asked in batch], learn_only=learn, overdue=overdue, waited=waited)
            return answers, self.engine.timing["decide"] / 1e6
        answers, took = [], 0.0
        start = 0
        for end in range(1, len(batch) + 1):
            if end == len(batch) or batch[end].learn is not batch[start].learn:
                events = [asked.event for asked in batch[start:end]]
                answers += process(
                    events, learn_only=batch[start].learn, overdue=overdue[start:end], waited=waited[start:end]
                )
                start, took = end, took + self.engine.timing["decide"] / 1e6
        return answers, took

    def _synced(self, answering: Answering, error: BaseException | None) -> None:
        self._syncing -= 1
        if error is not None:
            self._fail(answering.replies, error)
            return
        self._failures = 0
        answering.tell(self.metrics, perf_counter())
        self._gathering.answered(len(answering.replies))
        self._save_if_due()

    def _fail(self, replies: list[Reply], error: BaseException) -> None:
        """Say no to a batch and to all that wait, take nothing for a while, then try whether it works again."""
        if isinstance(error, TidegateError):
            problem = of_store(error)
            _LOG.error("%s", error)
        else:
            problem = any_fault()
            _LOG.error("A batch could not be decided.", exc_info=error)
        self.metrics.store_failures += 1
        self._refuse([*replies, *(asked.answer for asked in self._waiting)], problem)
        self._waiting.clear()
        if self._failing:
            return
        self._failing = True
        if not self._draining:
            self.refusing = problem
        pause = min(self.limits.longest_pause, 0.1 * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._loop.call_later(pause, self._mend)

    def _refuse(self, replies: list[Reply], problem: Problem) -> None:
        for reply in replies:
            if not reply.done():
                reply.set_exception(problem)
        while self._room:
            free = self._room.popleft()
            if not free.done():
                free.set_result(None)

    def _mend(self) -> None:
        def mended(done: "asyncio.Future[None]") -> None:
            error = done.exception()
            self._failing = False
            if error is not None:
                self._fail([], error)
                return
            _LOG.warning("The state was made anew from the store; events are taken again.")
            if not self._draining:
                self.refusing = None

        self._loop.run_in_executor(self._threads, self._make_whole).add_done_callback(mended)

    def _make_whole(self) -> None:
        """Bring the state back to what the store holds, and the store to the disk."""
        self.engine.mend()
        self.store.sync()

    def _save_if_due(self) -> None:
        limits, now = self.limits, perf_counter()
        due = self._records >= limits.snapshot_records or now - self._saved >= limits.snapshot_seconds
        if not due or not self._records or self._saving is not None or self._failing:
            return
        self._records, self._saved = 0, now
        # The state is copied now, between two batches; writing the copy takes its time beside them.
        self._saving = self._loop.run_in_executor(self._threads, self._save, self.engine.hold())
        self._saving.add_done_callback(self._snapshot_done)

    def _save(self, write: Callable[[], None]) -> None:
        self.store.sync()  # a snapshot is never ahead of what the disk holds
        write()

    def _snapshot_done(self, done: "asyncio.Future[None]") -> None:
        self._saving = None
        error = done.exception()
        if error is None:
            self.metrics.snapshots += 1
        else:
            _LOG.error("No snapshot was written: %s", error)

    def drain(self) -> None:
        """Take nothing more; what was taken is still answered."""
        self._draining = True
        self.refusing = Problem("draining", "It takes no more events.", headers=((b"retry-after", b"5"),))

    async def close(self) -> None:
        """End: wait for what is on its way, and write a last snapshot."""
        while self._syncing or self._saving is not None:
            await asyncio.sleep(0.005)
        if self._records and not self._failing:
            try:
                await self._loop.run_in_executor(self._threads, self._save, self.engine.hold())
            except TidegateError as error:
                _LOG.error("No snapshot was written: %s", error)
        self._gathering.close()
        self._disk.close()
        self._threads.shutdown()
