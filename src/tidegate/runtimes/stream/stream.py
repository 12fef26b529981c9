"""A stream: one flow from topics to a topic, exactly once, by one of several instances (see ADR 17)."""

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import cast

from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.limits import limits
from tidegate.connectors.kafka.membership import Membership
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.partition import Spot
from tidegate.connectors.kafka.writer import LARGEST, Out, Writer
from tidegate.connectors.schemas.decisions import as_it_is
from tidegate.connectors.schemas.registry import RegistryAwayError
from tidegate.connectors.store import AwayError, Store
from tidegate.errors import StreamError, TidegateError
from tidegate.features.kernels.words import NEVER
from tidegate.models.registry import Registry
from tidegate.runtimes.engine import Engine
from tidegate.runtimes.models import Models, models_there
from tidegate.runtimes.stream.awaited import Awaited
from tidegate.runtimes.stream.beginning import beginning, require_no_past
from tidegate.runtimes.stream.erasures import not_told
from tidegate.runtimes.stream.figures import Figures
from tidegate.runtimes.stream.follower import Follower
from tidegate.runtimes.stream.held import HeldStore
from tidegate.runtimes.stream.lag import Lag
from tidegate.runtimes.stream.lasting import Clients
from tidegate.runtimes.stream.leader import Leader, Topics
from tidegate.runtimes.stream.order import written
from tidegate.runtimes.stream.pauses import Pauses
from tidegate.runtimes.stream.reading import Reading
from tidegate.runtimes.stream.saving import Saving
from tidegate.runtimes.stream.settings import Settings, require_group, require_topics
from tidegate.runtimes.stream.tracing import Tracing
from tidegate.runtimes.stream.watch import Watch

_LOG = logging.getLogger("tidegate.stream")
_WAIT = 0.05
"""Seconds that a turn waits for its first message."""
_LOOK = 10.0
"""Seconds between looks for partitions that were added."""


