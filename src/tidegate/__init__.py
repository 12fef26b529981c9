"""Tidegate: a stream of financial events into decisions that are explained, durable and provable.

Everything an author of flows needs is here: events and entities, expressions and features, rules and flows, and the
embedded `Engine`.
"""

from typing import TYPE_CHECKING, Any

from tidegate.connectors.drools.rules import drools
from tidegate.connectors.models import model
from tidegate.connectors.scorecards.files import bins, scorecard
from tidegate.connectors.tables import table
from tidegate.decisions.decision import (
    Decision,
    FiredRule,
    MatchedRow,
    ModelUse,
    PackageUse,
    ScorecardReason,
    ScorecardUse,
    ScoredBin,
    TableUse,
)
from tidegate.decisions.drl.node import DrlPackage
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.rule import approve, at_most, bands, deadline, decline, review
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.scorecards.scaling import Scaling
from tidegate.decisions.snooze import Snooze
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import (
    ContractError,
    DocumentError,
    FlowError,
    ModelError,
    SnapshotError,
    StoreError,
    TidegateError,
)
from tidegate.events.contract import upgrades
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field, Label, Personal
from tidegate.events.money import Money, eur, gbp, usd
from tidegate.expressions.feel.graph import feel
from tidegate.expressions.functions import (
    as_number,
    ceil,
    clip,
    contains,
    day,
    days,
    ends_with,
    exp,
    floor,
    greatest,
    hour,
    hours,
    is_in,
    is_missing,
    least,
    length,
    log,
    log1p,
    log10,
    lower,
    minute,
    month,
    round_,
    seconds,
    sqrt,
    starts_with,
    units,
    upper,
    weekday,
    where,
    year,
)
from tidegate.features.aggregates import (
    count,
    distinct,
    first,
    has_seen,
    last_value,
    maximum,
    mean,
    minimum,
    mode,
    nth_previous,
    share,
    since_first,
    since_last,
    std,
    total,
)
from tidegate.features.entity_list import entity_list
from tidegate.models.reason import ModelReason

if TYPE_CHECKING:
    from tidegate.connectors.store import Store
    from tidegate.decisions.dmn.model import DmnModel, DmnResult, read_dmn
    from tidegate.models.registry import Registry
    from tidegate.runtimes.engine import Engine, Learned, Refused

_LATER = {
    "DmnModel": "tidegate.decisions.dmn.model",
    "DmnResult": "tidegate.decisions.dmn.model",
    "Engine": "tidegate.runtimes.engine",
    "Learned": "tidegate.runtimes.engine",
    "Refused": "tidegate.runtimes.engine",
    "Registry": "tidegate.models.registry",
    "Store": "tidegate.connectors.store",
    "read_dmn": "tidegate.decisions.dmn.model",
}


def __getattr__(name: str) -> Any:
    """What runs flows is imported when first asked for: declaring a flow needs none of the kernels."""
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'tidegate' has no attribute {name!r}")


__all__ = [
    "ContractError",
    "Decision",
    "DecisionTable",
    "DmnModel",
    "DmnResult",
    "DocumentError",
    "DrlPackage",
    "Engine",
    "Event",
    "Field",
    "FiredRule",
    "Flow",
    "FlowError",
    "Label",
    "Learned",
    "ListChange",
    "MatchedRow",
    "ModelError",
    "ModelReason",
    "ModelUse",
    "Money",
    "PackageUse",
    "Personal",
    "Refused",
    "Registry",
    "Scaling",
    "Scorecard",
    "ScorecardReason",
    "ScorecardUse",
    "ScoredBin",
    "SnapshotError",
    "Snooze",
    "Store",
    "StoreError",
    "TableUse",
    "TidegateError",
    "approve",
    "as_number",
    "at_most",
    "bands",
    "bins",
    "ceil",
    "clip",
    "contains",
    "count",
    "day",
    "days",
    "deadline",
    "decline",
    "distinct",
    "drools",
    "ends_with",
    "entity",
    "entity_list",
    "eur",
    "exp", "feel",
    "first",
    "floor",
    "gbp",
    "greatest",
    "has_seen",
    "hour",
    "hours",
    "is_in",
    "is_missing",
    "last_value",
    "least",
    "length",
    "log",
    "log1p",
    "log10",
    "lower",
    "maximum",
    "mean",
    "minimum",
    "minute",
    "mode",
    "model",
    "month",
    "nth_previous",
    "read_dmn",
    "review",
    "round_",
    "scorecard",
    "seconds",
    "share",
    "since_first",
    "since_last",
    "sqrt",
    "starts_with",
    "std",
    "table",
    "total",
    "units",
    "upgrades",
    "upper",
    "usd",
    "weekday",
    "where",
    "year",
]  # fmt: skip
