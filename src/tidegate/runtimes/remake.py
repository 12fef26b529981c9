"""Making a decision again, from its own record and nothing else: no flow file, no windows, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from tidegate.connectors.store import Store
from tidegate.decisions.answer import EDITION, Answers
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision, to_json
from tidegate.decisions.encode import Encoder
from tidegate.decisions.plan import READ, Plan, load
from tidegate.errors import StoreError
from tidegate.evidence.artefacts import Program
from tidegate.evidence.erasure import is_blank
from tidegate.evidence.proof import require_sealed
from tidegate.evidence.record import Stored
from tidegate.models.artefact import verified
from tidegate.models.reason import ModelReason
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.erasing import erased
from tidegate.runtimes.records import Record

_AGAIN = "Run `tidegate verify`: it names the first record that was touched. Then put back a copy of the store."


@dataclass(frozen=True)
class Remade:
    """A decision that was made again.

    Args:
        answer: what came out, as JSON.
        stored: what was answered then.
        difference: where the two first differ, in words; empty if they are the same, byte for byte.
    """

    answer: bytes
    stored: bytes
    difference: str

    @property
    def equal(self) -> bool:
        """Whether the same came out, byte for byte."""
        return self.answer == self.stored


def remake(store: Store, id: str) -> Remade:
    """Make a decision again from what the store holds of it: the event, its past, the plan of its flow and its models.

    Raises:
        StoreError: the store holds no decision of this id, its record is not what was sealed, or what it rests on is
            missing or damaged.
        ModelError: a model's artefact was changed.
    """
    kept = store.get(id)
    if kept is not None and is_blank(kept):
        raise erased(store, kept)
    if kept is None or kept.answer is None:
        raise StoreError(
            f"The store {store.address} holds no decision {id!r}.", do="List them with `tidegate decisions`."
        )
    require_sealed(store, kept)
    plan, models = program(store, kept.flow)
    answer = to_json(again(plan, models, kept))
    return Remade(answer, kept.answer, difference(answer, kept.answer))


def program(store: Store, flow: bytes) -> tuple[Plan, dict[str, ScoringModel]]:
    """The plan and the models that are kept under a flow's digest.

    Raises:
        StoreError: they are not in the store, or damaged.
        ModelError: a model's artefact was changed.
    """
    try:
        found = msgspec.msgpack.decode(store.get_artefact(flow)[1], type=Program)
        plan = load(found.plan)
    except msgspec.DecodeError as error:
        raise StoreError("The flow that made this decision cannot be read.", seen=str(error), do=_AGAIN) from None
    models = {}
    for reference, digest in found.models.items():
        contents = msgspec.msgpack.decode(store.get_artefact(digest)[1], type=dict[str, bytes])
        models[reference] = verified(contents, reference).model()
    return plan, models


def reasons_of(store: Store, kept: Stored) -> tuple[ModelReason, ...]:
    """What moved the models in a decision, also one whose answer names no reasons, as one that approves need not.

    Raises:
        StoreError: what it rests on is missing or damaged.
        ModelError: a model's artefact was changed.
    """
    plan, models = program(store, kept.flow)
    return again(plan, models, kept, explain=True).reasons


def again(plan: Plan, models: Mapping[str, ScoringModel], kept: Stored, *, explain: bool = False) -> Decision:
    """The decision that a plan and its models make of a record.

    With `explain` all is told that can be, in today's words; without it what was told then, to the letter.

    Raises:
        StoreError: the record does not fit the plan.
    """
    first = msgspec.json.decode(kept.answer or b"{}", type=Decision)
    decider = Decider(plan, models, 1)
    try:
        record = msgspec.msgpack.decode(kept.record, type=Record)
        fields: dict[str, Any] = msgspec.json.decode(kept.body)
    except msgspec.DecodeError as error:
        raise StoreError(f"The record of {kept.id!r} cannot be read.", seen=str(error), do=_AGAIN) from None
    past = np.frombuffer(record.past, dtype=np.int64)
    if len(past) != len(decider.remembered):
        raise StoreError(
            f"The record of {kept.id!r} does not fit the flow that it names.",
            seen=f"{len(past)} values from the past, where the flow has {len(decider.remembered)}",
            do=_AGAIN,
        )
    if len(record.packages) != len(decider.packages):
        raise StoreError(
            f"The record of {kept.id!r} does not fit the flow that it names.",
            seen=f"{len(record.packages)} answers of packages of rules, where it asks {len(decider.packages)}",
            do=_AGAIN,
        )
    encoder = Encoder(plan, decider.words, 1)
    decider.kinds[0], decider.flags[0] = 0, READ
    encoder.put_plain(0, 0, fields)
    encoder.scatter(decider.cells, decider.kinds, 1)
    decider.cells[decider.remembered, 0] = past
    decider.words.update(record.words)
    decider.again(1, {0: record.silenced} if record.silenced else None, record.packages)
    if record.cap >= 0:
        # How often the flow had decided so by then is the past's, so the record says whether a limit applied.
        decider.settled[0, 0] = plan.caps[record.cap].then
        decider.limited[0] = record.cap
    explained = first.features is not None
    answers = Answers(decider, explain=explain or explained, edition=EDITION if explain else record.edition)
    return answers.decision(0, kept.id, fields.get, record.overdue)


def difference(made: bytes, stored: bytes) -> str:
    """Where a decision that was made again first differs from what it was; empty if it is the same, byte for byte."""
    if made == stored:
        return ""
    now, then = msgspec.json.decode(made), msgspec.json.decode(stored)
    return _first(now, then, "") or "only the spelling of the JSON differs"


def _first(now: Any, then: Any, place: str) -> str:
    """The first place where two JSON values differ, by its pointer, and both values."""
    if isinstance(now, dict) and isinstance(then, dict):
        for name in [*then, *(n for n in now if n not in then)]:
            found = _first(now.get(name), then.get(name), f"{place}/{name}")
            if found:
                return found
        return ""
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return next(
            (found for i, (a, b) in enumerate(zip(now, then, strict=True)) if (found := _first(a, b, f"{place}/{i}"))),
            "",
        )
    return "" if now == then else f"{place or 'the whole'} was {_short(then)} and is now {_short(now)}"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else text[:117] + "…"
