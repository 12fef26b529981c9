"""The register of changes: a sealed log of signed statements, and what follows from them.

It is a store like those of decisions, so it is durable, and `tidegate verify` shows if anyone touched it. Every rule of
who may do what is looked at twice: when a statement is made, and when the register is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from tidegate.connectors.store import Store
from tidegate.errors import ReleaseError
from tidegate.evidence.record import Entry
from tidegate.releases import statement as say
from tidegate.releases.keys import library, public_half
from tidegate.releases.statement import KIND, Change, Signed, Statement, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Person:
    """Someone who may make statements."""

    name: str
    role: str
    key: bytes


@dataclass
class Proposal:
    """A proposed change, and what was said of it since.

    Args:
        id: what it is called: the beginning of the digest of its statement.
        by: who proposed it, and when (microseconds since 1970 UTC).
        change: what is proposed.
        signed: who signed, by role.
        refused: who refused, by role.
    """

    id: str
    by: str
    at: int
    why: str
    change: Change
    signed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The roles whose signature is lacking."""
        return tuple(role for role in self.change.roles if role not in self.signed)

    @property
    def hindrance(self) -> str:
        """Why it may not be released, in words; empty if it may."""
        if self.refused:
            return "refused by " + " and ".join(f"{name} ({role})" for role, name in self.refused.items())
        if self.change.suite is not None and self.change.suite.failed:
            return f"{len(self.change.suite.failed)} of its {self.change.suite.cases} cases fail"
        return f"not signed by {' and '.join(self.lacking)}" if self.lacking else ""


@dataclass(frozen=True)
class Live:
    """The version of a flow that is to decide, and the statement (its number) that made it so."""

    seq: int
    proposal: Proposal


