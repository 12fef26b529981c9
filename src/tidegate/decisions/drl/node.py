"""A package of rules as a part of a flow: tied to expressions, its results nodes of the expression graph."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from tidegate.decisions.drl.plan import DrlRunner, Value
from tidegate.errors import FlowError
from tidegate.events.types import Type
from tidegate.expressions.immutable import Immutable, fill
from tidegate.expressions.node import Expr


class DrlOutput(Expr):
    """A result of a package of rules."""

    __slots__ = ("name", "of")
    of: "DrlPackage"
    name: str

    def __init__(self, of: "DrlPackage", name: str) -> None:
        fill(self, "of", of)
        fill(self, "name", name)
        fill(self, "args", of.args)
        fill(self, "type", of.outputs[name])

    def _own_key(self) -> tuple[Any, ...]:
        return ("drools", self.of.own, self.name)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same result of the package over other inputs."""
        return self.of.over(args)[self.name]

    @property
    def label(self) -> str:
        """What it is called after the name of its package's line."""
        return self.name

    @property
    def read(self) -> str:
        """What stands for the package and its inputs: results that agree in it come from one run."""
        return self.of.read

    def write(self, inner: Any) -> str:
        """The text form: the package by its content."""
        return f"{self.of.written(inner)}[{self.name!r}]"


class DrlPackage(Immutable):
    """A package of rules tied to a flow's features: `checked.risk` is its result `risk`, as a feature.

    Args:
        name: the file's, without its ending.
        digest, source: of the DRL.
        names: of its inputs, as `Payment.amount`.
        args: what each is given.
        gives: what Drools calls each result, by name.
        outputs: the results' types by name.
        default: the results where it cannot answer.
        deadline: microseconds that it may take.
        runner: runs it.
    """

    name: str
    digest: str
    source: str
    names: tuple[str, ...]
    args: tuple[Expr, ...]
    gives: Mapping[str, str]
    outputs: Mapping[str, Type]
    default: tuple[Value, ...]
    deadline: int
    runner: DrlRunner
    own: str
    read: str
    _nodes: dict[str, DrlOutput]

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        source: str,
        names: tuple[str, ...],
        args: tuple[Expr, ...],
        gives: Mapping[str, str],
        outputs: Mapping[str, Type],
        default: tuple[Value, ...],
        deadline: int,
        runner: DrlRunner,
    ) -> None:
        fill(self, "name", name)
        fill(self, "digest", digest)
        fill(self, "source", source)
        fill(self, "names", names)
        fill(self, "args", args)
        fill(self, "gives", MappingProxyType(dict(gives)))
        fill(self, "outputs", MappingProxyType(dict(outputs)))
        fill(self, "default", default)
        fill(self, "deadline", deadline)
        fill(self, "runner", runner)
        kinds = [(given, str(outputs[one])) for one, given in gives.items()]
        fill(self, "own", repr((digest, names, kinds, default, deadline)))
        fill(self, "read", sha256(repr((self.own, [arg.key for arg in args])).encode()).hexdigest())
        fill(self, "_nodes", {})

    def over(self, args: tuple[Expr, ...]) -> "DrlPackage":
        """The same package over other inputs.

        Raises:
            FlowError: one of them is of another type.
        """
        if all(a is b for a, b in zip(args, self.args, strict=True)):
            return self
        for name, old, new in zip(self.names, self.args, args, strict=True):
            if old.type.kind is not new.type.kind:
                raise FlowError(f"The package {self.name} is given {name} as {old.type}.", seen=str(new.type))
        return DrlPackage(
            name=self.name, digest=self.digest, source=self.source, names=self.names, args=args, gives=self.gives,
            outputs=self.outputs, default=self.default, deadline=self.deadline, runner=self.runner,
        )  # fmt: skip

    def __getitem__(self, name: str) -> Expr:
        """The result of this name, as an expression.

        Raises:
            FlowError: there is none.
        """
        if name not in self.outputs:
            from tidegate.errors import nearest

            near = nearest(name, list(self.outputs))
            raise FlowError(
                f"The package {self.name} gives no {name}.",
                seen=", ".join(self.outputs),
                do=f"Did you mean {near}?" if near else "Name it in gives=.",
            )
        return self._node(name)

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except FlowError as error:
            raise _NoResultError(error.wrong, seen=error.seen, do=error.do) from None

    def results(self) -> list["DrlOutput"]:
        """Every result."""
        return [self._node(name) for name in self.outputs]

    def _node(self, name: str) -> "DrlOutput":
        if name not in self._nodes:
            self._nodes[name] = DrlOutput(self, name)
        return self._nodes[name]

    def read_results(self) -> list["DrlOutput"]:
        """Those results that were read so far."""
        return list(self._nodes.values())

    def written(self, inner: Any) -> str:
        """The line of a flow's text that stands for it."""
        given = ", ".join(f"{name!r}: {inner(arg)}" for name, arg in zip(self.names, self.args, strict=True))
        gives = ", ".join(f"{given!r}: {self.outputs[name]}" for name, given in self.gives.items())
        return (
            f"drools({self.digest!r}, given={{{given}}}, gives={{{gives}}}, deadline={self.deadline}, "
            f"otherwise={self.default!r})"
        )

    def __repr__(self) -> str:
        return f"drools({self.name!r})"


class _NoResultError(FlowError, AttributeError):
    """An author's mistake that `hasattr` and `getattr` understand."""


def packages_in(nodes: Iterable[Expr], lines: Iterable[Any]) -> tuple[DrlPackage, ...]:
    """Every package that a flow asks, once for each set of inputs: its own lines first."""
    found = {line.read: line for line in lines if isinstance(line, DrlPackage)}
    for node in nodes:
        if isinstance(node, DrlOutput):
            found.setdefault(node.read, node.of)
    return tuple(found.values())


def replaced(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[int, Expr]:
    """What stands for the results of packages that a challenger defines again: old node, by `id`, to new."""
    found: dict[int, Expr] = {}
    for name, line in old.items():
        other = new.get(name)
        if isinstance(line, DrlPackage) and isinstance(other, DrlPackage):
            found |= {id(node): other[node.name] for node in line.read_results()}
    return found


__all__ = ["DrlOutput", "DrlPackage", "packages_in", "replaced"]
