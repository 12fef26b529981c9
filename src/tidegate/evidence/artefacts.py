"""What records rest on beside themselves: the flow that decided, and its models, each kept once by its SHA-256.

A record's seal covers the digest of its flow, and the flow's content names the digests of its models. So the log
vouches for these artefacts too, as long as somebody looks whether they are there and have their digests.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from tidegate.errors import StoreError
from tidegate.evidence.fault import Fault
from tidegate.evidence.record import Row
from tidegate.evidence.tables import RECORDS

MOST_KNOWN = 1000
"""How many digests found right are remembered; beyond them an artefact may be looked at again."""

_FLOW = next(place for place, (name, _, _) in enumerate(RECORDS) if name == "flow")


class Program(msgspec.Struct):
    """What is kept of a flow: its plan, its text, and the digests of its models' artefacts by reference."""

    plan: bytes
    models: dict[str, bytes]


class ArtefactStore(Protocol):
    """What is needed of a store to check its artefacts."""

    def artefact_as_kept(self, digest: bytes) -> bytes | None:
        """The content under this digest, whatever it is; None if there is none."""
        ...


class ArtefactCheck:
    """Looks at the artefacts that records rest on, each when a record first names it; one is in memory at a time.

    Args:
        store: whose artefacts.
    """

    def __init__(self, store: ArtefactStore) -> None:
        self._store = store
        self._known: set[bytes] = set()
        self.fault: Fault | None = None
        """The first artefact found missing, changed or unreadable."""

    def look(self, rows: Sequence[Row]) -> None:
        """Check what these records rest on; their own seals must have been found right."""
        for row in rows:
            flow = row[_FLOW]
            if self.fault is None and isinstance(flow, bytes) and flow and flow not in self._known:
                self.fault = self._of_flow(row, flow)

    def _of_flow(self, row: Row, flow: bytes) -> Fault | None:
        try:
            body = self._store.artefact_as_kept(flow)
            if body is None or sha256(body).digest() != flow:
                return _fault(row, "flow", flow, body)
            for name, digest in _models(body).items():
                if digest in self._known:
                    continue
                body = self._store.artefact_as_kept(digest)
                if body is None or sha256(body).digest() != digest:
                    return _fault(row, f"model {name}", digest, body)
                self._remember(digest)
        except StoreError as error:
            words = f"What record {row[0]} ({row[1]}) rests on cannot be read: {error}"
            return Fault(int(str(row[0])), str(row[1]), "unreadable", words, "artefacts")
        # Last, so that a flow that is known has models that were found right.
        self._remember(flow)
        return None

    def _remember(self, digest: bytes) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(digest)


def _models(flow: bytes) -> dict[str, bytes]:
    """The digests of a flow's models; none where the content is what was sealed, and yet cannot be read."""
    try:
        return msgspec.msgpack.decode(flow, type=Program).models
    except msgspec.DecodeError:
        return {}


def _fault(row: Row, what: str, digest: bytes, found: bytes | None) -> Fault:
    named = f"The {what} that record {row[0]} ({row[1]}) rests on, artefact {digest.hex()},"
    if found is None:
        return Fault(int(str(row[0])), str(row[1]), "removed", f"{named} was removed from the store.", "artefacts")
    words = f"{named} was changed: its content has the digest {sha256(found).hexdigest()}."
    return Fault(int(str(row[0])), str(row[1]), "changed", words, "artefacts")
