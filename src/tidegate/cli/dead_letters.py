"""`tidegate dead-letters`: what a stream could not take; to be looked at, mended and sent again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.kafka import require_client
from tidegate.cli.letter_lines import held, mended_values, plain, shortly
from tidegate.cli.options import AsJson
from tidegate.cli.terminal import aside, emit, next_steps, out, quoted, several
from tidegate.runtimes.letter_headers import CODES, OF_JOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tidegate.connectors.kafka.cluster import Cluster
    from tidegate.connectors.kafka.writer import Out
    from tidegate.runtimes.stream.dead_letters import DeadLetter
    from tidegate.runtimes.stream.repair import Changes

    _At = Callable[[str, int, int], Any]
    """What gives the message at a place."""
    _Chosen = list[tuple[DeadLetter, bytes | None]]
    """Letters, and what each is to hold when it is sent."""

app = typer.Typer(help="What a stream could not take: look at it, mend it, send it again.", no_args_is_help=True)

_CODES = tuple(sorted((*CODES, *OF_JOBS)))
_Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="kafka://HOST:PORT/DECISIONS.dead-letters")]
_Config = Annotated[
    Path | None,
    typer.Option("--kafka-config", envvar="TIDEGATE_KAFKA_CONFIG", help="File of librdkafka's properties."),
]


def _cluster(topic: str, config: Path | None) -> "tuple[Cluster, str]":
    require_client()
    from tidegate.connectors.kafka.cluster import Cluster
    from tidegate.connectors.kafka.place import place, properties

    where = place(topic, properties(config) if config is not None else {}, single=True)
    return Cluster(where.servers, where.settings), where.topic


def _letters(topic: str, config: Path | None) -> "list[DeadLetter]":
    cluster, name = _cluster(topic, config)
    from tidegate.connectors.kafka.content import messages
    from tidegate.connectors.kafka.letters import GROUP
    from tidegate.errors import StreamError
    from tidegate.runtimes.stream.dead_letters import read_letters

    there = 0

    def counted() -> "Iterator[Any]":
        nonlocal there
        for message in messages(cluster, name, GROUP):
            there += 1
            yield message

    found = read_letters(counted())
    if there and not found:
        raise StreamError(
            f"{name} holds no dead letters.", seen=several(there, "message"),
            do="Name the topic that has them: DECISIONS.dead-letters, or what --dead-letters of `tidegate run` says.",
        )  # fmt: skip
    return found


@app.command()
def show(
    topic: _Topic,
    code: Annotated[str, typer.Option(help=f"Only of this reason: {', '.join(_CODES)}.")] = "",
    begin: Annotated[int, typer.Option("--from-offset", min=0, help="From this dead letter on.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    unsent: Annotated[bool, typer.Option("--unsent", help="Only those that were not sent again.")] = False,
    kafka_config: _Config = None,
    as_json: AsJson = False,
) -> None:
    """Show dead letters, the oldest first: why, where the message lay, what it held, and whether it was sent again.

    With --json one object a line, which can be edited and given to `send --file`.
    """
    shown, letters = 0, _letters(topic, kafka_config)
    _require_code(code, letters)
    for one in letters:
        if (code and one.code != code) or one.offset < begin or (unsent and one.sent is not None):
            continue
        if shown == limit:
            aside().print(f"\nThe first {limit}; more with --from-offset {one.offset}.", style="dim")
            break
        shown += 1
        if as_json:
            emit(plain(one))
            continue
        _show(one)
        out().print(held(one), soft_wrap=True)
    if not shown:
        others = f" like this; there are {several(len(letters), 'other')}" if letters else ""
        aside().print(f"There are no dead letters{others}.", style="green")
    elif not as_json:
        config = f" --kafka-config {quoted(kafka_config)}" if kafka_config is not None else ""
        at = quoted(topic) + config
        next_steps(
            f"tidegate dead-letters send {at} --offset N  send one again as it is",
            f"tidegate dead-letters repair {at} --offset N --set FIELD=VALUE  see what a change makes of it",
            f"tidegate dead-letters show {at} --json > letters  to mend them by hand, then: send --file letters",
        )


def _require_code(code: str, letters: "list[DeadLetter]") -> None:
    """Refuse a reason that no dead letter can have; one that is here has been given by another version."""
    from tidegate.errors import StreamError, meant

    there = sorted({one.code for one in letters})
    if code and code not in (*_CODES, *there):
        raise StreamError(
            f"No dead letter has the reason {code!r}.",
            seen=f"those on the topic: {', '.join(there) or 'none'}",
            do=f"{meant(code, [*_CODES, *there])} There are: {', '.join(_CODES)}.".strip(),
        )


def _show(one: "DeadLetter") -> None:
    """Where it lay and why it was not taken."""
    from rich.text import Text

    place = f"{one.topic}/{one.partition} offset {one.place}"
    sent = f"  sent again {one.sent:%Y-%m-%d %H:%M:%S} UTC" if one.sent is not None else ""
    out().print(
        Text.assemble((str(one.offset), "bold"), f"  {place}  ", (one.code, "yellow"), (sent, "green")), soft_wrap=True
    )
    out().print(Text("  " + one.reason), soft_wrap=True)


_Offsets = Annotated[list[int], typer.Option("--offset", min=0, help="This dead letter; may be repeated.")]
_Code = Annotated[str, typer.Option(help="All of this reason that were not sent.")]


@app.command()
def repair(
    topic: _Topic,
    offset: _Offsets = [],
    code: _Code = "",
    put: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Give a field this value, JSON or text; 'card=\"77\"' for digits as text.",
        ),
    ] = [],
    rename: Annotated[
        list[str], typer.Option("--rename", metavar="OLD=NEW", help="Call a field by another name.")
    ] = [],
    remove: Annotated[list[str], typer.Option("--remove", metavar="FIELD", help="Leave a field out.")] = [],
    flow: Annotated[str, typer.Option("--flow", metavar="FLOW", help="Try them by this flow's contracts.")] = "",
    event: Annotated[
        list[str], typer.Option("--event", metavar="TOPIC=EVENT", help="As it was told to `tidegate run`.")
    ] = [],
    sending: Annotated[
        bool, typer.Option("--send", help="Send those again that are good; else they are shown.")
    ] = False,
    kafka_config: _Config = None,
) -> None:
    """Change fields of dead letters, see what comes of it, and with --send send them again, each once.

    A name with dots leads into an object: amount.currency. What is sent carries its bytes from before in the header
    tidegate-original, and the letter stays as it is, marked as sent.
    """
    from tidegate.connectors.kafka.letters import originals
    from tidegate.runtimes.stream.repair import Repaired, repaired

    changes, read = _changes(put, rename, remove), _reader(flow, event) if flow else None
    found: list[Repaired] = []

    def choose(letters: "list[DeadLetter]", at: "_At") -> "_Chosen":
        found[:] = repaired(_chosen(letters, offset, code), changes, read, at)
        return [(one.letter, one.value) for one in found if not one.fault]

    if sending:
        _send(topic, kafka_config, choose)
    else:
        with originals(_cluster(topic, kafka_config)[0]) as at:
            choose(_letters(topic, kafka_config), at)
    for one in found:
        _show(one.letter)
        if one.value == one.letter.value:
            out().print(held(one.letter) if one.value is None else shortly(one.value, "  "), soft_wrap=True)
        else:
            out().print(shortly(one.letter.value, "  - ", "red"), soft_wrap=True)
            out().print(shortly(one.value, "  + ", "green"), soft_wrap=True)
        if one.fault:
            out().print(f"  still not good: {one.fault}", style="yellow", markup=False, soft_wrap=True)
    good = sum(not one.fault for one in found)
    tried = "good" if flow else "changed; --flow FLOW tries them by its contracts"
    aside().print(f"{good:,} of {several(len(found), 'letter')} {'sent' if sending else tried}.", style="green")
    if sending and good < len(found):
        raise typer.Exit(1)
    if good and not sending:
        next_steps("the same with --send  send these again, each once")


def _changes(put: list[str], rename: list[str], remove: list[str]) -> "Changes":
    import msgspec

    from tidegate.cli.inputs import pairs
    from tidegate.runtimes.stream.repair import Changes

    def json(text: str) -> bytes:
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError:
            return msgspec.json.encode(text)
        return text.encode()

    given = {name: json(value) for name, value in pairs(put, "--set").items()}
    return Changes(pairs(rename, "--rename"), remove, given)


def _reader(flow: str, event: list[str]) -> "Callable[[Any], tuple[Any, int | None]]":
    """What reads a message as the stream of this flow would."""
    from tidegate.cli.inputs import pairs
    from tidegate.runtimes.engine import Engine
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.stream.reading import Reading

    engine = Engine(load_flow(flow))
    own = engine.definition.event.__name__
    return Reading(engine.readers, own, pairs(event, "--event"), engine.require).read


def _chosen(letters: "list[DeadLetter]", offsets: list[int], code: str) -> "list[DeadLetter]":
    """The letters at these offsets, or all of a reason that were not sent."""
    from tidegate.errors import StreamError

    if bool(offsets) == bool(code):
        raise StreamError("Say which are meant.", do="Give either --offset or --code.")
    if code:
        _require_code(code, letters)
        found = [one for one in letters if one.code == code and one.sent is None]
        if not found:
            codes = sorted({one.code for one in letters if one.sent is None})
            raise StreamError(
                f"No dead letter of {code} is left to be sent.", seen=f"unsent are: {', '.join(codes) or 'none'}"
            )
        return found
    by_offset = {one.offset: one for one in letters}
    _require_all(offsets, by_offset)
    return [by_offset[number] for number in dict.fromkeys(offsets)]


def _require_all(offsets: "Iterable[int]", there: "dict[int, DeadLetter]") -> None:
    from tidegate.errors import StreamError

    unknown = sorted({*offsets} - {*there})
    if unknown:
        raise StreamError(
            "There is no dead letter at this offset.",
            seen=", ".join(map(str, unknown)),
            do="See `tidegate dead-letters show`.",
        )


def _send(topic: str, config: Path | None, choose: "Callable[[list[DeadLetter], _At], _Chosen]") -> int:
    """Send what is chosen from all letters, each once and marked; gives how many."""
    cluster, name = _cluster(topic, config)
    from tidegate.connectors.kafka.letters import originals, send_once
    from tidegate.connectors.kafka.limits import takes
    from tidegate.connectors.kafka.writer import LARGEST
    from tidegate.runtimes.stream.dead_letters import read_letters
    from tidegate.runtimes.stream.repair import outgoing

    def every(found: "Iterable[Any]") -> "Sequence[Out]":
        letters = read_letters(found)
        with originals(cluster) as at:
            chosen = choose(letters, at)
        there = cluster.topics()
        room = takes(cluster, [one for one in {name, *(letter.topic for letter, _ in chosen)} if one in there])
        messages = outgoing(name, chosen, letters, lambda topic: room.get(topic, LARGEST))
        # A topic that was made anew with fewer partitions goes by keys.
        return [one if one.partition < there.get(one.topic, 0) else one._replace(partition=-1) for one in messages]

    return send_once(cluster, name, every) // 2


@app.command()
def send(
    topic: _Topic,
    offset: _Offsets = [],
    code: _Code = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="What is in a file that `show --json` wrote and someone mended.")
    ] = None,
    kafka_config: _Config = None,
) -> None:
    """Send messages again to the topics that they came from, with the keys and headers that they had.

    All or none are sent, each once: a letter that was sent is refused. If it cannot be taken again, it becomes another
    letter.
    """
    from tidegate.errors import StreamError
    from tidegate.runtimes.stream.dead_letters import filled

    if sum((bool(offset), bool(code), file is not None)) != 1:
        raise StreamError("Say which are sent.", do="Give one of --offset, --code and --file.")
    mended = mended_values(file) if file is not None else {}

    def choose(letters: "list[DeadLetter]", at: "_At") -> "_Chosen":
        if file is None:
            return [(one, one.value) for one in (filled(one, at) for one in _chosen(letters, offset, code))]
        by_offset = {one.offset: one for one in letters}
        _require_all(mended, by_offset)
        pairs = [(filled(by_offset[number], at), value) for number, value in mended.items()]
        return [(one, one.value if value is None and one.left_out is not None else value) for one, value in pairs]

    aside().print(f"{several(_send(topic, kafka_config, choose), 'message')} sent.", style="green")
