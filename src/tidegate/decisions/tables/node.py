"""A table as a part of a flow: tied to expressions, its outputs nodes of the expression graph."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tidegate.decisions.rule import Outcome
from tidegate.decisions.tables.sheet import Sheet
from tidegate.decisions.tables.table import OUTCOME, Table, made, output_type
from tidegate.errors import FlowError
from tidegate.events.types import BOOL, Kind, Type
from tidegate.expressions.immutable import Immutable, fill
from tidegate.expressions.node import Expr

if TYPE_CHECKING:
    from tidegate.decisions.decision import TableUse


class TableOutput(Expr):
    """What a table gives for its inputs: the output `name`, or, with an outcome, whether a row with it decides."""

    __slots__ = ("name", "of", "outcome")
    of: "DecisionTable"
    name: str
    outcome: Outcome | None

    def __init__(self, of: "DecisionTable", name: str, outcome: Outcome | None = None) -> None:
        fill(self, "of", of)
        fill(self, "name", name)
        fill(self, "outcome", outcome)
        fill(self, "args", of.args)
        fill(self, "type", BOOL if outcome is not None else output_type(of.table, of.table.output(name)))

    def _own_key(self) -> tuple[Any, ...]:
        return ("table", self.of.table.digest, self.name, None if self.outcome is None else self.outcome.word)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same output of the table over other inputs."""
        return TableOutput(self.of.over(args), self.name, self.outcome)

    @property
    def label(self) -> str:
        """What it is called after the name of its table's line."""
        return self.name if self.outcome is None else self.outcome.word

    @property
    def read(self) -> str:
        """What stands for the table and its inputs: outputs that agree in it come from one reading."""
        return self.of.read

    def write(self, inner: Any) -> str:
        """The text form: the table by its content, so that it tells what a flow's digest must know."""
        inputs = ", ".join(
            f"{column.name!r}: {inner(arg)}" for column, arg in zip(self.of.table.inputs, self.args, strict=True)
        )
        one = f"[{self.outcome.word!r}]" if self.outcome is not None else f"[{self.name!r}]"
        return f"table({self.of.table.name!r}, {self.of.table.digest!r}, of={{{inputs}}}){one}"


