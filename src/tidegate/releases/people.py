"""Who may speak: the people whom a register knows, and how someone joins and leaves."""

from dataclasses import dataclass, replace

from tidegate.errors import ReleaseError
from tidegate.releases.statement import ADDED, REMOVED, Statement

ENOUGH = 2
"""How many people who are known let someone in, or ask someone to leave. The second person is let in by the first."""


@dataclass(frozen=True)
class Person:
    """Someone who may make statements.

    Args:
        name: theirs; `role` the one in which they speak.
        key: the public half of theirs (32 bytes), which is nobody else's.
        by: who let them in: themselves, if they were the first.
    """

    name: str
    role: str
    key: bytes
    by: tuple[str, ...] = ()


class People:
    """The people of a register, as the statements up to now make them.

    Args of every method: a statement, by the rules of whose edition it is judged.
    """

    def __init__(self) -> None:
        self.known: dict[str, Person] = {}
        self.waiting: dict[str, Person] = {}
        self.leaving: dict[str, tuple[str, ...]] = {}
        self._owners: dict[bytes, str] = {}

    def speaker(self, said: Statement) -> bytes:
        """The public key by which a statement is to be signed.

        Raises:
            ReleaseError: who makes it is not known, or does not speak in this role.
        """
        first = said.what == ADDED and said.person == said.by and said.by not in self.known
        if first and (said.edition == 1 or not self.known):
            return _key(said)  # who joins signs with the key that they bring
        person = self.known.get(said.by)
        if person is None:
            raise ReleaseError(
                f"The register does not know {said.by}.",
                seen=", ".join(sorted(self.known)) or "nobody yet",
                do=(
                    "Someone who is known lets people in: `tidegate people add NAME --role ROLE --as KNOWN`."
                    if self.known
                    else "`tidegate people add NAME --role ROLE` makes the first person known."
                ),
            )
        if said.what not in (ADDED, REMOVED) and person.role != said.role:
            raise ReleaseError(f"{said.by} speaks as {person.role}.", seen=said.role)
        return person.key

    def check(self, said: Statement) -> None:
        """Raise ReleaseError if this may not be said of a person, now; `speaker` has looked at who says it."""
        if said.what == ADDED:
            self._check_added(said)
        elif said.what == REMOVED:
            self._check_removed(said)

    def follow(self, said: Statement) -> None:
        """Let a statement of a person take effect."""
        if said.what == ADDED:
            before = self.waiting.pop(said.person, None)
            vouched = (*(before.by if before is not None else ()), said.by)
            person = Person(said.person, said.role, _key(said), vouched)
            if said.edition == 1 or len(vouched) >= min(ENOUGH, max(1, len(self.known))):
                self.known[said.person] = person
                self._owners[person.key] = said.person
            else:
                self.waiting[said.person] = person
        elif said.what == REMOVED:
            asked = (*self.leaving.get(said.person, ()), said.by)
            if said.person not in self.known:
                del self.waiting[said.person]
            elif said.edition == 1 or said.by == said.person or len(asked) >= ENOUGH:
                self._go(said.person)
            else:
                self.leaving[said.person] = asked

    def _go(self, name: str) -> None:
        """Take someone out, and with them what they have begun to say of others."""
        del self.known[name]
        self.leaving.pop(name, None)
        for other, person in list(self.waiting.items()):
            self.waiting[other] = replace(person, by=tuple(by for by in person.by if by != name))
        self.leaving = {other: tuple(by for by in asked if by != name) for other, asked in self.leaving.items()}

    def _check_added(self, said: Statement) -> None:
        key = _key(said)
        if said.person in self.known:
            raise ReleaseError(f"{said.person} is known already.", do="Take another name, or remove the person first.")
        if said.edition == 1:
            return
        if not said.person or not said.role:
            raise ReleaseError("Who joins has a name and a role.", do="Say `tidegate people add NAME --role ROLE`.")
        waits = {person.key: name for name, person in self.waiting.items()}
        owner = self._owners.get(key) or waits.get(key, said.person)
        if owner != said.person:
            raise ReleaseError(f"This is the key of {owner}.", do="Everyone has a key of their own; draw another.")
        waiting = self.waiting.get(said.person)
        if waiting is None:
            return
        if (waiting.role, waiting.key) != (said.role, key):
            raise ReleaseError(
                f"{said.person} waits to be let in as {waiting.role}, with another key or role than this.",
                seen=f"{said.role}, {said.key[:12]}; proposed by {' and '.join(waiting.by) or 'someone who left'}",
                do=f"Say the same, or take it back first: `tidegate people remove {said.person}`.",
            )
        if said.by in waiting.by:
            raise ReleaseError(f"{said.by} has said so already.", do="Someone else who is known has to say it too.")

    def _check_removed(self, said: Statement) -> None:
        if said.person not in self.known and not (said.edition > 1 and said.person in self.waiting):
            raise ReleaseError(f"The register does not know {said.person}.")
        if said.edition == 1 or said.person not in self.known:
            return
        if len(self.known) <= ENOUGH:
            raise ReleaseError(
                f"Without {said.person}, one person alone would let others in.",
                seen=", ".join(sorted(self.known)),
                do="Let someone else in first.",
            )
        if said.by in self.leaving.get(said.person, ()):
            raise ReleaseError(f"{said.by} has said so already.", do="Someone else who is known has to say it too.")


def _key(said: Statement) -> bytes:
    """The public key that a statement names.

    Raises:
        ReleaseError: it is none.
    """
    try:
        key = bytes.fromhex(said.key)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ReleaseError(
            f"The public key of {said.person} is no key.", seen=said.key[:80], do="Give 64 hexadecimal digits."
        )
    return key
