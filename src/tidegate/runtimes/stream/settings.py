"""What a stream is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.connectors.kafka.place import Place, require_apart
from tidegate.connectors.store_address import Address
from tidegate.connectors.traces import Traces
from tidegate.decisions.flow import Flow
from tidegate.errors import StreamError
from tidegate.runtimes.stream.leader import Topics
from tidegate.runtimes.stream.schemas import Schemas


@dataclass(frozen=True)
class Settings:
    """Of one stream.

    Args:
        flow: what decides.
        source, sink: the input topics, and the topic of decisions, of one cluster.
        store: this instance's own; made if it is not there.
        models: the folder of stored models.
        group: the instances that share the work of deciding: one of them does, the others stand by.
        events: the event type of topics that hold another one than the flow decides on.
        dead, order: topics of dead letters and of orders; default: named after the topic of decisions.
        begin: "earliest" or "latest": where a first start begins.
        hold: seconds for which a partition may hold back the others.
        ahead: seconds that an event's time may be ahead of the clock.
        session: seconds after which an instance that fell silent is replaced.
        snapshot: records after which a snapshot is written.
        until_end: stop when everything that is there was taken.
        catch_up: only do again what was decided, and stop.
        schemas: of topics that are not written in JSON.
        traces: are told of every transaction; whoever made them closes them.
        other_flow_ok: as of `Engine`.
        without_models: go on although a model is not there; its `otherwise` is used.
        with_past: begin a stream on a store that holds records: their events are not decided again.
        alarms: topics of whoever is told of decisions.
    """

    flow: type[Flow[Any]]
    source: Place
    sink: Place
    store: Address | Path
    models: Path
    group: str
    events: Mapping[str, str] = field(default_factory=dict)
    dead: str = ""
    order: str = ""
    begin: str = "earliest"
    hold: float = 5.0
    ahead: float = 300.0
    session: float = 6.0
    snapshot: int = 200_000
    until_end: bool = False
    catch_up: bool = False
    schemas: Schemas | None = None
    traces: Traces | None = None
    other_flow_ok: bool = False
    without_models: bool = False
    with_past: bool = False
    alarms: Sequence[Place] = ()


def group_of(flow: str, sink: str) -> str:
    """What the consumer group of a flow that writes to a topic is called unless it is given another name."""
    return f"tidegate-{flow}-{sink}"


def require_group(found: str, settings: Settings, order: str) -> None:
    """Make sure that a stream is this group's own: two would decide everything twice.

    Args:
        found: the group that decided last; empty if none did.
        settings: of this instance.
        order: the order topic.

    Raises:
        StreamError: it is another group's or, as that one's name tells, another flow's.
    """
    if found in ("", settings.group):
        return
    name = settings.flow.definition.name
    before, behind = group_of("/", settings.sink.topic).split("/")
    other = found.removeprefix(before).removesuffix(behind)
    if other.isidentifier() and other != name and found == group_of(other, settings.sink.topic):
        raise StreamError(
            f"The stream of {order} is of another flow, {other}.",
            seen=f"its consumer group is {found}; this is {name}, group {settings.group}",
            do=f"Give {name} a stream of its own, by another --to or --order. Only if it was called {other} before, "
            f"give --group {found}.",
        )
    raise StreamError(
        f"The stream of {order} is decided by another consumer group.",
        seen=f"{found}; this is {settings.group}",
        do=f"To take part in it, give --group {found}. For a stream of its own, give another --to or --order.",
    )


def require_topics(settings: Settings, topics: Topics) -> None:
    """Make sure that each topic is named for one thing, and each event type for a topic that is read.

    Raises:
        StreamError: one topic is two of a stream; or an event type is told of a topic that is not read.
    """
    alarms = [one.topic for one in settings.alarms if one.beside(settings.sink)]
    require_apart([
        *((name, "--from") for name in settings.source.topics), (topics.decisions, "--to"),
        (topics.dead, "--dead-letters"), (topics.order, "--order"), *((name, "--alerts") for name in alarms),
    ])  # fmt: skip
    for name, kind in settings.events.items():
        if name not in settings.source.topics:
            raise StreamError(
                f"{name} is none of the topics that are read.",
                seen=f"--event {name}={kind}",
                do=f"Name one of --from: {', '.join(settings.source.topics)}.",
            )