class DecisionTable(Immutable):
    """A decision table tied to a flow's features: `pricing.rate` is the output `rate`, as a feature.

    A table whose rows carry an outcome is a line of a flow like a rule: the row that decides says approve, review or
    decline, and why. `pricing["rate"]` reads an output whose name is not a Python name.
    """

    table: Table
    args: tuple[Expr, ...]
    read: str
    _sheet: Sheet
    _currency: str | None
    _nodes: dict[tuple[str, Outcome | None], TableOutput]
    _evaluator: Any

    def __init__(self, table: Table, args: tuple[Expr, ...], sheet: Sheet, currency: str | None) -> None:
        fill(self, "table", table)
        fill(self, "args", args)
        fill(self, "_sheet", sheet)
        fill(self, "_currency", currency)
        fill(self, "_nodes", {})
        fill(self, "_evaluator", None)
        fill(self, "read", sha256(repr((table.digest, [arg.key for arg in args])).encode()).hexdigest())

    def over(self, args: tuple[Expr, ...]) -> "DecisionTable":
        """The same table over other inputs, its cells read again if their types differ."""
        if all(a is b for a, b in zip(args, self.args, strict=True)):
            return self
        if all(a.type == b.type for a, b in zip(args, self.args, strict=True)):
            return DecisionTable(self.table, args, self._sheet, self._currency)
        names = [column.name for column in self.table.inputs]
        return tied(self._sheet, dict(zip(names, args, strict=True)), self._currency)

    def __getitem__(self, name: str) -> Expr:
        """The output of this name, as an expression.

        Raises:
            FlowError: there is none, or it is a list by the table's hit policy.
        """
        self.table.output(name)
        return self._node(name, None)

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except FlowError as error:
            raise _NoOutputError(error.wrong, seen=error.seen, do=error.do) from None

    def _node(self, name: str, outcome: Outcome | None) -> TableOutput:
        if (name, outcome) not in self._nodes:
            self._nodes[name, outcome] = TableOutput(self, name, outcome)
        return self._nodes[name, outcome]

    def decides(self, outcome: Outcome) -> Expr:
        """Whether a row that carries this outcome decides."""
        return self._node(OUTCOME, outcome)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes that its rows carry, the mildest first."""
        rows = (*self.table.rows, *([self.table.default] if self.table.default else []))
        return tuple(sorted({row.outcome for row in rows if row.outcome is not None}))

    def outputs(self) -> list[TableOutput]:
        """Every output that can be read, and every outcome that a row carries."""
        nodes = [] if self.table.policy.is_list else [self._node(c.name, None) for c in self.table.outputs]
        return nodes + [self._node(OUTCOME, outcome) for outcome in self.outcomes]

    def evaluate(self, inputs: Mapping[str, Any]) -> "TableUse":
        """The table's answer to plain values, by input name, with the rows that matched: to try it out.

        Raises:
            FlowError: an input is of another type or unit than the table's, or is none of its inputs.
        """
        if self._evaluator is None:
            from tidegate.decisions.tables.evaluator import Evaluator  # whose kernels a flow's author need not wait for

            fill(self, "_evaluator", Evaluator(self.table))
        answer: TableUse = self._evaluator.evaluate(inputs)
        return answer

    def written(self, inner: Any) -> str:
        """The line of a flow's text that stands for it."""
        inputs = ", ".join(
            f"{column.name!r}: {inner(arg)}" for column, arg in zip(self.table.inputs, self.args, strict=True)
        )
        return f"table({self.table.digest!r}, {self.table.policy.words!r}, of={{{inputs}}})"

    @property
    def currencies(self) -> dict[str, str]:
        """The currencies of the amounts in its cells, by the input that is of money."""
        return {
            column.name: column.line.currency
            for column in self.table.inputs
            if column.type.kind is Kind.MONEY and column.line.currency
        }

    def __repr__(self) -> str:
        return f"table({self.table.name!r})"


class _NoOutputError(FlowError, AttributeError):
    """An author's mistake that `hasattr` and `getattr` understand."""


def tied(sheet: Sheet, of: Mapping[str, Expr], currency: str | None = None) -> DecisionTable:
    """The table of a sheet over the given expressions.

    Raises:
        FlowError: a cell is not of its input's type or unit, an input is not given, or one is given that is none.
    """
    for name, expr in of.items():
        if not isinstance(expr, Expr):
            raise FlowError(
                f"The table {sheet.told} is given {name} as {expr!r}.",
                do="Give each input an expression: of={'amount': Payment.amount}.",
            )
    types: dict[str, Type] = {name: expr.type for name, expr in of.items()}
    table = made(sheet, types, currency)
    return DecisionTable(table, tuple(of[column.name] for column in table.inputs), sheet, currency)


def inputs_of(sheet: Sheet, of: Mapping[str, Expr] | Sequence[Expr]) -> Mapping[str, Expr]:
    """What a table is given, by name; a list is in the order of the table's inputs.

    Raises:
        FlowError: the list is not as long as the table has inputs.
    """
    if isinstance(of, Mapping):
        return of
    names = [head.name for head in sheet.of("if")]
    if isinstance(of, Expr) or len(of) != len(names):
        raise FlowError(
            f"The table {sheet.told} has {len(names)} inputs.",
            seen="one expression" if isinstance(of, Expr) else f"{len(of)} in of=",
            do=f"Give them in this order: {', '.join(names)}; or by name: of={{…}}.",
        )
    return dict(zip(names, of, strict=True))


__all__ = ["DecisionTable", "TableOutput", "inputs_of", "tied"]
