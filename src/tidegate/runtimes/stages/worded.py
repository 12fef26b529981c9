"""Payloads of rows whose texts windows can give back: the event, and texts by their cells."""

import msgspec


class Worded(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An event as it came, and the wording of its texts and of what windows said, by their cells."""

    body: bytes
    texts: dict[int, str] = {}


_DECODER = msgspec.msgpack.Decoder(Worded)


def worded(payload: bytes) -> Worded:
    """What a payload says; of an empty one, nothing."""
    return _DECODER.decode(payload) if payload else Worded(b"")
