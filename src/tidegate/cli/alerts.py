"""`tidegate alerts`: find decisions again, and tell others of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.logs import LogFormat, write_logs
from tidegate.cli.options import DEFAULT_STORE, AsJson, StoreAddress, opened
from tidegate.cli.terminal import aside, emit, print_lines, several
from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from tidegate.actions.query import Query
    from tidegate.actions.search import Hits
    from tidegate.connectors.alerts_file import AlertsFile
    from tidegate.connectors.store import Store
    from tidegate.runtimes.delivery import Delivery

app = typer.Typer(help="Find decisions again, and tell others of them.", no_args_is_help=True)

_To = Annotated[
    list[str],
    typer.Option(
        "--to",
        help="Where they go; several times for several. elasticsearch://HOST:9200/NAME, opensearch://…, or "
        "https://HOST/PATH (a webhook) or kafka://HOST:9092/TOPIC: these two are told of alarms only.",
    ),
]
_KafkaConfig = Annotated[
    Path | None,
    typer.Option("--kafka-config", envvar="TIDEGATE_KAFKA_CONFIG", help="File of librdkafka's properties, for topics."),
]
_SHOWN = 1000
"""So many that a sink rejected are shown to people."""
_LeftOut = Annotated[str, typer.Option("--leave-out", help="Fields of events that are not sent: card,ip.")]


@app.command()
def search(
    query: Annotated[
        str, typer.Argument(help='What to look for: level:high amount>5000 merchant:"Corner Shop" since:7d')
    ] = "",
    store: StoreAddress = DEFAULT_STORE,
    where: Annotated[
        str,
        typer.Option("--in", help="The index on a server instead: elasticsearch://HOST:9200/NAME or opensearch://…"),
    ] = "",
    facet: Annotated[list[str], typer.Option("--facet", help="Count the most frequent values of this field.")] = [],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many on a page.")] = 20,
    after: Annotated[str, typer.Option(help="Where the page before said that the next one begins.")] = "",
    as_json: AsJson = False,
) -> None:
    """Find decisions, the newest first.

    Without a server they are found in a file beside the store, which is brought up to date first.
    Terms beside each other all hold; OR, NOT (or -) and parentheses mean what they say. field:value, field:a,b,
    field:begin*, field>5, since:7d, until:2026-01-31; other words are looked for in texts and reasons.
    A query that begins with - stands behind all options and --.
    """
    from tidegate.actions.query import parse

    asked = parse(query)
    if where:
        from tidegate.runtimes.sinks import search_server

        server = search_server(where)
        found = server.search(asked, limit=limit, after=after, facets=facet)
        server.close()
    else:
        found = _search_here(store, asked, limit=limit, after=after, facets=facet)
    if as_json:
        from msgspec import to_builtins

        emit(
            {
                "total": found.total,
                "decisions": [to_builtins(one) for one in found.documents],
                "facets": {name: dict(counts) for name, counts in found.facets.items()},
            }
            | ({"more_values": found.cut} if found.cut else {})
            | ({"after": found.after} if found.after else {})
        )
        return
    from tidegate.cli.alerts_shown import show

    show(found, query, store, where, limit)


def _search_here(store: Address, query: "Query", limit: int, after: str, facets: list[str]) -> "Hits":
    """Search the file beside the store, after it was told what is new."""
    from tidegate.connectors.alerts_file import AlertsFile
    from tidegate.connectors.search_sqlite import SqliteIndex
    from tidegate.runtimes.delivery import Delivery

    with opened(store) as kept, AlertsFile.beside(store.place) as file:
        index = SqliteIndex(file)
        _catch_up(Delivery(kept, file, index), "indexed")
        return index.search(query, limit=limit, after=after, facets=facets)


def _catch_up(delivery: "Delivery", word: str) -> None:
    """Tell a sink what is new, and show how far it is when that takes long."""
    behind = delivery.behind
    if behind < 20_000:
        delivery.catch_up()
        return
    from rich.progress import Progress

    with Progress(console=aside(), transient=True) as progress:
        task = progress.add_task(f"{word}: {several(behind, 'record')}", total=behind)
        delivery.catch_up(told=lambda many: progress.advance(task, many))


@app.command()
def deliver(
    to: _To,
    store: StoreAddress = DEFAULT_STORE,
    leave_out: _LeftOut = "",
    kafka_config: _KafkaConfig = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is left to send.")] = False,
    log_format: LogFormat = "text",
    parent: Annotated[int, typer.Option(hidden=True, help="Stop when this process is gone.")] = 0,
) -> None:
    """Tell others of every decision of a store, in its order, and go on as it grows.

    What cannot be sent now is sent later; what a server rejects is held (`tidegate alerts held`). SIGTERM and Ctrl-C
    stop it; it goes on where it was. `tidegate serve --alerts` runs it beside the server.
    """
    import os
    import signal
    import threading

    from tidegate.runtimes.sinks import receivers

    write_logs(log_format)
    receivers(to, kafka_config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened(store) as kept, _file(store) as file:
        deliveries = [_delivery(address, kept, file, leave_out, kafka_config) for address in to]
        console = aside()
        for one in deliveries:
            console.print(
                f"{one.sink.name} is told of {store}; {several(one.behind, 'record')} behind",
                soft_wrap=True,
                markup=False,
            )
        if once:
            for one in deliveries:
                _catch_up(one, "sent")
        else:
            threads = [threading.Thread(target=one.follow, args=(stop,), daemon=True) for one in deliveries]
            for thread in threads:
                thread.start()
            while not stop.wait(0.5):
                if parent and os.getppid() != parent:
                    stop.set()
            for thread in threads:
                thread.join(30)
        for one in deliveries:
            done = one.figures
            words = f"{one.sink.name}: told of {several(done.told, 'decision')}, {one.behind:,} records left to look at"
            console.print(
                words + (f", {done.held:,} rejected and held" if done.held else ""), soft_wrap=True, markup=False
            )
            one.sink.close()


def _file(store: Address) -> "AlertsFile":
    from tidegate.connectors.alerts_file import AlertsFile

    return AlertsFile.beside(store.place)


def _delivery(address: str, kept: "Store", file: "AlertsFile", leave_out: str, kafka_config: Path | None) -> "Delivery":
    from tidegate.runtimes.delivery import Delivery
    from tidegate.runtimes.sinks import sink_at

    sink, alarms = sink_at(address, file, kafka_config)
    left_out = [name.strip() for name in leave_out.split(",") if name.strip()]
    return Delivery(kept, file, sink, alarms=alarms, left_out=left_out)


@app.command()
def status(store: StoreAddress = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """How far each sink was told of a store's decisions, and how many it rejected."""
    from tidegate.connectors.told import Told, sinks

    with opened(store) as kept, _file(store) as file:
        size = kept.head().size
        rows = []
        for name in sinks(file):
            told = Told(file, name)
            marks = told.marks()
            rows.append((name, marks[0][0] if marks else 0, told.how_many_held()))
    if as_json:
        for name, seq, held in rows:
            emit({"sink": name, "told": seq, "behind": max(0, size - seq), "held": held})
        return
    if not rows:
        aside().print("Nobody was told yet.", style="yellow")
        return
    # The name last: it is an address of any length.
    lines = [(f"{seq:,}", f"{max(0, size - seq):,}", f"{held:,}", name) for name, seq, held in rows]
    print_lines(("told up to record", "behind", "held", "sink"), lines, right=(0, 1, 2))


