"""What the columns of a plan mean: the same for the same definition, whatever it is called and how it is numbered."""

import hashlib

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import ListPlan, Plan
from tidegate.expressions.program import OPCODES
from tidegate.features.plan import StreamPlan, WindowPlan

_POOLED = {OPCODES[name] for name in ("in", "hour", "minute", "weekday", "day", "month", "year")}
"""What looks a constant up: its second argument is a place in the pool, and its third a length."""


def digest(*parts: object) -> str:
    """A short digest of what is told by parts."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Meanings:
    """Tells what is in a column before any window is read: fields, functions of text, lists, what is computed of them.

    Args:
        plan: whose columns they are.
    """

    def __init__(self, plan: Plan) -> None:
        self._kinds = [kind.event for kind in plan.kinds]
        self._said: dict[int, str] = {-1: "", AT_COLUMN: "at"}
        self._listed: set[int] = set()
        for column, value in plan.constants:
            self._said[column] = repr(value)
        for kind in plan.kinds:
            for field in kind.fields:
                self._said[field.column] = f"{kind.event}.{field.name} {field.type!r} {field.currency}"
            for text in kind.texts:
                self._said[text.column] = f"{kind.event}.{text.field} {text.steps}"
        waiting = list(plan.lists)
        pool = plan.before.pool
        for code, to, *given in plan.before.code.tolist():
            waiting = self._lists(waiting)
            parts: list[object] = [self._said.get(one, one) for one in given]
            if code in _POOLED:
                place, long = given[1], given[2]
                parts[1:] = [pool[place : place + long].tolist() if long else pool.tobytes()]
            self._said[to] = digest(code, parts)
            if self._listed.intersection(given):
                self._listed.add(to)
        self._lists(waiting)

    def _lists(self, waiting: list[ListPlan]) -> list[ListPlan]:
        """Those lists whose keys are not known yet."""
        for check in waiting:
            if check.key in self._said:
                self._said[check.out] = f"{check.name} of {self._said[check.key]}"
                self._listed.add(check.out)
        return [check for check in waiting if check.key not in self._said]

    def of(self, column: int) -> str:
        """What a column means."""
        return self._said[column]

    def listed(self, column: int) -> bool:
        """Whether it rests on a list."""
        return column in self._listed

    def window(self, stream: StreamPlan, window: WindowPlan) -> str:
        """What a window means: a digest of all that its values depend on."""
        columns = (stream.learn_key, window.read_key, window.value, window.where, window.probe)
        own = (window.aggregate, window.last, window.delay, window.value_float, window.bound, window.with_current)
        return digest(self._kinds[stream.kind], [self.of(column) for column in columns], own, window.n)
