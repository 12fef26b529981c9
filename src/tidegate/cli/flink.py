"""`tidegate flink`: a flow on Flink, from Kafka topics to Kafka topics."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.flink_topics import inputs, require_there, topic
from tidegate.cli.options import DEFAULT_MODELS, FlowPlace, ModelsPath, WithoutModels
from tidegate.cli.terminal import aside
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.runtimes.flink.job import Job
    from tidegate.runtimes.flink.running import Running


_OF_KAFKA, _SHADED = re.compile(r"(?<![\w.])org\.apache\.kafka\."), "org.apache.flink.kafka.shaded.org.apache.kafka."
"""Kafka's own classes, as in a JAAS configuration, and where Flink's connector has them."""

_AGES = 1e12
"""Seconds that no event can be ahead: more than that need not be told."""


def flink(
    flow: FlowPlace,
    sources: Annotated[
        list[str],
        typer.Option("--from", metavar="[EVENT=]URL", help="kafka://HOST:PORT/TOPIC of events, once for each topic."),
    ],
    to: Annotated[str, typer.Option("--to", metavar="URL", help="kafka://HOST:PORT/TOPIC of decisions.")],
    dead_letters: Annotated[
        str, typer.Option("--dead-letters", metavar="TOPIC", help="What cannot be taken; default: TO.dead-letters.")
    ] = "",
    models: ModelsPath = DEFAULT_MODELS,
    without_models: WithoutModels = False,
    parallelism: Annotated[int, typer.Option("--parallelism", "-p", min=1, help="Tasks of each stage.")] = 1,
    shards: Annotated[
        int, typer.Option("--shards", min=1, max=1024, help="Parts of each stage, the most tasks it can ever have.")
    ] = 32,
    out_of_order: Annotated[
        str, typer.Option("--out-of-order", help="How long events of a partition may come after newer ones.")
    ] = "5s",
    idle: Annotated[
        str, typer.Option("--idle", help="When a partition without events holds up the others no longer; 0s: never.")
    ] = "10s",
    ahead: Annotated[
        float, typer.Option(min=0, help="Seconds that an event's time may be ahead of the clock.")
    ] = 300.0,
    remember: Annotated[str, typer.Option("--remember", help="For how long an id is known again.")] = "1d",
    checkpoint: Annotated[
        str, typer.Option("--checkpoint", help="How often decisions are committed, and state is kept.")
    ] = "1s",
    until_now: Annotated[
        bool, typer.Option("--until-now", help="End when everything has been decided that is there at the start.")
    ] = False,
    cluster: Annotated[
        str,
        typer.Option("--cluster", metavar="HOST:PORT", help="A cluster's REST endpoint; without it, one is started."),
    ] = "",
    python: Annotated[
        str, typer.Option("--python", help="On that cluster, the interpreter that has PyFlink and Tidegate.")
    ] = "",
    state: Annotated[str, typer.Option("--state", help="Folder or URL of checkpoints and savepoints.")] = "flink-state",
    savepoint: Annotated[
        str, typer.Option("--from-savepoint", metavar="PATH", help="Go on from a savepoint or a checkpoint.")
    ] = "",
    override: Annotated[
        bool,
        typer.Option("--override", help="With --from-savepoint and --why: go on from a checkpoint that is too old."),
    ] = False,
    why: Annotated[str, typer.Option("--why", help="The reason; it is kept with the job.")] = "",
    name: Annotated[
        str, typer.Option("--group", help="Consumer group; with --to, what transactional ids begin with.")
    ] = "",
    kafka_config: Annotated[
        Path | None, typer.Option("--kafka-config", help="Properties of Kafka's Java clients, as for TLS: name=value.")
    ] = None,
    value_format: Annotated[
        list[str] | None,
        typer.Option("--value-format", help="How messages are written: json alone; others are for `tidegate run`."),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--setting", metavar="NAME=VALUE", help="A setting of Flink's.")
    ] = None,
) -> None:
    """Decide events of Kafka topics on Flink, as `tidegate replay` would, and write the decisions to a topic.

    The first time, an environment with PyFlink is made (840 MB). Events are taken by time, topic, partition and offset.
    Ctrl-C stops the job with a savepoint, and says where it is.
    """
    from rich.markup import escape

    from tidegate.cli.inputs import pairs
    from tidegate.connectors.flink.environment import environment
    from tidegate.connectors.kafka.place import require_apart
    from tidegate.events.durations import microseconds
    from tidegate.runtimes.flink.change import earlier, gone_on, kept_by
    from tidegate.runtimes.flink.expiry import require_fresh
    from tidegate.runtimes.flink.job import Input, Job, prefix_of
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.models import require_models
    from tidegate.runtimes.stages.staging import Staging

    _require_json(value_format or ())
    made = load_flow(flow)
    staging = Staging(made.plan, shards)
    if parallelism > shards:
        raise TidegateError(
            "There cannot be more tasks than shards.",
            seen=f"{parallelism} of {shards}",
            do="Start anew with more --shards.",
        )
    if until_now and savepoint:
        raise TidegateError(
            "Where a job ends is kept in its savepoint: one that had no end gets none by --until-now.",
            do="Leave out --until-now and stop it with Ctrl-C, or leave out --from-savepoint.",
        )
    if override and not (savepoint and why.strip()):
        raise TidegateError(
            "--override goes with --from-savepoint and --why.",
            do='Give all three: --from-savepoint PATH --override --why "…".',
        )
    out = topic(to)
    read, servers = inputs(made.definition, sources)
    if servers != out.servers:
        raise TidegateError("Events and decisions are in one cluster of Kafka.", seen=f"{servers} and {out.servers}")
    dead = dead_letters or f"{out.topic}.dead-letters"
    require_apart([*((one, "--from") for one, _ in read), (out.topic, "--to"), (dead, "--dead-letters")])
    properties, settings = _properties(kafka_config), pairs(setting, "--setting")
    span = {
        name: microseconds(said)
        for name, said in (
            ("late", out_of_order),
            ("idle", "1s" if idle in ("0", "0s") else idle),
            ("id", remember),
            ("kept", checkpoint),
        )
    }
    if made.definition.models and not without_models:
        require_models(made.definition, models)
    folder = Path(state if "://" not in state else "flink-state").resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TidegateError(
            f"{folder} cannot be made.", seen=str(error), do="Name another folder with --state."
        ) from None
    say = _sayer()
    before = earlier(folder, savepoint) if savepoint else None
    aged = require_fresh(savepoint, before, why if override else "")
    if aged:
        say(escape(aged))
    topics = [*(one for one, _ in read), out.topic, dead]
    require_there(servers, topics, properties, say, elsewhere=bool(cluster))
    env = environment(say)
    group = name or f"tidegate-{made.definition.name}"
    job = Job(
        flow=str(Path(flow.rpartition(":")[0] or flow).resolve()) + _class(flow) if ".py" in flow else flow,
        digest=made.definition.digest,
        models=str(models.resolve()) if made.definition.models else "",
        without_models=without_models,
        servers=servers,
        inputs=[Input(one, kind) for one, kind in read],
        output=out.topic,
        dead_letters=dead,
        name=group,
        transactions=prefix_of(group, out.topic),
        jars=[str(jar) for jar in env.jars] + ([_python_jar(env)]),
        python=python or str(env.python),
        state=state if "://" in state else f"file://{folder}",
        properties=properties,
        shards=shards,
        parallelism=parallelism,
        out_of_order=span["late"] // 1000,
        idle=0 if idle in ("0", "0s") else span["idle"] // 1000,
        ahead=int(min(ahead, _AGES) * 1000),
        remember=span["id"],
        checkpoint=span["kept"] // 1000,
        bounded=until_now,
        savepoint=savepoint,
        why=why if override else "",
        settings=settings,
        stages=kept_by(made.definition, staging),
    )
    for number, stage in enumerate(staging.names()):
        say(f"stage {number}: {stage}")
    if before is not None:
        job, words = gone_on(before, job)
        for line in words:
            say(line)
    _run(job, env, folder, cluster, say)


def _require_json(formats: Sequence[str]) -> None:
    """Refuse what Flink's part of a job cannot read: it looks for id and time before any of our code is asked."""
    for given in formats:
        if given.rpartition("=")[2] != "json":
            raise TidegateError(
                "A job on Flink reads JSON: it takes events by their id and time, which Java looks for in the message.",
                seen=f"--value-format {given}",
                do="Decide topics in Avro or Protobuf with `tidegate run`, which reads them with the registry; or have "
                "them written as JSON to another topic, and name that one.",
            )


