"""Entries to fill a store with."""

from hashlib import sha256

from tidegate.evidence.record import Entry


def entry(number: int, **changes: object) -> Entry:
    body = f'{{"id":"e{number}","amount":{number * 7 % 1000}}}'.encode()
    values: dict[str, object] = {
        "id": f"e{number}",
        "kind": "Payment",
        "at": 1_700_000_000_000_000 + number,
        "digest": sha256(body).digest(),
        "body": body,
        "answer": f'{{"outcome":"approve","number":{number}}}'.encode(),
        "record": b"record %d" % number,
        "outcome": "decline" if number % 10 == 0 else "approve",
        "level": "high" if number % 10 == 0 else "low",
        "score": number / 1000,
        "alarm": number % 10 == 0,
        "flow": b"",
        "elapsed": b"12",
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def entries(first: int, last: int) -> list[Entry]:
    return [entry(number) for number in range(first, last + 1)]
