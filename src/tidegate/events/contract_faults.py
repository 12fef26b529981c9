"""What is wrong with an event, where, and what to write instead: msgspec's errors as `ContractError` with a pointer."""

import re
from typing import Any

import msgspec

from tidegate.errors import ContractError, meant
from tidegate.events.depth import plain_values
from tidegate.events.event import MOST_WHOLE, FieldContract
from tidegate.events.field import Personal
from tidegate.events.types import Kind

_MOST_SHOWN = 60
_MOST_REREAD = 1 << 20
_PATH = re.compile(r"^(.*) - at `\$(.*)`$", re.DOTALL)
_LACKS = re.compile(r"^Object missing required field `(.*)`$", re.DOTALL)
_EXTRA = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "datetime": "a time",
    "object": "an object",
    "array": "an array",
}

_JSON = {"None": "null", "True": "true", "False": "false"}
"""Values as they stand in JSON, where Python writes them otherwise."""

Contract = dict[str, FieldContract]


def pointer(*steps: str) -> str:
    """The JSON Pointer (RFC 6901) that goes down by these names."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def instead(name: str, names: "Contract | list[str]") -> str:
    """What to write instead of a name that is none of `names`."""
    return meant(name, names) or f"There are: {', '.join(names)}."


def shown(value: object, field: FieldContract | None = None) -> str:
    """A value as an error shows it: shortened, and not at all where the contract says that it is personal data."""
    if field is not None and field.about.personal is not Personal.NONE:
        return "a value that is personal data, not shown"
    text = ascii(value) if isinstance(value, str) else _JSON.get(repr(value), repr(value))
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _wanted(field: FieldContract, value: object = None) -> str:
    """What a value of this field looks like; of some that there are, also which one may be meant by `value`."""
    about, kind = field.about, field.type.kind
    if kind is Kind.MONEY:
        currency = about.currency or "EUR"
        return f'Write {{"units": 1234, "currency": "{currency}"}} (minor units) or "12.34 {currency}".'
    if kind is Kind.TIME:
        return "Write a time with its zone (RFC 3339), such as '2026-03-01T12:30:00Z'."
    if field.type.choices:
        near = meant(value, field.type.choices) if isinstance(value, str) else ""
        return f"{near} Write one of: {', '.join(field.type.choices)}.".lstrip()
    if kind is Kind.BOOL:
        return "Write true or false."
    if field.type.is_word or field.name == "id":
        return f"Write text of at most {256 if field.name == 'id' else about.max_length} characters."
    low, high = about.ge, about.le
    if kind is Kind.INT and isinstance(value, int) and abs(value) > MOST_WHOLE and (high if value > 0 else low) is None:
        held = f"Whole numbers lie within 2^53 ({MOST_WHOLE:,}), which floats and JSON hold exactly"
        return f"{held}; a contract has longer ones as texts, or as the keys of an entity."
    limits = " and ".join(
        part for part in ("" if low is None else f"at least {low}", "" if high is None else f"at most {high}") if part
    )
    return f"Write a {'whole ' if kind is not Kind.FLOAT else ''}number{', ' + limits if limits else ''}."


def field_fault(
    event: str, field: FieldContract, wrong: str, value: object, *, inside: str = "", do: str = ""
) -> ContractError:
    """The error for one field of one event: `wrong` is what follows the field's name."""
    return ContractError(
        f"The field {field.name!r} of {event} {wrong}.",
        seen=shown(value, field),
        do=do or _wanted(field, value),
        pointer=pointer(field.name, *([inside] if inside else [])),
    )


def _value_at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value[step] if isinstance(value, dict) else value[int(step)]
    return value


def _reason(message: str) -> str:
    """msgspec's words as ours, to follow the name of a field."""
    message = message.replace("`str | object", "`money")
    if found := re.match(r"Expected `([^`]+)`, got `([^`]+)`", message):
        wanted = [_WORDS.get(word, word) for word in found[1].split(" | ") if word != "null"]
        return f"is {_WORDS.get(found[2], found[2])}, not {' or '.join(wanted)}"
    if found := re.match(r"Expected `(?:str|int|float)` of length (<=|>=) (\d+)", message):
        return "is empty" if found[1] == ">=" else f"is longer than {found[2]} characters"
    if found := re.match(r"Expected `(?:int|float)` (<=|>=|<|>) (\S+)", message):
        return f"is {'above' if found[1][0] == '<' else 'below'} what the contract allows ({found[1]} {found[2]})"
    if "timezone" in message:
        return "has no time zone"
    if message.startswith("Invalid enum value"):
        return "is none of the values there are"
    if "RFC3339" in message:
        return "is not a time"
    return "is out of the range of numbers" if "out of range" in message else f"is wrong: {message}"


