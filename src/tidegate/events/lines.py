"""The body of a class that is read as a declaration: each line defines another name."""

from typing import Any

from tidegate.errors import FlowError


class Lines(dict[str, Any]):
    """Refuses to define a name again, which would silently drop what stood there; names with an underscore are free.

    Args:
        of: the name of the class.
        kept: the types of the values that may not be replaced.
        names: names whose value may not be replaced, whatever it is.
    """

    def __init__(self, of: str, kept: tuple[type, ...], names: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._of, self._kept, self._names = of, kept, names

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self and name[:1] != "_" and (name in self._names or isinstance(self[name], self._kept)):
            raise FlowError(
                f"{self._of}.{name} is defined twice, and the first would be lost.",
                seen=f"{name} = {value}",
                do="Give the second another name, or remove one of the two.",
            )
        super().__setitem__(name, value)


class Fields(dict[str, Any]):
    """The annotations of a class, none of them twice."""

    def __init__(self, of: str) -> None:
        super().__init__()
        self._of = of

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            raise FlowError(
                f"{self._of} has the field {name} twice.",
                seen=f"{name}: {getattr(value, '__name__', value)}",
                do="Give the second another name, or remove one of the two.",
            )
        super().__setitem__(name, value)