class Stream:
    """Runs a stream until it is told to stop. Made by `Stream(settings)`; closed by `run` itself.

    Raises:
        StreamError: a topic is not there, or the cluster cannot be used like this.
        StoreError: the store cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.figures = settings, Figures()
        sink = settings.sink.topic
        self.topics = Topics(sink, settings.dead or f"{sink}.dead-letters", settings.order or f"{sink}.order")
        require_topics(settings, self.topics)
        if settings.source.servers != settings.sink.servers:
            raise StreamError(
                "A transaction lies in one cluster.",
                seen=f"{settings.source.servers} and {settings.sink.servers}",
                do="Read and write in one cluster, and mirror topics between clusters.",
            )
        self._cluster = Cluster(settings.sink.servers, settings.source.settings | settings.sink.settings)
        self._cluster.partitions([*settings.source.topics, sink])
        own, schemas = settings.flow.definition.event.__name__, settings.schemas
        self._encode = as_it_is if schemas is None else schemas.writer(sink)
        messages = None if schemas is None else schemas.messages(
            settings.source.topics, settings.events, own, settings.flow.definition.kinds, begun=self._begun()
        )  # fmt: skip
        self._cluster.make(self.topics.order, retention_ms="-1", retention_bytes="-1", cleanup_policy="delete")
        made = self._cluster.make(self.topics.dead, retention_ms="-1", max_message_bytes=str(LARGEST))
        for name, many in self._cluster.partitions([self.topics.order, self.topics.dead]).items():
            if many > 1:
                raise StreamError(
                    f"{name} has one partition.", seen=str(many), do="Give another topic, or let Tidegate make it."
                )
        self.topics.limits = limits(self._cluster, self.topics.dead, [sink, self.topics.order], made=made)
        self._kept = Store.open(settings.store)
        self._store = HeldStore(self._kept)
        self._kept.sync_apart()  # the truth is in the topics; only snapshots are synced
        registry: Models = Registry(settings.models)
        if settings.without_models:
            registry = models_there(settings.flow.definition, registry)
        self.engine = Engine(
            settings.flow, models=registry, store=cast(Store, self._store), other_flow_ok=settings.other_flow_ok
        )
        for passed in self.engine.passed_over:
            _LOG.warning("Not all of the state is from a snapshot: %s", passed)
        self._reading = Reading(self.engine.readers, own, settings.events, self.engine.require, messages)
        self._inputs = Inputs(self._cluster, settings.group, self._reading.read, settings.hold, bound=self._bound)
        self._lag = Lag(self._inputs)
        self._orders = OrderTopic(self._cluster, self.topics.order, settings.group)
        self._saving = Saving(self._kept, self.engine, settings.snapshot)
        self._follower = Follower(
            self._orders, self._inputs, self.engine, self._store, self.engine.program, self._reading,
            self._saving.forget,
        )  # fmt: skip
        self._member: Membership | None = None
        self._clients = Clients(self._cluster, self.topics.order, {})
        self.waits = self.deciding = False
        """Whether messages wait for the schema registry; whether this instance decides, having all that was before."""
        self.held_up: TidegateError | None = None
        """What keeps this instance from going on, while that is tried again; None as soon as it decides or follows."""
        self.taken_up = 0
        """Records that the store lacked of what was committed, and was given."""
        self.past = 0
        """Records that the store held when this instance began to decide."""
        self._doubt = False
        self._count()

    def _begun(self) -> bool:
        """Whether this stream decided before."""
        if self.topics.order not in self._cluster.topics():
            return False
        orders = OrderTopic(self._cluster, self.topics.order, self.settings.group)
        try:
            return orders.ends()[1] > 0
        finally:
            orders.close()

    def _count(self) -> None:
        gauges = self.figures.metrics.gauges
        gauges["decides"] = (
            "1 when this instance decides, 0 while it stands by or takes in what others decided.",
            lambda: float(self.deciding),
        )
        gauges["clock_lag_seconds"] = ("The wall clock's time less the newest event's.", self._behind_clock)
        gauges["registry_awaited"] = ("1 while messages wait for the schema registry.", lambda: float(self.waits))
        self._lag.tell(self.figures.metrics)

    @property
    def cluster(self) -> Cluster:
        """Where its topics are."""
        return self._cluster

    @property
    def leads(self) -> bool:
        """Whether this instance decides."""
        return self._member is not None and self._member.leads

    def _behind_clock(self) -> float | None:
        return None if self.engine.clock == NEVER else time() - self.engine.clock / 1e6

    def run(
        self,
        stop: threading.Event,
        *,
        ready: Callable[[], None] = lambda: None,
        end: Callable[[], None] | None = None,
    ) -> None:
        """Follow, or decide when this instance is the one, until `stop` is set.

        Args:
            stop: ends it; what was begun is committed or given up.
            ready: called each time when this instance begins to decide.
            end: ends the process, if the brokers' client does not come back for minutes; it is told in any case.

        Raises:
            StreamError: it cannot go on without someone's help; the message says what to do.
        """
        with Watch(self._cluster, end) as watch:
            self.figures.metrics.gauges["unanswered_seconds"] = (
                "For how long the brokers have not answered.", lambda: watch.seconds
            )  # fmt: skip
            self._run(stop, ready)

    def _run(self, stop: threading.Event, ready: Callable[[], None]) -> None:
        pauses, led = Pauses(), False
        try:
            if self.settings.catch_up:
                self._reach(self._orders.ends()[1], lambda: not stop.is_set())
                return
            self._member = Membership(self._cluster, self.settings.group, self.topics.order, self.settings.session)
            self._clients = Clients(self._cluster, self.topics.order, {
                "takes part in the group": self._member,
                "reads the order topic": self._orders,
                "reads the input topics": self._inputs,
            })  # fmt: skip
            while not stop.is_set():
                try:
                    self._clients.look(now=self._doubt)
                    if self._doubt:
                        self._give_up()
                    if not self._member.look(0.1):
                        self.waits &= not led  # what waited for the registry is no longer this instance's to take
                        led = False
                        self._lag.stand_by()
                        self._follow(0.1, lambda: not stop.is_set() and not self._look())
                        self.held_up = None
                        continue
                    led = True
                    self._lead(stop, ready)
                    if self.settings.until_end and self.leads:
                        return
                except RegistryAwayError as error:
                    self.held_up, self.waits, pause = error, True, pauses.next()
                    _LOG.warning("%s Messages wait for it, and none is lost; asked again in %.1f s.", error, pause)
                    self._lag.go_back()
                    self._follower.again()
                    stop.wait(pause)
                except (PassingError, AwayError) as error:
                    # That of a store that is away wakes somebody at once, however quiet the topics are.
                    self.figures.metrics.store_failures += isinstance(error, AwayError)
                    self.held_up, pause = error, pauses.next()
                    _LOG.warning("%s What the topics say counts; looked at again in %.1f s.", error, pause)
                    self._doubt = True
                    self._lag.go_back()
                    stop.wait(pause)
        except TidegateError as error:  # told by the page too, for as long as it takes to end
            self.held_up = error
            raise
        finally:
            self._close()

    def _look(self) -> bool:
        """Take part in the group; whether this instance is to decide now."""
        return self._member is not None and self._member.look()

    def _follow(self, timeout: float, go_on: Callable[[], bool], end: int = 0) -> bool:
        """Take in what was committed; whether all orders before the offset `end` were."""
        size = self._kept.head().size

        def told(records: int) -> bool:
            nonlocal size
            if more := self._kept.head().size - size:  # an order that the store has already is told too
                self.waits = False
                self.taken_up, size = self.taken_up + more, size + more
            self._saving.if_due()
            return go_on()

        return self._follower.catch_up(timeout, told, end)

    def _reach(self, end: int, go_on: Callable[[], bool]) -> bool:
        """Take in all orders before the offset `end`; whether they were, before `go_on` gave False."""
        awaited = Awaited(self._orders, end)
        try:
            while not self._follow(1.0, go_on, end):
                if not go_on():
                    return False
                awaited.look()
        except StreamError:
            self._require_own()  # whose stream it is explains whatever else is not as it should be
            raise
        return True

    def _lead(self, stop: threading.Event, ready: Callable[[], None]) -> None:
        """Decide until stopped, relieved, or, if so wanted, until the end of the topics."""
        member = self._member
        if member is None:
            return

        def go_on() -> bool:
            return not stop.is_set() and member.look()

        if not self._reach(self._orders.ends()[1], go_on):
            return
        self._require_own()  # before taking over: another group that decides is not to be disturbed
        writer = Writer(self._cluster, self.topics.order, self.topics.limits.batch)
        end = self._orders.ends()[1]  # asked after taking over: nobody else commits an order any more
        if not self._reach(end, go_on):
            return
        self._require_own()
        if self._follower.known is None and not self.settings.with_past:
            require_no_past(self._kept, self.topics.decisions)
        if self._follower.known is not None and self.settings.with_past:
            _LOG.warning("--with-past has no effect: this stream has begun, and goes on from what it decided.")
        self._tell_erasures(writer, member)
        starts = self._starts(self._follower.positions)
        if self.settings.begin == "latest" and not self._follower.positions:
            head = self._store.head()
            order = beginning(starts, head.size, head.root, self.engine.program, self.settings.group)
            writer.write([Out(self.topics.order, None, order)], starts, member.metadata())
        self._lag.read(starts)
        leader = Leader(
            inputs=self._inputs, writer=writer, engine=self.engine, store=self._store, topics=self.topics,
            flow=self.engine.program, ahead=self._bound, figures=self.figures,
            reading=self._reading, encode=self._encode,
            tracing=Tracing(self.settings.traces, self.settings.group, self.settings.source.topics),
            group=self.settings.group,
        )  # fmt: skip
        self.past = self._kept.head().size
        self.deciding, self.held_up = True, None
        ready()
        try:
            self._decide(leader, member, stop)
        finally:
            self.deciding = self.settings.until_end and member.leads  # it read to the end, and nobody else does more
            leader.say_letters()

    def _require_own(self) -> None:
        """Make sure that it is this group's stream."""
        require_group(self._follower.group, self.settings, self.topics.order)

    def _decide(self, leader: Leader, member: Membership, stop: threading.Event) -> None:
        looked = monotonic()
        while not stop.is_set() and member.look():
            taken = leader.step(member.metadata(), _WAIT)
            self.waits = False
            self._saving.if_due()
            if not taken and self.settings.until_end and self._inputs.at_end:
                return
            self._clients.look()
            if monotonic() - looked > _LOOK:
                looked = monotonic()
                self._widen()
        self._follower.again()

    def _tell_erasures(self, writer: Writer, member: Membership) -> None:
        """Put on the order topic what was erased from this instance's store, so that others follow."""
        known = self._follower.known
        if known is None:
            return  # the stream begins with this store, whatever it holds
        group = self.settings.group
        for order in not_told(self._kept, known, self._follower.positions, self.engine.program, group):
            writer.write([Out(self.topics.order, None, written(order))], {}, member.metadata())

    def _bound(self) -> int:
        return int((time() + self.settings.ahead) * 1e6)

    def _starts(self, positions: Mapping[Spot, int]) -> dict[Spot, int]:
        """Where each partition is read on; one that is new, from where a first start begins."""
        starts: dict[Spot, int] = {}
        for topic, many in self._cluster.partitions(self.settings.source.topics).items():
            for partition in range(many):
                spot = (topic, partition)
                if spot in positions:
                    starts[spot] = positions[spot]
                    continue
                first, end = self._inputs.ends(spot)
                starts[spot] = end if self.settings.begin == "latest" and not positions else first
        return starts

    def _widen(self) -> None:
        """Read partitions that were added, from their beginning."""
        positions = self._inputs.positions
        try:
            starts = self._starts(positions)
        except PassingError as error:  # what is read already is read on
            _LOG.warning("%s Partitions that were added are looked for again in %d s.", error, _LOOK)
            return
        if added := sorted(starts.keys() - positions.keys()):
            for topic, partition in added:
                _LOG.warning("%s/%d was added, and is read from its beginning.", topic, partition)
            self._lag.read(starts)

    def _give_up(self) -> None:
        """Forget what was decided and not committed; what the topics say is taken in anew."""
        self._store.let_go()
        self.engine.distrust()
        self.engine.mend()
        self._follower.again()
        self._doubt = False

    def _close(self) -> None:
        try:
            # What is held was decided and not committed: a state that holds it is not written down.
            self._saving.close(last=not self._store.records and not self._doubt)
        finally:
            if self._member is not None:
                self._member.close()
            self._inputs.close()
            self._orders.close()
            self._kept.close()
