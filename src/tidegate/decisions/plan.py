"""A flow as plain data: columns, programs, windows, models and rules. A record and its plan can be decided again."""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from tidegate.decisions.drl.plan import DrlPlan
from tidegate.decisions.feel_texts import FeelPlan
from tidegate.decisions.scorecards.plan import ScorecardPlan
from tidegate.decisions.tables.plan import TablePlan
from tidegate.events.types import Type
from tidegate.expressions.program import Program
from tidegate.features.plan import StreamPlan

AT = 0
"""The column of the event's time."""

READ, LEARN, OVERDUE = 1, 2, 4
"""Flags of a row: read the windows and decide; learn it for later; the deadline has passed."""


@dataclass(frozen=True)
class FieldPlan:
    """A field of an event kind and the column its cell goes to; `currency` is the one that amounts are read in."""

    name: str
    column: int
    type: Type
    currency: str | None = None


@dataclass(frozen=True)
class TextPlan:
    """A function of a text field, computed where the text is still there: `steps` are functions with their constant."""

    field: str
    column: int
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class KindPlan:
    """How the events of one type become cells."""

    event: str
    version: int
    fields: tuple[FieldPlan, ...]
    texts: tuple[TextPlan, ...]


@dataclass(frozen=True)
class ListPlan:
    """A check against an entity list: the column of the key, and the one that gets the answer."""

    name: str
    key: int
    out: int
    whole: bool


@dataclass(frozen=True)
class ModelPlan:
    """A model's inputs (name, column, type of each) and where its answer goes: texts where its default is a text."""

    reference: str
    names: tuple[str, ...]
    inputs: tuple[int, ...]
    types: tuple[Type, ...]
    default: float | str
    out: int


@dataclass(frozen=True)
class SegmentPlan:
    """A program, and the models, tables, packages of rules, scorecards and FEEL texts to ask once it has run."""

    program: Program
    models: tuple[ModelPlan, ...]
    tables: tuple[TablePlan, ...] = ()
    packages: tuple[DrlPlan, ...] = ()
    scorecards: tuple[ScorecardPlan, ...] = ()
    texts: tuple[FeelPlan, ...] = ()


@dataclass(frozen=True)
class SeenPlan:
    """A value that a person is shown: what it is called, its column and its type."""

    name: str
    column: int
    type: Type


@dataclass(frozen=True)
class RulePlan:
    """A rule: its condition's column, what it looked at, and the columns of the models that it rests on.

    One that stands for the rows of a table with its outcome has the table's number among the plan's; its words are the
    rows'.
    """

    name: str
    outcome: int
    because: str
    when: int
    saw: tuple[SeenPlan, ...]
    table: int = -1
    models: tuple[int, ...] = ()


@dataclass(frozen=True)
class CapPlan:
    """At most `count` outcomes of this kind in any `last` microseconds; beyond it `then`."""

    count: int
    outcome: int
    last: int
    then: int


@dataclass(frozen=True)
class Plan:
    """Everything a decider does, in the order it does it."""

    flow: str
    digest: str
    columns: int
    constants: tuple[tuple[int, int | float], ...]
    kinds: tuple[KindPlan, ...]
    lists: tuple[ListPlan, ...]
    before: Program
    streams: tuple[StreamPlan, ...]
    segments: tuple[SegmentPlan, ...]
    features: tuple[SeenPlan, ...]
    rules: tuple[RulePlan, ...]
    score: int
    alarm: int
    level: int
    levels: tuple[str, ...]
    thresholds: tuple[float, ...]
    caps: tuple[CapPlan, ...]
    lateness: int
    deadline: int = 0
    deadline_answer: int = 1
    words: tuple[tuple[int, str], ...] = field(default=())
    """The flow's own texts by their cells, so that they can be shown."""
    worded: tuple[int, ...] = field(default=())
    """Columns of texts whose wording is kept, because a window can give them back."""
    scoring: tuple[int, ...] = field(default=())
    """Columns of the models that alarm, level and score rest on."""

    @property
    def tables(self) -> tuple[TablePlan, ...]:
        """Every table, in the order in which they are asked."""
        return tuple(table for segment in self.segments for table in segment.tables)

    @property
    def packages(self) -> tuple[DrlPlan, ...]:
        """Every package of rules, in the order in which they are asked."""
        return tuple(package for segment in self.segments for package in segment.packages)

    @property
    def scorecards(self) -> tuple[ScorecardPlan, ...]:
        """Every scorecard, in the order in which they are asked."""
        return tuple(card for segment in self.segments for card in segment.scorecards)

    @property
    def reach(self) -> int:
        """How long, in microseconds, an event can still be seen by a window that an acceptable event reads."""
        return max((w.last + w.delay for stream in self.streams for w in stream.windows), default=0) + self.lateness

    @property
    def remembered(self) -> tuple[int, ...]:
        """The columns that come from the past: what a record keeps to decide the event again."""
        windows = [window.out for stream in self.streams for window in stream.windows]
        return (*windows, *(check.out for check in self.lists))


def to_plain(value: object) -> object:
    """An array as what MessagePack has: its shape and its bytes."""
    if isinstance(value, np.ndarray):
        return [list(value.shape), value.tobytes()]
    raise NotImplementedError(type(value))


def _from_plain(kind: type, value: object) -> object:
    if kind is np.ndarray:
        shape, data = msgspec.convert(value, tuple[tuple[int, ...], bytes])
        return np.frombuffer(data, dtype=np.int64).reshape(shape).copy()  # kernels take what can be written
    raise NotImplementedError(kind)


def dump(plan: Plan) -> bytes:
    """The plan as bytes (MessagePack), to be kept beside the decisions made by it."""
    return msgspec.msgpack.encode(plan, enc_hook=to_plain)


def load(data: bytes) -> Plan:
    """The plan that `dump` wrote.

    Raises:
        msgspec.DecodeError: the bytes are not a plan.
    """
    return msgspec.msgpack.decode(data, type=Plan, dec_hook=_from_plain)
