"""`tidegate run`: a flow from Kafka topics to a Kafka topic, exactly once."""

import os
import signal
import threading
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer

from tidegate.cli.challenger_beside import (
    ChallengerPlace,
    ShadowPath,
    challenger_beside,
    challenger_figures,
    shadow_of,
)
from tidegate.cli.kafka import TRY_AGAIN, pairs_of, require_client, stream_schemas
from tidegate.cli.logs import LogFormat, write_logs
from tidegate.cli.options import DEFAULT_MODELS, DEFAULT_STORE, FlowPlace, ModelsPath, OtherFlowOk, WithoutModels
from tidegate.cli.shadow import shadow as follow
from tidegate.cli.terminal import aside, ready, several, tell
from tidegate.cli.traces import TracesShare, TracesTo, traces_to
from tidegate.connectors.store_address import Address
from tidegate.errors import StreamError


def run(
    flow: FlowPlace,
    source: Annotated[
        str, typer.Option("--from", help="Where events come from: kafka://HOST:PORT/TOPIC[,TOPIC…]?property=value")
    ],
    sink: Annotated[str, typer.Option("--to", help="Where decisions go: kafka://HOST:PORT/TOPIC")],
    store: Annotated[
        Address,
        typer.Option(
            "--store",
            "-s",
            envvar="TIDEGATE_STORE",
            parser=Address,
            metavar="STORE",
            help="Where decisions are kept; made if it is not there.",
        ),
    ] = DEFAULT_STORE,
    other_flow_ok: OtherFlowOk = False,
    models: ModelsPath = DEFAULT_MODELS,
    without_models: WithoutModels = False,
    group: Annotated[
        str,
        typer.Option(help="Of one group one instance decides, the others stand by; default: tidegate-FLOW-DECISIONS."),
    ] = "",
    event: Annotated[
        list[str], typer.Option("--event", help="The event type of a topic that holds another one: logins=Login.")
    ] = [],
    kafka_config: Annotated[
        Path | None,
        typer.Option(
            "--kafka-config",
            envvar="TIDEGATE_KAFKA_CONFIG",
            help="File of librdkafka's properties, such as those of TLS and SASL.",
        ),
    ] = None,
    value_format: Annotated[
        list[str],
        typer.Option(
            "--value-format",
            help="How messages are written: json (default), avro or protobuf, of all topics; TOPIC=avro, of one.",
        ),
    ] = [],
    schema_registry: Annotated[
        str,
        typer.Option(
            "--schema-registry", envvar="TIDEGATE_SCHEMA_REGISTRY", help="Where schemas are: http(s)://[USER@]HOST:8081"
        ),
    ] = "",
    registry_config: Annotated[
        Path | None,
        typer.Option(
            "--registry-config", help="File of the registry's properties: basic.auth.user.info=…, ssl.ca.location=…"
        ),
    ] = None,
    subject: Annotated[
        list[str], typer.Option("--subject", help="Under what the schema of a topic is registered: payments=Payment.")
    ] = [],
    dead_letters: Annotated[
        str, typer.Option("--dead-letters", help="Topic of what cannot be taken; default: DECISIONS.dead-letters.")
    ] = "",
    order: Annotated[str, typer.Option("--order", help="Topic of the order; default: DECISIONS.order.")] = "",
    begin: Annotated[
        Literal["earliest", "latest"], typer.Option(help="Where a first start begins in the topics.")
    ] = "earliest",
    hold: Annotated[
        float, typer.Option(min=0, help="Seconds for which a lagging partition may hold back the others.")
    ] = 5.0,
    ahead: Annotated[
        float, typer.Option(min=0, help="Seconds that an event's time may be ahead of the clock.")
    ] = 300.0,
    session: Annotated[
        float, typer.Option(min=1, help="Seconds after which an instance that fell silent is replaced.")
    ] = 6.0,
    metrics: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for GET /metrics, /ready and /health; 0: none.")
    ] = 0,
    metrics_host: Annotated[
        str, typer.Option("--metrics-host", help="Address of that port; any but loopback lets others read the figures.")
    ] = "127.0.0.1",
    alerts: Annotated[
        list[str], typer.Option("--alerts", help="Tell these of every decision too; see `tidegate alerts deliver`.")
    ] = [],
    challenger: ChallengerPlace = "",
    shadow: ShadowPath = None,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop when everything that is there was taken.")
    ] = False,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="Only bring the store to where the stream is, and stop.")
    ] = False,
    with_past: Annotated[
        bool,
        typer.Option(
            "--with-past", help="Begin a new stream on a store that holds records: their events are not decided again."
        ),
    ] = False,
    traces: TracesTo = "",
    traces_share: TracesShare = 1.0,
    log_format: LogFormat = "text",
    verbose: Annotated[bool, typer.Option("--verbose", help="Tell more of what goes on.")] = False,
) -> None:
    """Decide the events of topics, and write decisions, offsets and order in one transaction.

    What cannot be taken goes to the topic of dead letters. SIGTERM and Ctrl-C stop it; it goes on where it was. A
    second one of the same group, with a store of its own, stands by and takes over.
    """
    write_logs(log_format, verbose=verbose)
    ready()
    from tidegate.cli.alerts_beside import delivery_beside, left_untold, telling_figures
    from tidegate.events.durations import written
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.models import require_models
    from tidegate.runtimes.sinks import receivers

    if until_end and catch_up:
        raise StreamError(
            "--until-end has no effect with --catch-up, which decides nothing that was not decided.",
            seen="both",
            do="Give --catch-up first and, when it has stopped, --until-end; or leave one of them out.",
        )
    require_client()
    from tidegate.connectors.kafka.cluster import PassingError
    from tidegate.connectors.kafka.place import place, properties
    from tidegate.connectors.kafka.shared import SharedProgress
    from tidegate.runtimes.stream.settings import Settings, group_of
    from tidegate.runtimes.stream.stream import Stream
    from tidegate.runtimes.stream.telling import Telling

    found = load_flow(flow)
    if not without_models:
        require_models(found.definition, models)
    given = properties(kafka_config) if kafka_config is not None else {}
    origin, target = place(source, given), place(sink, given, single=True)
    settings = Settings(
        flow=found, source=origin, sink=target, store=store, models=models, other_flow_ok=other_flow_ok,
        group=group or group_of(found.definition.name, target.topic),
        events=pairs_of(event, "--event", "logins=Login"), dead=dead_letters, order=order, begin=begin, hold=hold,
        ahead=ahead, session=session, until_end=until_end, catch_up=catch_up, without_models=without_models,
        with_past=with_past,
        alarms=[place(one, given, single=True) for one in alerts if urlsplit(one).scheme == "kafka"],
        schemas=stream_schemas(
            value_format, schema_registry, registry_config, [*origin.topics, target.topic],
            pairs_of(subject, "--subject", "payments=Payment"),
        ),
        traces=traces_to(traces, traces_share, found.definition.name),
    )  # fmt: skip
    told = receivers(alerts, kafka_config)
    beside = delivery_beside(alerts, store, found.definition, log_format, kafka_config)
    following = challenger_beside(challenger, store, shadow, models, log_format)
    stop, console = threading.Event(), aside()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        stream = Stream(settings)
    except PassingError as error:
        tell(error)
        raise typer.Exit(TRY_AGAIN) from None
    name, late = found.definition.name, found.definition.deadline
    if late is not None:
        console.print(
            f"The flow's deadline of {written(late.within)} never passes here: on a stream nobody waits, and a backlog "
            "is decided like anything else.",
            style="yellow",
            soft_wrap=True,
        )
    console.print(
        f"{name} stands by: {settings.source} to {settings.sink}, group {settings.group}, "
        f"{several(stream.engine.recovered, 'event')} learned again",
        soft_wrap=True,
        markup=False,
    )
    telling: Telling | None = None
    if beside is not None:
        shared = SharedProgress(stream.cluster, stream.topics.order, settings.group)
        telling = Telling(beside, store, told, shared, lambda: stream.deciding, lambda: stream.past)
        stream.figures.metrics.gauges |= telling_figures(
            telling, store, told, lambda: telling.waits, lambda: stream.held_up is not None
        )
        telling.start()
    if following is not None:
        stream.figures.metrics.gauges |= challenger_figures(following)
        following.start()
    try:
        from tidegate.runtimes.stream.page import serving

        with serving(metrics, stream.figures.metrics, lambda: stream.deciding, metrics_host, lambda: stream.held_up):
            stream.run(stop, ready=lambda: console.print(f"{name} decides"), end=lambda: os._exit(TRY_AGAIN))
        if telling is not None and until_end:
            left = left_untold(telling, store, told, stop)
            if left:
                console.print(f"Others lack {several(left, 'record')}: `tidegate alerts deliver` goes on.")
    finally:
        for companion in (telling, following):
            if companion is not None:
                companion.stop()
        if settings.traces is not None:
            settings.traces.close()
    counted = stream.figures.metrics
    became = [f"{many:,} {word}" for word, many in sorted(counted.outcomes.items())]
    became += [
        f"{many:,} {word}" for word, many in (("learned from", counted.learned), ("repeated", counted.repeated)) if many
    ]
    if letters := stream.figures.letters.total():
        became.append(f"{several(letters, 'dead letter')}, see `tidegate dead-letters show`")
    taken = f"{several(stream.figures.taken, 'message')} taken{': ' + ', '.join(became) if became else ''}"
    if stream.taken_up or catch_up:  # as of an instance that stood by
        up = f"{several(stream.taken_up, 'record')} taken up of what was decided before"
        taken = up if catch_up else f"{taken}; {up}"
    console.print(f"Stopped: {taken}.", soft_wrap=True)
    if challenger and until_end and not stop.is_set():
        follow(challenger, store, Address(str(shadow_of(store, shadow))), models, once=True)