def fault(event: str, contract: Contract, error: msgspec.ValidationError, values: Any) -> ContractError:
    """The error for a value that does not keep the contract.

    Args:
        event: the name of the event type.
        contract: its fields.
        error: what msgspec said.
        values: the event as plain values, None when that is not to be had; only to show what was seen.
    """
    message, path = str(error), ""
    if found := _PATH.match(message):
        message, path = found[1], found[2]
    steps = [step[0] or step[1] for step in _STEP.findall(path)]
    # The unknown name is the sender's and may look like a path; only money has fields of its own.
    inside_money = bool(steps) and steps[0] in contract and contract[steps[0]].type.kind is Kind.MONEY
    if extra := _EXTRA.match(message if inside_money else str(error)):
        steps = steps[:1] if inside_money else []
        names: Contract | list[str] = ["units", "currency"] if steps else contract
        return ContractError(
            f"{event} has no field {extra[1][:_MOST_SHOWN]!r}.",
            do=instead(extra[1], names),
            pointer=pointer(*steps, extra[1][:200]),
        )
    if lacks := _LACKS.match(message):
        field = contract.get(steps[0] if steps else lacks[1])
        return ContractError(
            f"The field {lacks[1]!r} of {event} is missing.",
            do="" if field is None else _wanted(field),
            pointer=pointer(*steps, lacks[1]),
        )
    field = contract.get(steps[0]) if steps else None
    if field is None:
        return ContractError(f"{event} is a JSON object.", seen=_reason(message).removeprefix("is ").split(", not")[0])
    try:
        seen: Any = _value_at(values, steps)
    except (TypeError, KeyError, IndexError, ValueError):
        return ContractError(
            f"The field {field.name!r} of {event} {_reason(message)}.", do=_wanted(field), pointer=pointer(*steps)
        )
    inside = steps[1] if len(steps) > 1 else ""
    return field_fault(event, field, _reason(message), seen, inside=inside)


def fault_in_body(event: str, contract: Contract, error: Exception, body: bytes) -> ContractError:
    """The error for bytes that could not be read as an event."""
    if isinstance(error, msgspec.ValidationError):
        values = None
        if len(body) <= _MOST_REREAD:
            try:
                values = plain_values(body)
            except (ValueError, RecursionError):  # the rest of it may be worse; the first fault is the one to tell
                values = None
        return fault(event, contract, error, values)
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8(event, contract, body)
    if isinstance(error, RecursionError):
        return ContractError(f"{event} is nested too deeply.", do="Send an object of plain values.")
    words = str(error).removeprefix("JSON is malformed: ")
    place = re.search(r"\(byte (\d+)\)$", words)
    return ContractError(
        f"{event} is not well-formed JSON.",
        seen=words if body.strip() else "nothing",
        do="Send one JSON object (RFC 8259): no NaN, no infinity, no comments, text in double quotes.",
        pointer=_field_before(contract, body, int(place[1])) if place else "",
    )


def _field_before(contract: Contract, body: bytes, position: int) -> str:
    """The pointer to the field whose value goes wrong at a byte; empty when that cannot be told."""
    before = body[max(0, position - 2 * _MOST_SHOWN) : position].decode(errors="replace")
    found = re.search(r'"(\w+)"\s*:\s*("[^"]*|[^\s",{}]*)$', before)
    return pointer(found[1]) if found and found[1] in contract else ""


def _not_utf8(event: str, contract: Contract, body: bytes) -> ContractError:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return ContractError(
            f"{event} is not text in UTF-8.",
            seen=f"byte 0x{body[error.start]:02x} at byte {error.start}",
            do="Write JSON in UTF-8.",
            pointer=_field_before(contract, body, error.start),
        )
    return ContractError(f"{event} is not text in UTF-8.", do="Write JSON in UTF-8.")