def _class(flow: str) -> str:
    return ":" + flow.rpartition(":")[2] if flow.rpartition(":")[2].isidentifier() and ":" in flow else ""


def _python_jar(env: Any) -> str:
    """Flink's own archive of what runs Python, which a cluster does not have unless it is sent along."""
    return str(next((env.home / "opt").glob("flink-python-*.jar")))


def _sayer() -> Callable[[str], None]:
    console = aside()
    return lambda words: console.print(f"[dim]·[/] {words}", soft_wrap=True, highlight=False)


def _properties(path: Path | None) -> dict[str, str]:
    from tidegate.connectors.kafka.place import lines_of

    found = lines_of(path) if path is not None else {}
    return {name: _OF_KAFKA.sub(_SHADED, value) for name, value in found.items()}


def _run(job: "Job", env: Any, folder: Path, address: str, say: Callable[[str], None]) -> None:
    from tidegate.connectors.flink.cluster import Cluster
    from tidegate.runtimes.flink.running import Running

    own = None
    if not address:
        say("starting Flink on this machine")
        own = Cluster(env, folder / "cluster", slots=job.parallelism)
    try:
        if own is not None:
            own.start()
        running = Running(job, env, folder, address or (own.address if own else ""), own)
        running.submit()
        say(f"job {running.id} runs at http://{running.rest.address}; Ctrl-C stops it with a savepoint")
        _watch(running)
    finally:
        if own is not None:
            own.stop()


def _watch(running: "Running") -> None:
    from rich.markup import escape

    console, causes = aside(), [""]
    try:
        with console.status("starting") as status:

            def tell(state: str, taken: int) -> None:
                status.update(f"{state.lower()}: {taken:,} events read")
                cause = running.failure() if state == "RESTARTING" else ""
                if cause and cause != causes[-1]:
                    causes.append(cause)
                    said = "[yellow]The job failed, and goes on from its last checkpoint:[/]"
                    console.print(said, escape(cause), soft_wrap=True)
                lost = running.lost()
                if lost:
                    console.print(f"[red]{escape(lost)}[/]", soft_wrap=True)
                standing = running.standing(state)
                if standing:
                    console.print(f"[yellow]{escape(standing)}[/]", soft_wrap=True)

            running.watch(tell)
        console.print("Everything that was there has been decided.")
    except KeyboardInterrupt:
        console.print("stopping with a savepoint")
        console.print(f"Stopped. Go on with --from-savepoint {running.stop()}", soft_wrap=True)


__all__ = ["flink"]
