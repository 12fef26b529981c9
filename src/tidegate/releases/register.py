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
from tidegate.releases.people import People, Person
from tidegate.releases.statement import EDITION, KIND, Change, Signed, Statement, sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SHORT = 12
"""How many digits of a proposal's id are shown."""


@dataclass
class Proposal:
    """A proposed change, and what was said of it since.

    Args:
        id: what it is called: the digest of its statement and signature, in hexadecimal.
        by: who proposed it, and when (microseconds since 1970 UTC).
        change: what is proposed.
        signed: who signed, by role.
        refused: who refused, by role.
        spoken: the names and keys of who proposed it and who answered.
    """

    id: str
    by: str
    at: int
    why: str
    change: Change
    signed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    spoken: set[str | bytes] = field(default_factory=set)

    @property
    def short(self) -> str:
        """The beginning of its id, for people to read and to type."""
        return self.id[:SHORT]

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

    @property
    def warning(self) -> str:
        """What whoever lets it out should know, in words; empty if there is nothing."""
        found = (
            [] if self.change.roles else ["it demands nobody's signature, so nobody but its author has looked at it"]
        )
        found += [f"the reasons of {name} are not known to hold" for name in self.change.reasons_lacking]
        return ", and ".join(found)


@dataclass(frozen=True)
class Live:
    """The version of a flow that is to decide, and the statement that made it so.

    Args:
        seq: the statement's number.
        proposal: the version.
        by, at: who said so, and when (microseconds since 1970 UTC).
        back: whether a change was taken back by it.
    """

    seq: int
    proposal: Proposal
    by: str
    at: int
    back: bool


