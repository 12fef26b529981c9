"""Documents: a decision and its event as what people look for them by, the same for every index and receiver."""

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from tidegate.decisions.decision import Decision
from tidegate.events.currency import DECIMALS
from tidegate.events.event import MOST_WHOLE
from tidegate.events.times import rfc3339
from tidegate.evidence.record import Stored

_TOKEN = re.compile(r"\w+")
_DECISION = msgspec.json.Decoder(Decision)
_BODY = msgspec.json.Decoder(dict[str, Any])

OWN = ("id", "kind", "outcome", "level", "flow", "rule", "alarm")
"""Words by which a decision itself is found."""

_TAKEN = {*OWN, "seq", "at", "us", "score", "since", "until"}
MOST_TEXT = 1024
"""The longest text by which a document can be found, in characters; longer ones are cut there."""


class Document(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One decision, to be found again.

    Args:
        seq: its number in the store.
        id: the event's, and so the decision's; the same decision has the same id everywhere.
        at, us: event time, as RFC 3339 UTC and in microseconds since 1970.
        kind: event type.
        outcome, level, score, alarm: the decision's.
        flow: digest of the flow that decided.
        rule: names of the rules that fired, the severest first.
        because: their words.
        words: texts, keys, choices, times and conditions of the event, by field. Of an amount, its currency is
            `amount-currency`.
        numbers: numbers of the event by field; an amount in major units, exact to 15 digits; a whole number beyond
            2**53 is among `words`. In both, a field that has the name of something of the decision's is called
            `event-` and its name.
        text: everything that free words are looked for in, as `tokens` makes them.
    """

    seq: int
    id: str
    at: str
    us: int
    kind: str
    outcome: str
    level: str | None = None
    score: float | None = None
    alarm: bool = False
    flow: str = ""
    rule: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    words: dict[str, str] = {}
    numbers: dict[str, float] = {}
    text: str = ""


def tokens(text: str) -> list[str]:
    """The words of a text as they are compared: letters, digits and `_` together, in lower case."""
    return [found.lower() for found in _TOKEN.findall(text)]


def time_of(at: int) -> str:
    """Microseconds since 1970 as RFC 3339 UTC."""
    return rfc3339(at)


def document(stored: Stored, left_out: Collection[str] = ()) -> Document | None:
    """What a stored decision is found by; None for an event that was only learned from.

    Args:
        stored: the record.
        left_out: fields of the event that no index shall hold.
    """
    if stored.answer is None:
        return None
    decision = _DECISION.decode(stored.answer)
    words, numbers = _fields(_BODY.decode(stored.body), left_out)
    rules = tuple(dict.fromkeys(rule.rule for rule in decision.rules))
    because = tuple(dict.fromkeys(rule.because for rule in decision.rules))
    said = [stored.id, *because, *(reason.words for reason in decision.reasons), *rules, *words.values()]
    return Document(
        seq=stored.seq,
        id=stored.id,
        at=time_of(stored.at),
        us=stored.at,
        kind=stored.kind.partition("@")[0],
        outcome=decision.outcome,
        level=decision.level,
        score=stored.score,
        alarm=stored.alarm,
        flow=stored.flow.hex(),
        rule=rules,
        because=because,
        words=words,
        numbers=numbers,
        text=" ".join(tokens("\n".join(said))),
    )


def _fields(body: Mapping[str, Any], left_out: Collection[str]) -> tuple[dict[str, str], dict[str, float]]:
    words: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for field, value in body.items():
        if field in ("id", "at") or field in left_out or value is None:
            continue
        name = f"event-{field}" if field in _TAKEN else field
        if isinstance(value, bool):
            words[name] = "true" if value else "false"
        elif isinstance(value, (int, float)) and abs(value) <= MOST_WHOLE:
            numbers[name] = value
        elif isinstance(value, Mapping) and value.keys() == {"units", "currency"}:
            numbers[name] = value["units"] / 10 ** DECIMALS.get(value["currency"], 2)
            words[name + "-currency"] = value["currency"]
        else:
            words[name] = str(value)[:MOST_TEXT]
    return words, numbers
