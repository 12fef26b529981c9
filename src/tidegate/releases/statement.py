"""Statements: what people say of changes, signed, one after the other in a sealed log."""

from typing import TYPE_CHECKING, Any

import msgspec

from tidegate.releases.keys import signed_by

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KIND = "Statement"
"""What a store calls the records that hold statements."""

EDITION = 4
"""Of the rules of who may do what. By the first, anyone joined unasked, nobody looked at the roles of a proposal, and
a signature named only the beginning of a proposal's digest. By the second, a change was released whatever nobody had
measured of its models' reasons. By the third, what had been taken back was released again on its old signatures. A
register follows a later edition from its first statement of that edition on, and
takes none of an earlier one then."""

ADDED, REMOVED, PROPOSED, SIGNED, REFUSED, RELEASED, ROLLED_BACK = (
    "person added", "person removed", "proposed", "signed", "refused", "released", "rolled back",
)  # fmt: skip


class Suite(msgspec.Struct, frozen=True):
    """What came of a proposal's own cases: how many, and those that failed, each with what came out instead."""

    cases: int
    failed: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed.

    Args:
        flow: the flow's name; `digest` of the new version, `before` of the one that it would replace, if there is one.
        bundle: digest of the files that make it.
        models: digest of each model that it asks for, by reference.
        roles: who must sign: at least the roles that the version which is live demands, and those that this one does.
        demands: the roles that this version demands of what is to replace it; None: those of `roles`.
        comparison: digest of what it does to history; empty if none was given.
        summary: the same in a line.
        suite: what came of its own cases, if it has any.
        reasons_lacking: of each model whose reasons fall short or were never measured, what is lacking, by reference.
    """

    flow: str
    digest: str
    bundle: str
    before: str = ""
    models: dict[str, str] = {}
    roles: tuple[str, ...] = ()
    demands: tuple[str, ...] | None = None
    comparison: str = ""
    summary: str = ""
    suite: Suite | None = None
    reasons_lacking: dict[str, str] = {}

    @property
    def demanded(self) -> tuple[str, ...]:
        """The roles that sign what is to replace this version."""
        return self.roles if self.demands is None else self.demands


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement.

    Args:
        what: one of the words above.
        by: who says it; `role` the role in which they do; where someone is added, the role of who is added.
        at: when, microseconds since 1970 UTC, by the clock of the machine on which it was said.
        proposal: which proposal it is about: its whole digest (of the first edition, the first 12 digits).
        change: what is proposed.
        person, key: who is added or removed, and the public key, in hexadecimal.
        why: in words.
        override: of a release, that it be made although reasons of its models fall short or were never measured.
        edition: of the rules by which it was made.
    """

    what: str
    by: str
    role: str
    at: int
    proposal: str = ""
    change: Change | None = None
    person: str = ""
    key: str = ""
    why: str = ""
    override: bool = False
    edition: int = 1


class Signed(msgspec.Struct, frozen=True):
    """A statement as it is kept: its bytes, and the Ed25519 signature of them."""

    statement: bytes
    signature: bytes

    def says(self) -> Statement:
        """The statement."""
        return msgspec.json.decode(self.statement, type=Statement)

    def is_by(self, public: bytes) -> bool:
        """Whether the owner of the public key signed it."""
        return signed_by(public, self.signature, self.statement)


def sign(statement: Statement, key: "Ed25519PrivateKey") -> Signed:
    """Sign a statement."""
    data = msgspec.json.encode(statement)
    return Signed(data, key.sign(data))


def rests_on(kind: str, body: bytes) -> list[tuple[str, bytes]]:
    """What a record names in its statement: the bundle and the comparison of a proposal, each with its digest."""
    if kind != KIND:
        return []
    try:
        change = msgspec.msgpack.decode(body, type=Signed).says().change
        wanted = [] if change is None else [("bundle", change.bundle), ("comparison", change.comparison)]
        return [(what, bytes.fromhex(digest)) for what, digest in wanted if digest]
    except (msgspec.DecodeError, ValueError):
        return []  # no statement of ours; reading the register says so


def plain(statement: Statement) -> dict[str, Any]:
    """A statement for scripts, without what was not said."""
    found: dict[str, Any] = msgspec.to_builtins(statement)
    return {
        name: value
        for name, value in found.items()
        if value not in ("", None) and value is not False and name != "edition"
    }
