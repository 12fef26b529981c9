"""Errors that a user can act on: what is wrong, what was seen, what to do."""

import difflib
from collections.abc import Iterable
from typing import Self


def nearest(name: object, names: Iterable[str], cutoff: float = 0.5) -> str:
    """That of the names which is most like another, in whatever case; nothing if none is as like as `cutoff` says."""
    low = {one.lower(): one for one in names}
    found = difflib.get_close_matches(str(name)[:200].lower(), list(low), 1, cutoff)
    return low[found[0]] if found else ""


def meant(name: object, names: Iterable[str]) -> str:
    """What to do about a name that is none of some: the nearest of them, or nothing."""
    near = nearest(name, names)
    return f"Did you mean {near!r}?" if near else ""


class TidegateError(Exception):
    """A user's mistake or a fault in the surroundings, told so that it can be mended.

    Args:
        wrong: what is wrong, one sentence.
        seen: what was found in its place.
        do: what to write or do instead.
    """

    def __init__(self, wrong: str, *, seen: str = "", do: str = "") -> None:
        self.wrong, self.seen, self.do = wrong, seen, do
        end = "" if seen.endswith((".", "?", "!", "…")) else "."  # others' messages are sentences, or are none
        super().__init__(wrong + (f" Seen: {seen}{end}" if seen else "") + (f" {do}" if do else ""))

    @classmethod
    def not_installed(cls, what: str, needs: str, extra: str, seen: object = "") -> Self:
        """That something needs a package which is not there.

        Args:
            what: what is wanted, as the sentence begins: "Training".
            needs: the package.
            extra: the part of Tidegate's installation that brings it, or several: "train,report".
            seen: why it could not be imported.
        """
        return cls(
            f"{what} needs {needs}, which is not installed.",
            seen=str(seen),
            do=f"Run: pip install 'tidegate[{extra}]'.",
        )


class ContractError(TidegateError):
    """An event does not keep its contract. `pointer` is the JSON Pointer (RFC 6901) of the field at fault."""

    def __init__(self, wrong: str, *, seen: str = "", do: str = "", pointer: str = "") -> None:
        self.pointer = pointer
        super().__init__(wrong, seen=seen, do=do)


class FlowError(TidegateError):
    """The author of a flow made a mistake; raised when the class is made."""


class ModelError(TidegateError):
    """A model file is missing, damaged, or made for another list of features."""


class DocumentError(TidegateError):
    """A document that others wrote (DMN, PMML, a table) cannot be read as what it says it is.

    `line` is where, or 0; `file` is the document, where it is known.
    """

    def __init__(self, wrong: str, *, seen: str = "", do: str = "", line: int = 0) -> None:
        self.line, self.file = line, ""
        super().__init__(wrong, seen=(f"line {line}" + (f": {seen}" if seen else "")) if line else seen, do=do)

    def within(self, file: str) -> Self:
        """The same, with the name of the document before the line, unless it is named already."""
        if self.line and not self.file:
            self.file = file
            if file not in str(self):
                TidegateError.__init__(self, self.wrong, seen=f"{file}, {self.seen}", do=self.do)
        return self


class StoreError(TidegateError):
    """The store cannot be used: damaged, locked by another process, or out of room."""


class UnfitError(StoreError):
    """A record does not fit the contract of today: so it stays until a person changes the flow."""


class ReleaseError(TidegateError):
    """A change may not be proposed, signed, released or taken back like this."""


class StreamError(TidegateError):
    """A topic, its broker or its registry cannot be used, or holds something else than what was taken from it."""


class SnapshotError(TidegateError):
    """A snapshot of state is damaged or belongs to another flow."""
