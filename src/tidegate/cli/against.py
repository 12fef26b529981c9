"""`tidegate replay --against`: the decisions of a replay beside those that lie on a topic or in a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.terminal import aside, out, several
from tidegate.connectors.store_address import Address
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.connectors.schemas.written import WrittenDecisions
    from tidegate.connectors.store import Store
    from tidegate.decisions.flow import Flow
    from tidegate.runtimes.agreement import Agreement
    from tidegate.runtimes.claims import Claim
    from tidegate.runtimes.models import Models

Against = Annotated[
    str,
    typer.Option(
        "--against",
        metavar="DECISIONS",
        help="Compare with the decisions on a topic, kafka://HOST:PORT/TOPIC, or in a file, .ndjson or .ndjson.gz: "
        "the exit code is 1 unless each is there once, byte for byte.",
    ),
]
Recorded = Annotated[
    Address | None,
    typer.Option(
        "--recorded",
        parser=Address,
        metavar="STORE",
        help="With --against, instead of files: the events that this store recorded, in its order.",
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--since",
        help="With --against: decisions on events before then need not be there: 2025-09-10, or 2h before the newest.",
    ),
]
KafkaConfig = Annotated[
    Path | None,
    typer.Option(
        "--kafka-config", envvar="TIDEGATE_KAFKA_CONFIG", help="With --against: file of librdkafka's properties."
    ),
]
SchemaRegistry = Annotated[
    str,
    typer.Option(
        "--schema-registry",
        envvar="TIDEGATE_SCHEMA_REGISTRY",
        help="With --against a topic of decisions in Avro or Protobuf: http(s)://[USER@]HOST:8081",
    ),
]
RegistryConfig = Annotated[
    Path | None, typer.Option("--registry-config", help="With --schema-registry: file of the registry's properties.")
]
_SAID = {
    "different": "there with other bytes",
    "lost": "decided by the replay, and not there",
    "repeated": "there again",
    "unknown": "there, and not decided by the replay",
    "strange": "there, and no decision",
}


def claims_in(against: str, kafka_config: Path | None) -> "Iterable[Claim]":
    """The decisions to compare with; to be called before the replay begins, and read after it.

    Raises:
        TidegateError: there is no such topic or file.
    """
    from tidegate.runtimes.agreement import OnTopic, in_file

    if "://" in against:
        from tidegate.cli.kafka import require_client

        require_client()
        from tidegate.connectors.kafka.place import place, properties

        return OnTopic(place(against, properties(kafka_config) if kafka_config is not None else {}, single=True))
    path = Path(against)
    if not path.name.endswith((".ndjson", ".ndjson.gz")) or not path.is_file():
        raise TidegateError(
            f"There are no decisions {against}.",
            do="Name a topic, kafka://HOST:PORT/TOPIC, or a file of one decision a line, .ndjson or .ndjson.gz.",
        )
    return in_file(path)


def by_registry(against: str, url: str, config: Path | None) -> "WrittenDecisions | None":
    """What reads decisions on a topic that name a schema; None without a registry, and of a file.

    Raises:
        StreamError: the registry's address or its properties are none.
    """
    if not url or "://" not in against:
        return None
    from tidegate.connectors.kafka.place import lines_of
    from tidegate.connectors.schemas.registry import Registry
    from tidegate.connectors.schemas.written import WrittenDecisions

    return WrittenDecisions(Registry(url, lines_of(config) if config is not None else {}))


def require_fitting(files: Sequence[Path], against: str, recorded: Address | None, since: str,
                    of_files: Mapping[str, object]) -> None:  # fmt: skip
    """Make sure that there is something to replay, and that what was said goes together.

    Args:
        files: of events.
        against, recorded, since: as the options have them.
        of_files: by option what was said of files, or is worked out from them alone.

    Raises:
        TidegateError: it does not.
    """
    if not files and recorded is None:
        raise TidegateError(
            "There is nothing to replay.",
            do="Name files of past events; or, to compare with --against, the store that has them with --recorded.",
        )
    if not against and (recorded is not None or since):
        raise TidegateError(
            "--recorded and --since say how to compare.",
            do="Say with what: --against kafka://HOST:PORT/TOPIC, or --against decisions.ndjson.",
        )
    if since:
        from tidegate.cli.decisions import since_of

        since_of(since)  # now, and not when all was decided
    if recorded is None:
        return
    given = [option for option, value in of_files.items() if value]
    if files or given:
        raise TidegateError(
            "With --recorded the events are those of the store, and decided again only to be compared.",
            seen=" ".join([*map(str, files), *given]),
            do="Leave that out; or name files of events and leave out --recorded.",
        )


@contextmanager
def replays_store(store: Address | None) -> "Iterator[Store]":
    """Where the replay's decisions are kept to be compared: an empty store, or one that is gone afterwards.

    Raises:
        TidegateError: it has records, whose decisions would not be made anew.
    """
    from tempfile import TemporaryDirectory

    from tidegate.connectors.store import Store

    with (
        TemporaryDirectory(prefix="tidegate-") as folder,
        Store.open(store if store is not None else Address(f"{folder}/replay.db")) as kept,
    ):
        if kept.head().size:
            raise TidegateError(
                f"What is in the store {store} would be compared, and not decided anew.",
                seen=f"{kept.head().size:,} records",
                do="Name a store that is not there yet, or none. To decide again what a store recorded, name it with "
                "--recorded.",
            )
        if store is None:
            kept.sync_apart()  # nobody needs it after a fall
        yield kept


def compare_recorded(flow: "type[Flow[Any]]", models: "Models", recorded: Address, store: Address | None,
                     claims: "Iterable[Claim]", since: str, written: "WrittenDecisions | None", *,
                     quiet: bool) -> "Agreement":  # fmt: skip
    """What a store recorded, decided again and set beside the other decisions; `store` is where it is kept."""
    from tidegate.cli.options import opened

    with replays_store(store) as kept, opened(recorded) as source:
        decide_recorded(flow, models, source, kept, quiet=quiet)
        return compared(kept, claims, since, written, source)


def decide_recorded(flow: "type[Flow[Any]]", models: "Models", source: "Store", kept: "Store", *,
                    quiet: bool) -> None:  # fmt: skip
    """Decide again what a store recorded, in its order; say what of it cannot be."""
    from tidegate.cli.inputs import progress
    from tidegate.runtimes.engine import Engine
    from tidegate.runtimes.shadow import Shadow

    following = Shadow(source, Engine(flow, models=models, store=kept), kept)
    with progress(f"Replaying {flow.definition.name}", following.behind, quiet=quiet) as told:
        following.catch_up(told=told)
    if following.followed.unknown:
        left = several(following.followed.unknown, "record")
        aside().print(
            f"[yellow]{left} of {source.address} cannot be decided again[/]: erased, or of no use to this flow. What "
            "rests on them comes out otherwise.", soft_wrap=True,
        )  # fmt: skip


def compared(kept: "Store", claims: "Iterable[Claim]", since: str, written: "WrittenDecisions | None",
             recorded: "Store | None" = None) -> "Agreement":  # fmt: skip
    """The replay's decisions beside the others; `recorded` is the store whose events were decided again, if one's."""
    from tidegate.cli.decisions import begin_of
    from tidegate.runtimes.agreement import agreement

    return agreement(kept, claims, begin_of(kept, since), recorded, written)


def plain(against: str, found: "Agreement") -> dict[str, Any]:
    """The same for scripts."""
    from dataclasses import asdict

    return {"decisions": against, "whole": found.whole} | asdict(found)


def show(against: str, found: "Agreement", recorded: Address | None = None) -> None:
    """Say what is equal and what is not; `recorded` is the store whose events were decided again, if one's."""
    from rich.table import Table
    from rich.text import Text

    shown = against.partition("?")[0]
    table = Table(
        title=Text(f"against {shown}", "bold"), title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0),
        pad_edge=False,
    )  # fmt: skip
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row(Text("equal", "green"), f"{found.equal:,}", f"of {found.decided:,}, byte for byte")
    for name, some in found.faults.items():
        if some.many:
            first = "\n".join([*some.first, *(["…"] if some.many > len(some.first) else [])])
            table.add_row(Text(name, "red"), f"{some.many:,}", Text(f"{_SAID[name]}:\n{first}"))
    if found.earlier:
        table.add_row(Text("earlier", "dim"), f"{found.earlier:,}", "before --since, and not there")
    if found.erased:
        table.add_row(Text("erased", "dim"), f"{found.erased:,}", "from the store, and so not decided again")
    if found.newer:
        table.add_row(Text("newer", "dim"), f"{found.newer:,}", "came while this ran")
    out().print()
    out().print(table)
    if found.whole:
        else_is = "nothing else is" if not found.erased else "beside them only what was erased is"
        aside().print(f"[bold green]Each decision of the replay is there once[/], and {else_is}.", soft_wrap=True)
    elif not found.decided:
        aside().print("[bold red]The replay decided nothing[/], so there is nothing to compare.", soft_wrap=True)
    elif found.lost.many and not found.faults["unknown"].many:
        aside().print("If retention has taken the oldest, say with --since from when on they must be there.")
    if recorded is not None and found.unknown.many:
        aside().print(
            f"If {recorded} is behind the stream, bring it there first: its `tidegate run` with --catch-up.",
            soft_wrap=True,
        )