class Register:
    """A register. Made by `Register.open`; may be used as a context manager."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.people: dict[str, Person] = {}
        self.proposals: dict[str, Proposal] = {}
        self.statements: list[Statement] = []
        self._live: dict[str, list[Live]] = {}
        self._read = 0
        self.refresh()

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Self:
        """Open a register, or make it.

        Raises:
            StoreError: it cannot be opened.
            ReleaseError: what it holds does not follow from who may do what, or the package cryptography, which checks
                signatures, is not installed.
        """
        library()
        store = Store.open(path, read_only=read_only)
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.store.close()

    def refresh(self) -> bool:
        """Read what was said since; gives whether there was anything."""
        began = self._read
        for seq, signed in self._since(began):
            try:
                self._follow(seq, signed)
            except ReleaseError as error:
                raise ReleaseError(
                    f"Statement {seq} of the register {self.store.address} does not hold: {error.wrong}",
                    seen=error.seen,
                    do="Someone wrote to it past Tidegate: run `tidegate verify`, and put back a copy.",
                ) from None
            self._read = seq
        return self._read > began

    def _since(self, after: int) -> Iterator[tuple[int, Signed]]:
        sealed = self.store.head().size
        for stored in self.store.replay(after):
            if stored.seq > sealed:
                return
            if stored.kind == KIND:
                yield stored.seq, msgspec.msgpack.decode(stored.body, type=Signed)

    def live(self, flow: str) -> Live | None:
        """The version of a flow that is to decide; None if none was ever released."""
        versions = self._live.get(flow)
        return versions[-1] if versions else None

    def versions(self, flow: str) -> tuple[Live, ...]:
        """Every version that was live, in order; one that came back is there again."""
        return tuple(self._live.get(flow, ()))

    def say(self, said: Statement, key: "Ed25519PrivateKey") -> str:
        """Make a statement; it is sealed and on the disk when this returns.

        Returns:
            The beginning of its digest; of a proposal, what it is called.

        Raises:
            ReleaseError: this person may not say so, now.
        """
        signed = sign(said, key)
        self._check(said, signed, key=public_half(key))
        body = msgspec.msgpack.encode(signed)
        digest = sha256(body).digest()
        self.store.append([Entry(id=digest.hex(), kind=KIND, at=said.at, digest=digest, body=body, flags=0)])
        self.refresh()
        return digest.hex()[:12]

    def proposal(self, id: str) -> Proposal:
        """A proposal by its id, or by the beginning of it.

        Raises:
            ReleaseError: there is none, or more than one.
        """
        found = [one for name, one in self.proposals.items() if id and name.startswith(id)]
        if len(found) == 1:
            return found[0]
        raise ReleaseError(
            f"There is no proposal {id}." if not found else f"Several proposals begin with {id}.",
            seen=", ".join(list(self.proposals)[-5:]) or "no proposals at all",
            do="List them with `tidegate history`.",
        )

    def _follow(self, seq: int, signed: Signed) -> None:
        """Let a statement take effect."""
        said = signed.says()
        self._check(said, signed)
        self.statements.append(said)
        if said.what == say.ADDED:
            self.people[said.person] = Person(said.person, said.role, bytes.fromhex(said.key))
        elif said.what == say.REMOVED:
            del self.people[said.person]
        elif said.what == say.PROPOSED and said.change is not None:
            id = sha256(msgspec.msgpack.encode(signed)).hexdigest()[:12]
            self.proposals[id] = Proposal(id, said.by, said.at, said.why, said.change)
        elif said.what in (say.SIGNED, say.REFUSED):
            proposal = self.proposals[said.proposal]
            (proposal.signed if said.what == say.SIGNED else proposal.refused)[said.role] = said.by
        elif said.what in (say.RELEASED, say.ROLLED_BACK):
            proposal = self.proposals[said.proposal]
            self._live.setdefault(proposal.change.flow, []).append(Live(seq, proposal))

    def _check(self, said: Statement, signed: Signed, key: bytes | None = None) -> None:
        """Raise ReleaseError if this person may not say so."""
        if said.what == say.ADDED and said.person == said.by and said.by not in self.people:
            public = bytes.fromhex(said.key)  # who joins signs with the key that they bring
        else:
            person = self.people.get(said.by)
            if person is None:
                raise ReleaseError(
                    f"The register does not know {said.by}.",
                    seen=", ".join(sorted(self.people)) or "nobody yet",
                    do="`tidegate people add NAME --role ROLE` makes someone known.",
                )
            if said.what not in (say.ADDED, say.REMOVED) and person.role != said.role:
                raise ReleaseError(f"{said.by} speaks as {person.role}.", seen=said.role)
            public = person.key
        if (key is not None and key != public) or not signed.is_by(public):
            raise ReleaseError(f"This is not the key of {said.by}.", do="Give the right one with --key.")
        if said.what == say.ADDED and said.person in self.people:
            raise ReleaseError(f"{said.person} is known already.", do="Take another name, or remove the person first.")
        if said.what == say.REMOVED and said.person not in self.people:
            raise ReleaseError(f"The register does not know {said.person}.")
        if said.what in (say.SIGNED, say.REFUSED, say.RELEASED, say.ROLLED_BACK):
            if said.proposal not in self.proposals:
                raise ReleaseError(f"There is no proposal {said.proposal}.", do="Name it by its whole id.")
            self._check_about(said, self.proposals[said.proposal])

    def _check_about(self, said: Statement, proposal: Proposal) -> None:
        if said.what in (say.SIGNED, say.REFUSED):
            if said.by == proposal.by:
                raise ReleaseError("Nobody signs their own proposal.", seen=f"proposed by {proposal.by}")
            if said.role not in proposal.change.roles:
                raise ReleaseError(
                    f"This proposal is not signed as {said.role}.", seen=f"it needs {', '.join(proposal.change.roles)}"
                )
            if said.role in proposal.signed or said.role in proposal.refused:
                raise ReleaseError(f"Someone has answered as {said.role} already.")
        elif said.what == say.RELEASED:
            self._check_release(proposal)
        elif said.what == say.ROLLED_BACK and proposal.id not in [
            one.proposal.id for one in self.versions(proposal.change.flow)[:-1]
        ]:
            raise ReleaseError(
                f"{proposal.id} was not live before.",
                seen=", ".join(one.proposal.id for one in self.versions(proposal.change.flow)) or "nothing was",
                do="Roll back to a version that was; a new one is proposed and signed.",
            )

    def _check_release(self, proposal: Proposal) -> None:
        if proposal.hindrance:
            raise ReleaseError(f"{proposal.id} may not be released.", seen=proposal.hindrance)
        live = self.live(proposal.change.flow)
        if live is not None and proposal.change.before != live.proposal.change.digest:
            raise ReleaseError(
                f"{proposal.id} was compared with, and signed against, a version that is not live any more.",
                seen=f"{live.proposal.change.digest[:12]} is live, it was {proposal.change.before[:12] or 'none'}",
                do="Propose it again; `tidegate rollback` brings back what was live before.",
            )