class Register:
    """A register. Made by `Register.open`; may be used as a context manager."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._people = People()
        self._edition = 1
        self._shorts: dict[str, Proposal] = {}
        self.proposals: dict[str, Proposal] = {}
        self.statements: list[Statement] = []
        self._live: dict[str, list[Live]] = {}
        self._demands: dict[str, tuple[str, ...]] = {}
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

    @property
    def people(self) -> dict[str, Person]:
        """Who is known, by name."""
        return self._people.known

    @property
    def waiting(self) -> dict[str, Person]:
        """Who is to be let in by one more person, by name."""
        return self._people.waiting

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

    def demanded(self, flow: str) -> tuple[str, ...]:
        """The roles that sign a change of a flow, as of now.

        They are those that the live version demands, and those that the last one released does, since one person alone
        may let an earlier version come back, and that is not to lower what is demanded.
        """
        live = self.live(flow)
        found = (*self._demands.get(flow, ()), *(live.proposal.change.demanded if live is not None else ()))
        return tuple(dict.fromkeys(found))

    def lowers(self, change: Change) -> tuple[str, ...]:
        """The roles that are demanded now and would not be any more once this was released."""
        return tuple(role for role in self.demanded(change.flow) if role not in change.demanded)

    def versions(self, flow: str) -> tuple[Live, ...]:
        """Every version that was live, in order; one that came back is there again."""
        return tuple(self._live.get(flow, ()))

    def before(self, flow: str) -> Proposal | None:
        """The version that a roll-back lets decide again: one before the live one, past all that was taken back."""
        steps: list[Proposal] = []
        for live in self.versions(flow):
            if live.back and live.proposal in steps:
                del steps[steps.index(live.proposal) :]
            steps.append(live.proposal)
        return steps[-2] if len(steps) > 1 else None

    def say(self, said: Statement, key: "Ed25519PrivateKey") -> str:
        """Make a statement; it is sealed and on the disk when this returns.

        Returns:
            Its digest; of a proposal, what it is called.

        Raises:
            ReleaseError: this person may not say so, now.
        """
        said = msgspec.structs.replace(said, edition=EDITION)
        signed = sign(said, key)
        self._check(said, signed, key=public_half(key))
        body = msgspec.msgpack.encode(signed)
        digest = sha256(body).digest()
        self.store.append([Entry(id=digest.hex(), kind=KIND, at=said.at, digest=digest, body=body, flags=0)])
        self.refresh()
        return digest.hex()

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
            seen=", ".join(one.short for one in list(self.proposals.values())[-5:]) or "no proposals at all",
            do="List them with `tidegate history`.",
        )

    def _follow(self, seq: int, signed: Signed) -> None:
        """Let a statement take effect."""
        said = signed.says()
        self._check(said, signed)
        self.statements.append(said)
        self._edition = said.edition
        self._people.follow(said)
        if said.what == say.PROPOSED and said.change is not None:
            id = sha256(msgspec.msgpack.encode(signed)).hexdigest()
            proposal = Proposal(id, said.by, said.at, said.why, said.change, spoken=self._names(said.by))
            self.proposals[id] = self._shorts[id[:SHORT]] = proposal
        elif said.what in (say.SIGNED, say.REFUSED):
            proposal = self._meant(said)
            (proposal.signed if said.what == say.SIGNED else proposal.refused)[said.role] = said.by
            proposal.spoken |= self._names(said.by)
        elif said.what in (say.RELEASED, say.ROLLED_BACK):
            proposal = self._meant(said)
            self._live.setdefault(proposal.change.flow, []).append(
                Live(seq, proposal, said.by, said.at, back=said.what == say.ROLLED_BACK)
            )
            if said.what == say.RELEASED:
                self._demands[proposal.change.flow] = proposal.change.demanded

    def _names(self, name: str) -> set[str | bytes]:
        """What someone is known by: their name and their key."""
        return {name, self.people[name].key}

    def _meant(self, said: Statement) -> Proposal:
        """The proposal that a statement is about.

        Raises:
            ReleaseError: there is none of the id that it names.
        """
        found = (self._shorts if said.edition == 1 else self.proposals).get(said.proposal)
        if found is None:
            raise ReleaseError(f"There is no proposal {said.proposal}.", do="Name it by its whole id.")
        return found

    def _check(self, said: Statement, signed: Signed, key: bytes | None = None) -> None:
        """Raise ReleaseError if this person may not say so."""
        if not self._edition <= said.edition <= EDITION:
            raise ReleaseError(
                f"It was made by the rules of edition {said.edition}.",
                seen=f"the register is of edition {self._edition}",
                do="Make it with the same version of Tidegate as the statements before it, or a later one.",
            )
        public = self._people.speaker(said)
        if (key is not None and key != public) or not signed.is_by(public):
            raise ReleaseError(f"This is not the key of {said.by}.", do="Give the right one with --key.")
        self._people.check(said)
        if said.what == say.PROPOSED and said.edition > 1:
            self._check_roles(said.change)
        if said.what in (say.SIGNED, say.REFUSED, say.RELEASED, say.ROLLED_BACK):
            self._check_about(said, self._meant(said))

    def _check_roles(self, change: Change | None) -> None:
        """Raise ReleaseError if a proposal is to be signed by fewer roles than the live version or itself demands."""
        if change is None:
            raise ReleaseError("A proposal says what is proposed.")
        demanded = (*self.demanded(change.flow), *change.demanded)
        lacking = [role for role in dict.fromkeys(demanded) if role not in change.roles]
        if lacking:
            raise ReleaseError(
                f"A change of {change.flow} is to be signed by {' and '.join(lacking)} too.",
                seen=f"it would be signed by {' and '.join(change.roles) or 'nobody'}",
                do="What the version that is live demands is demanded, and what the new one does: propose it so.",
            )

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
            if said.edition > 1 and proposal.spoken & self._names(said.by):
                raise ReleaseError(
                    f"{said.by} has spoken of this proposal already, in another role or name.",
                    do="Each signature is another person's.",
                )
        elif said.what == say.RELEASED:
            if said.edition > 1:
                self._check_roles(proposal.change)
            if said.edition > 3:
                self._check_new(proposal)
            self._check_release(proposal)
            self._check_reasons(said, proposal)
        elif said.what == say.ROLLED_BACK and proposal.id not in [
            one.proposal.id for one in self.versions(proposal.change.flow)[:-1]
        ]:
            raise ReleaseError(
                f"{proposal.short} was not live before.",
                seen=", ".join(one.proposal.short for one in self.versions(proposal.change.flow)) or "nothing was",
                do="Roll back to a version that was; a new one is proposed and signed.",
            )

    def _check_reasons(self, said: Statement, proposal: Proposal) -> None:
        """Raise ReleaseError if models' reasons are lacking, and who releases it does not override that and say why."""
        lacking = proposal.change.reasons_lacking
        if lacking and not (said.override and said.why.strip()):
            raise ReleaseError(
                f"{proposal.short} asks models whose reasons fall short or were never measured.",
                seen="; ".join(f"{reference}: {what}" for reference, what in lacking.items()),
                do='Release it all the same with --override --why "…", which is kept.',
            )

    def _check_new(self, proposal: Proposal) -> None:
        """Raise ReleaseError if a proposal was released before: its signatures were for that once."""
        versions = self.versions(proposal.change.flow)
        if proposal.id not in [one.proposal.id for one in versions]:
            return
        if versions[-1].proposal.id == proposal.id:
            raise ReleaseError(f"{proposal.short} is live already.", do="There is nothing to release.")
        raise ReleaseError(
            f"{proposal.short} was released before, and is not live any more.",
            seen=f"{versions[-1].proposal.short} is live",
            do=f"To let it decide again say why: `tidegate rollback {proposal.change.flow} --to {proposal.short} "
            '--why "…"`; or propose it anew, to be signed.',
        )

    def _check_release(self, proposal: Proposal) -> None:
        if proposal.hindrance:
            raise ReleaseError(f"{proposal.short} may not be released.", seen=proposal.hindrance)
        live = self.live(proposal.change.flow)
        if live is not None and proposal.change.before != live.proposal.change.digest:
            raise ReleaseError(
                f"{proposal.short} was compared with, and signed against, a version that is not live any more.",
                seen=f"{live.proposal.change.digest[:12]} is live, it was {proposal.change.before[:12] or 'none'}",
                do="Propose it again; `tidegate rollback` brings back what was live before.",
            )
