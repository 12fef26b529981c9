"""What records rest on beside themselves: the flow that decided, and its models, each kept once by its SHA-256.

A record's seal covers the digest of its flow, and the flow's content names the digests of its models. A record's body
may name others, as a statement of the register names a bundle. So the log vouches for these artefacts too, as long as
somebody looks whether they are there and have their digests.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from tidegate.errors import StoreError
from tidegate.evidence.fault import Fault
from tidegate.evidence.record import Row
from tidegate.evidence.tables import RECORDS

MOST_KNOWN = 1000
"""How many digests found right are remembered; beyond them an artefact may be looked at again."""

Named = Callable[[str, bytes], Iterable[tuple[str, bytes]]]
"""What else a record rests on, by its kind and its body: in words, and the digest of each."""

_KIND, _FLOW, _BODY = (
    next(place for place, (name, _, _) in enumerate(RECORDS) if name == wanted) for wanted in ("kind", "flow", "body")
)


def nothing_else(kind: str, body: bytes) -> tuple[()]:
    """Of records of events: they rest on their flow alone."""
    return ()


class Program(msgspec.Struct, omit_defaults=True):
    """What is kept of a flow: its plan, the digests of its models' artefacts by reference, and the names of the flows
    that it challenges."""

    plan: bytes
    models: dict[str, bytes]
    challenges: tuple[str, ...] = ()


class ArtefactStore(Protocol):
    """What is needed of a store to check its artefacts."""

    def artefact_as_kept(self, digest: bytes) -> bytes | None:
        """The content under this digest, whatever it is; None if there is none."""
        ...


class ArtefactCheck:
    """Looks at the artefacts that records rest on, each when a record first names it; one is in memory at a time.

    Args:
        store: whose artefacts.
        named: what records rest on beside their flow.
    """

    def __init__(self, store: ArtefactStore, named: Named = nothing_else) -> None:
        self._store, self._named = store, named
        self._known: set[bytes] = set()
        self.fault: Fault | None = None
        """The first artefact found missing, changed or unreadable."""

    def look(self, rows: Sequence[Row]) -> None:
        """Check what these records rest on; their own seals must have been found right."""
        for row in rows:
            if self.fault is None:
                try:
                    self.fault = self._of_flow(row) or self._of_body(row)
                except StoreError as error:
                    words = f"What record {row[0]} ({row[1]}) rests on cannot be read: {error}"
                    self.fault = Fault(int(str(row[0])), str(row[1]), "unreadable", words, "artefacts")

    def _of_flow(self, row: Row) -> Fault | None:
        flow = row[_FLOW]
        if not isinstance(flow, bytes) or not flow or flow in self._known:
            return None
        body = self._store.artefact_as_kept(flow)
        if body is None or sha256(body).digest() != flow:
            return _fault(row, "flow", flow, body)
        fault = self._of_all(row, ((f"model {name}", digest) for name, digest in _models(body).items()))
        if fault is None:
            self._remember(flow)  # last, so that a flow that is known has models that were found right
        return fault

    def _of_body(self, row: Row) -> Fault | None:
        body = row[_BODY]
        return self._of_all(row, self._named(str(row[_KIND]), body)) if isinstance(body, bytes) else None

    def _of_all(self, row: Row, wanted: Iterable[tuple[str, bytes]]) -> Fault | None:
        for what, digest in wanted:
            if digest in self._known:
                continue
            body = self._store.artefact_as_kept(digest)
            if body is None or sha256(body).digest() != digest:
                return _fault(row, what, digest, body)
            self._remember(digest)
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
