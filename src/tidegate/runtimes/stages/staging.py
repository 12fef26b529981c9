"""How a flow is cut: which stages it has, what each keeps, and what a row carries from one to the next."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import KindPlan, ListPlan, Plan
from tidegate.errors import FlowError
from tidegate.features.plan import MISSING
from tidegate.runtimes.stages.meaning import Meanings, digest
from tidegate.runtimes.stages.rows import HEAD, Words
from tidegate.runtimes.stages.window_stage import window_stages

_STIR = np.uint64(0x9E3779B97F4A7C15)


def columns_of(kind: KindPlan) -> list[int]:
    """The columns that are filled from an event of this type."""
    return [*(field.column for field in kind.fields), *(text.column for text in kind.texts)]


def shards_of(keys: Words, shards: int) -> Words:
    """The shard of each key; -1 where it is missing."""
    stirred = (keys.view(np.uint64) ^ (keys.view(np.uint64) >> np.uint64(31))) * _STIR
    found = ((stirred >> np.uint64(33)) % np.uint64(shards)).astype(np.int64)
    found[keys == MISSING] = -1
    return found


@dataclass(frozen=True)
class ListStage:
    """A stage in which entity lists are asked: for each event type the column of the key that it is kept by."""

    number: int
    keys: dict[int, int]
    checks: tuple[ListPlan, ...]


class Staging:
    """A plan, cut into stages.

    Stage 0 takes events in; then come the stages of lists, those of windows, and the decision.

    Args:
        plan: of the flow.
        shards: in how many parts each stage can be kept.
        rebuilt: the numbers of stages that learn history, that is, events that the others have learned before.

    Raises:
        FlowError: the flow has something in it that cannot be cut, or there is no shard.
    """

    def __init__(self, plan: Plan, shards: int = 32, rebuilt: Collection[int] = ()) -> None:
        if not 1 <= shards <= 1024:
            raise FlowError("A flow is kept in 1 to 1024 shards.", seen=str(shards))
        if plan.packages:
            raise FlowError(
                f"{plan.flow} asks a package of rules in DRL, which does not run in stages.",
                seen=plan.packages[0].name,
                do="Run it with `tidegate run` or `tidegate serve`.",
            )
        _require_no_texts(plan)
        self.plan, self.shards, self.rebuilt, self._meanings = plan, shards, frozenset(rebuilt), Meanings(plan)
        self._kind_of = {f.column: k for k, kind in enumerate(plan.kinds) for f in kind.fields}
        self.lists = self._list_stages()
        self.windows = window_stages(plan, self._meanings, 1 + len(self.lists))
        self.decision = 1 + len(self.lists) + len(self.windows)
        self.decision_shards = 1 if plan.caps else shards
        """Limits look at all decisions, so they are made in one shard."""
        self.first = HEAD + self.decision  # of the cells: before them the shards of stages 1 to `decision`
        said = [tuple(check.out for check in stage.checks) for stage in self.lists]
        said += [stage.outs for stage in self.windows]
        fields = {c for kind in plan.kinds for c in columns_of(kind)} - {AT_COLUMN}
        carried = sorted(fields)
        self._carries = [0, len(carried)]
        for outs in said:
            carried += outs
            self._carries.append(len(carried))
        self.carried = np.array(carried, np.int64)
        """The columns of a row that comes to the decision; a row to an earlier stage has the first of them."""
        self.places = {number: slice(self.width(number), self.width(number + 1)) for number in range(1, self.decision)}
        """The words of a row that a stage adds."""
        self.worded = [[column for column in columns_of(kind) if column in plan.worded] for kind in plan.kinds]

    def width(self, stage: int) -> int:
        """How many words a row has that comes to a stage."""
        return self.first + self._carries[stage] if stage else HEAD

    def route(self, stage: int) -> int:
        """The word of a row that says which shard of a stage it goes to."""
        return HEAD + stage - 1

    def marks(self) -> list[str]:
        """What the stages in order keep, by its definition: what has the same mark in two flows is the same."""
        lists = [
            digest(sorted((c.name, c.whole, self._meanings.of(c.key)) for c in stage.checks)) for stage in self.lists
        ]
        windows = [stage.meaning for stage in self.windows]
        return ["events", *lists, *windows, "limited" if self.plan.caps else "decided"]

    def names(self) -> list[str]:
        """The stages in order, as a person would call them."""
        field = {f.column: f"{kind.event}.{f.name}" for kind in self.plan.kinds for f in kind.fields}
        found = ["events taken in, by id"]
        for asked in self.lists:
            found.append("lists asked, by " + " and ".join(field[c] for c in asked.keys.values()))
        found += [f"windows, by {field.get(kept.key, 'a pair of keys')}" for kept in self.windows]
        whole = ", in one shard, since its limits look at all of them" if self.plan.caps else ""
        return [*found, f"decisions{whole}"]

    def _list_stages(self) -> tuple[ListStage, ...]:
        """The first stage asks about the first key of each event type that has one, the second about the second, …"""
        asked: dict[int, dict[int, list[ListPlan]]] = {}
        for check in self.plan.lists:
            asked.setdefault(self._kind_of[check.key], {}).setdefault(check.key, []).append(check)
        stages = []
        for place in range(max(map(len, asked.values()), default=0)):
            keys = {kind: list(of)[place] for kind, of in asked.items() if place < len(of)}
            checks = [check for kind, key in keys.items() for check in asked[kind][key]]
            stages.append(ListStage(1 + place, keys, tuple(checks)))
        return tuple(stages)


def _require_no_texts(plan: Plan) -> None:
    """A stage has the cells of texts and not their wording, which FEEL's exact evaluator would have to be given."""
    for segment in plan.segments:
        for one in segment.texts:
            word = next((given.name for given in one.inputs if given.type.is_word), None)
            if word is not None:
                raise FlowError(
                    f"{plan.flow} asks FEEL of the text {word} together with numbers that doubles may leave open, "
                    "which does not run in stages.",
                    seen=one.text,
                    do='Cut it in two: (Payment.country == "FR") & feel("amount / n > 3", …).',
                )
