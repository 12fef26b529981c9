"""A FEEL text in the graph that is decided in decimals where doubles leave it open."""

from collections.abc import Collection, Mapping
from typing import Any

from tidegate.expressions.immutable import fill
from tidegate.expressions.node import Call, Expr


class Held(Call):
    """A FEEL text, what the graph makes of it, and what its names stand for.

    Its value is the graph's where that is certainly FEEL's, and otherwise what FEEL's exact evaluator says.

    Args:
        text: the FEEL text.
        currency: of the numbers in it that amounts are compared with, as it was given.
        names: its names, in the order of their expressions among `args`.
        rounded: the constants of the graph that are not the decimals they stand for.
        args: what the graph makes of it, then what the names stand for.
    """

    __slots__ = ("currency", "names", "rounded", "text")
    text: str
    currency: str
    names: tuple[str, ...]
    rounded: tuple[float, ...]

    def __init__(
        self, text: str, currency: str, names: tuple[str, ...], rounded: tuple[float, ...], args: tuple[Expr, ...]
    ) -> None:
        fill(self, "text", text)
        fill(self, "currency", currency)
        fill(self, "names", names)
        fill(self, "rounded", rounded)
        super().__init__("feel", args)

    def _own_key(self) -> tuple[Any, ...]:
        return ("feel", self.text, self.currency, self.names)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same text over other names."""
        return Held(self.text, self.currency, self.names, self.rounded, args)

    def write(self, inner: Any) -> str:
        """The text form: the call of `feel` that makes it again."""
        plain = all(name.isidentifier() for name in self.names)
        given = zip(self.names, map(inner, self.args[1:]), strict=True)
        parts = [repr(self.text)]
        if plain:
            parts += [f"{name}={value}" for name, value in given]
        else:
            parts.append(f"{{{', '.join(f'{name!r}: {value}' for name, value in given)}}}")
        return f"feel({', '.join([*parts, *([f'currency={self.currency!r}'] if self.currency else [])])})"


def held(made: Expr, text: str, currency: str, names: Mapping[str, Expr], rounded: Collection[float]) -> Expr:
    """What the graph makes of a text, held to decimals if there are values on which the two differ."""
    from tidegate.expressions.feel.certainty import may_differ  # which brings NumPy, and commands start without

    args = tuple(names.values())
    if not may_differ(made, {id(arg) for arg in args}, rounded):
        return made
    return Held(text, currency, tuple(names), tuple(sorted(rounded)), (made, *args))


__all__ = ["Held", "held"]
