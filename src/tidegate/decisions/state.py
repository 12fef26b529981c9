"""What a flow's state rests on: flows that know the same of the past go on from each other's snapshots."""

from hashlib import sha256

import msgspec

from tidegate.decisions.plan import KindPlan, Plan, to_plain
from tidegate.events.types import Kind

_ENCODE = msgspec.msgpack.Encoder(enc_hook=to_plain).encode


def state_digest(plan: Plan) -> bytes:
    """SHA-256 of everything that the state of a decider depends on, beside the events themselves.

    That is what is learned: events' fields as far as windows, lists and snoozes read them, what is computed of them
    before any window, the windows, the lists, the limits and how late events may be. What is thought of it is not:
    rules, models, tables, score and level may change, and what is known stays known. Columns are told by their
    numbers, so a change that numbers the windows' own columns anew gives another digest, though little has changed.
    """
    windows = [window for stream in plan.streams for window in stream.windows]
    used = {stream.learn_key for stream in plan.streams} | {check.key for check in plan.lists}
    used |= {column for one in windows for column in (one.read_key, one.value, one.where, one.probe)}
    used |= set(plan.before.code[:, 2:].ravel().tolist())
    parts = (
        [_kind(kind, used) for kind in plan.kinds],
        [(column, value) for column, value in plan.constants if column in used],
        plan.before,
        plan.streams,
        plan.lists,
        plan.packages,  # whose texts are kept with those of windows
        plan.caps,
        plan.lateness,
        plan.worded,
    )
    return sha256(_ENCODE(parts)).digest()


def _kind(kind: KindPlan, used: set[int]) -> tuple[object, ...]:
    """An event type, as far as it is used, and the names of its keys: a rule may be snoozed for any of them."""
    fields = [field for field in kind.fields if field.column in used]
    keys = {field.name: field.type for field in kind.fields if field.type.kind is Kind.KEY}
    return kind.event, kind.version, fields, sorted(keys.items()), [text for text in kind.texts if text.column in used]
