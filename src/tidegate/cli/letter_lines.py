"""Dead letters as they are shown, and as lines of JSON that people edit and give back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

    from tidegate.runtimes.stream.dead_letters import DeadLetter


def held(one: "DeadLetter") -> "Text":
    """What a letter holds, or where that is."""
    from rich.text import Text

    if one.left_out is None:
        return shortly(one.value, "  ") if one.value is not None else Text("  no value (a tombstone)", style="dim")
    place = f"{one.topic}/{one.partition} at offset {one.place}"
    larger = f"The message, with a value of {one.left_out:,} bytes, is larger than this topic takes"
    return Text(f"  {larger}: it is only on {place}, where send and repair take it from.", style="yellow")


def shortly(value: bytes | None, before: str, style: str = "dim") -> "Text":
    """The beginning of a value, in a line."""
    from rich.text import Text

    return Text(before + _text(value)[:300], style=style)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


def plain(one: "DeadLetter") -> dict[str, Any]:
    """As JSON: the value as text where it is UTF-8, else as Base64; `left_out` where it is only on the input topic."""
    from base64 import b64encode

    plain: dict[str, Any] = {"offset": one.offset, "code": one.code, "reason": one.reason, "topic": one.topic}
    plain |= {
        "partition": one.partition,
        "at_offset": one.place,
        "key": _text(one.key) if one.key is not None else None,
        "sent": None if one.sent is None else one.sent.isoformat(),
    }
    if one.left_out is not None:
        plain["left_out"] = one.left_out
    try:
        return plain | {"value": one.value if one.value is None else one.value.decode()}
    except UnicodeDecodeError:
        return plain | {"value_base64": b64encode(one.value or b"").decode()}


def mended_values(file: Path) -> dict[int, bytes | None]:
    """The values by offset of a file of lines of JSON; `null` is no value."""
    from tidegate.errors import StreamError
    from tidegate.events.depth import plain_values

    values: dict[int, bytes | None] = {}
    try:
        for line in file.read_bytes().splitlines():
            for number, value in _mended(plain_values(line)).items() if line.strip() else ():
                if values.setdefault(number, value) != value:
                    raise StreamError(
                        f"{file} has dead letter {number} twice, with two values.", do="Leave one of them out."
                    )
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise StreamError(
            f"{file} cannot be read.",
            seen=str(error),
            do="Give lines as `tidegate dead-letters show --json` writes them.",
        ) from None
    return values


def _mended(line: dict[str, Any]) -> dict[int, bytes | None]:
    from base64 import b64decode

    value: str | None = line.get("value")
    if value is not None:
        return {int(line["offset"]): value.encode()}
    none = "value" in line and "value_base64" not in line
    return {int(line["offset"]): None if none else b64decode(line["value_base64"])}