@app.command()
def held(
    store: StoreAddress = DEFAULT_STORE,
    retry: Annotated[str, typer.Option("--retry", help="Send to this address again what it rejected.")] = "",
    leave_out: _LeftOut = "",
    kafka_config: _KafkaConfig = None,
    as_json: AsJson = False,
) -> None:
    """What sinks rejected, with their reasons."""
    from tidegate.connectors.told import Told, sinks

    with opened(store) as kept, _file(store) as file:
        if retry:
            delivery = _delivery(retry, kept, file, leave_out, kafka_config)
            taken, _ = delivery.retry()
            delivery.sink.close()
            aside().print(f"{several(taken, 'decision')} taken now.")
        told = [Told(file, name) for name in sinks(file)]
        many = sum(one.how_many_held() for one in told)
        most = many if as_json else _SHOWN
        found = [each for one in told for each in one.held(limit=most)]
    if as_json:
        for one in found:
            emit(one._asdict())
        return
    if not found:
        aside().print("Nothing is held.", style="green")
        return
    print_lines(("id", "sink", "reason"), [(one.id, one.sink, one.reason) for one in found])
    if many > len(found):
        words = f"\n{len(found):,} of {several(many, 'decision')} held: of each sink the oldest. --json gives all."
        aside().print(words, style="dim", soft_wrap=True)
    raise typer.Exit(1)
