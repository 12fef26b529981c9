"""`tidegate dead-letters`: what a stream could not take; to be looked at, mended and sent again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.kafka import require_client
from tidegate.cli.options import AsJson
from tidegate.cli.terminal import aside, emit, next_steps, out, several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidegate.connectors.kafka.cluster import Cluster
    from tidegate.runtimes.stream.dead_letters import DeadLetter

app = typer.Typer(help="What a stream could not take: look at it, mend it, send it again.", no_args_is_help=True)

_Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="kafka://HOST:PORT/DECISIONS.dead-letters")]
_Config = Annotated[Path | None, typer.Option("--kafka-config", help="File of librdkafka's properties.")]


def _letters(topic: str, config: Path | None, begin: int = 0) -> "tuple[Cluster, Iterator[DeadLetter]]":
    require_client()
    from tidegate.connectors.kafka.cluster import Cluster
    from tidegate.connectors.kafka.letters import messages
    from tidegate.connectors.kafka.place import place, properties
    from tidegate.runtimes.stream.dead_letters import read_letter

    where = place(topic, properties(config) if config is not None else {}, single=True)
    cluster = Cluster(where.servers, where.settings)
    found = (read_letter(message) for message in messages(cluster, where.topic, begin))
    return cluster, (one for one in found if one is not None)


@app.command()
def show(
    topic: _Topic,
    code: Annotated[str, typer.Option(help="Only of this reason: contract, future, id-reused, …")] = "",
    begin: Annotated[int, typer.Option("--from-offset", min=0, help="From this dead letter on.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    kafka_config: _Config = None,
    as_json: AsJson = False,
) -> None:
    """Show dead letters, the oldest first: why, where the message lay, and what it held.

    With --json one object a line, which can be edited and given to `send --file`.
    """
    shown = 0
    _, found = _letters(topic, kafka_config, begin)
    for one in found:
        if code and one.code != code:
            continue
        if shown == limit:
            aside().print(f"\nThe first {limit}; more with --from-offset {one.offset}.", style="dim")
            break
        shown += 1
        if as_json:
            emit(_plain(one))
            continue
        from rich.text import Text

        place = f"{one.topic}/{one.partition} offset {one.place}"
        out().print(Text.assemble((str(one.offset), "bold"), f"  {place}  ", (one.code, "yellow")), soft_wrap=True)
        out().print(Text("  " + one.reason), soft_wrap=True)
        held = Text("  " + _text(one.value)[:300], style="dim", overflow="ellipsis", no_wrap=True)
        out().print(held)
    if not shown:
        aside().print("There are no dead letters.", style="green")
    elif not as_json:
        next_steps(
            f"tidegate dead-letters send {topic} --offset N  send one again as it is",
            f"tidegate dead-letters show {topic} --json > letters  to mend them, then: send --file letters",
        )


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


def _plain(one: "DeadLetter") -> dict[str, Any]:
    """As JSON: the value as text where it is UTF-8, else as Base64."""
    from base64 import b64encode

    plain = {"offset": one.offset, "code": one.code, "reason": one.reason, "topic": one.topic}
    plain |= {
        "partition": one.partition,
        "at_offset": one.place,
        "key": _text(one.key) if one.key is not None else None,
    }
    try:
        return plain | {"value": (one.value or b"").decode()}
    except UnicodeDecodeError:
        return plain | {"value_base64": b64encode(one.value or b"").decode()}


@app.command()
def send(
    topic: _Topic,
    offset: Annotated[
        list[int],
        typer.Option("--offset", min=0, help="Send this dead letter again as it is; may be repeated."),
    ] = [],
    code: Annotated[str, typer.Option(help="Send all of this reason again, as they are.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="Send what is in a file that `show --json` wrote and someone mended.")
    ] = None,
    kafka_config: _Config = None,
) -> None:
    """Send messages again to the topics that they came from, with the keys and headers that they had."""
    from tidegate.errors import StreamError

    if sum((bool(offset), bool(code), file is not None)) != 1:
        raise StreamError("Say which are sent.", do="Give one of --offset, --code and --file.")
    cluster, found = _letters(topic, kafka_config)
    letters = {one.offset: one for one in found}
    values: dict[int, bytes] = {}
    if file is not None:
        values = _mended(file)
    elif code:
        values = {number: one.value or b"" for number, one in letters.items() if one.code == code}
    else:
        values = {number: letters[number].value or b"" for number in offset if number in letters}
    unknown = sorted(({*values} | {*offset}) - {*letters})
    if unknown:
        raise StreamError(
            "There is no dead letter at this offset.",
            seen=", ".join(map(str, unknown)),
            do="See `tidegate dead-letters show`.",
        )
    from tidegate.connectors.kafka.letters import send as put

    put(cluster, [(letters[n].topic, letters[n].key, value, letters[n].headers) for n, value in values.items()])
    aside().print(f"{several(len(values), 'message')} sent.", style="green")


def _mended(file: Path) -> dict[int, bytes]:
    """The values by offset of a file of lines of JSON."""
    from base64 import b64decode

    import msgspec

    from tidegate.errors import StreamError

    values = {}
    try:
        for line in file.read_bytes().splitlines():
            if line.strip():
                held = msgspec.json.decode(line)
                value = held.get("value")
                values[int(held["offset"])] = value.encode() if value is not None else b64decode(held["value_base64"])
    except (OSError, ValueError, KeyError, AttributeError, msgspec.DecodeError) as error:
        raise StreamError(
            f"{file} cannot be read.",
            seen=str(error),
            do="Give lines as `tidegate dead-letters show --json` writes them.",
        ) from None
    return values
