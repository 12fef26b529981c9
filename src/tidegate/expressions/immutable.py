"""What stays as it was made."""

from typing import Any, NoReturn

from tidegate.errors import FlowError

fill = object.__setattr__
"""Set an attribute of an `Immutable`: for its constructor, and for what it works out later and keeps."""


class Immutable:
    """Something whose attributes are set when it is made, by `fill`, and never again.

    Text, digest and plan of a flow are made of its lines once; a line that changed would no longer be what they say.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise self._unchangeable(name)

    def __delattr__(self, name: str) -> NoReturn:
        raise self._unchangeable(name)

    def __setstate__(self, state: Any) -> None:
        """Fill a copy, or what was pickled."""
        for part in state if isinstance(state, tuple) else (state,):
            for name, value in (part or {}).items():
                fill(self, name, value)

    def _unchangeable(self, name: str) -> FlowError:
        return FlowError(
            f"What a flow is made of does not change: {name} of {self} stays as it is.",
            do="Make another, and a subclass of the flow in which it replaces this one.",
        )
