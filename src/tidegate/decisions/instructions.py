"""The instructions that there are, and which of them a flow has a use for."""

import difflib
import re
from typing import Any

from tidegate.decisions.definition import Definition
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.lists import ListChange
from tidegate.decisions.snooze import Snooze
from tidegate.errors import ContractError

INSTRUCTIONS: tuple[type[Instruction], ...] = (ListChange, Snooze)
"""What every flow takes beside its own events."""

_WHOLE = re.compile(r"-?[0-9]{1,19}")


class Instructions:
    """Tells the instructions that a flow has a use for from those that are mistakes.

    Args:
        flow: the flow.
    """

    def __init__(self, flow: Definition) -> None:
        self._name, self._rules = flow.name, tuple(flow.rules)
        self._lists = {known.name: known.entity for known in flow.lists}
        fields = flow.event.__contract__.values()
        self._entities = {f.entity.entity_name: f.entity for f in fields if f.entity is not None}

    def require(self, event: Instruction) -> None:
        """Raise ContractError, with its place, if this is a mistake."""
        if isinstance(event, Snooze):
            self._require_snooze(event)
        elif isinstance(event, ListChange):
            of = self._lists.get(event.list)
            if of is None:
                near = difflib.get_close_matches(event.list, self._lists, 1)
                do = f"Did you mean {near[0]}?" if near else f"It reads {', '.join(self._lists) or 'none'}."
                raise ContractError("The flow reads no such list.", seen=event.list, do=do, pointer="/list")
            _fits(event.key, of)
            if event.listed and event.until is not None and event.until < event.at:
                raise ContractError(
                    "An entry of a list ends after it begins, so this one would list nobody.",
                    seen=event.until.isoformat(), do="Give a later `until`, or leave it out; to take an entity off a "
                    'list send "listed": false.', pointer="/until",
                )  # fmt: skip

    def _require_snooze(self, event: Snooze) -> None:
        if event.rule not in self._rules:
            near = difflib.get_close_matches(event.rule, self._rules, 1)
            do = f"Did you mean {near[0]}?" if near else f"Its rules are {', '.join(self._rules)}."
            raise ContractError(f"{self._name} has no rule {event.rule}.", seen=event.rule, do=do, pointer="/rule")
        of = self._entities.get(event.entity)
        if of is None:
            do = f"It is about {', '.join(self._entities) or 'no entity'}."
            raise ContractError(
                f"A decided event is about no {event.entity}.", seen=event.entity, do=do, pointer="/entity"
            )
        _fits(event.key, of)
        if event.until < event.at:
            raise ContractError("A snooze ends after it begins.", seen=event.until.isoformat(), pointer="/until")
        if not event.because.strip():
            do = "Write why; decisions made meanwhile tell it."
            raise ContractError("A snooze says why, in words.", seen=repr(event.because), do=do, pointer="/because")


def _fits(key: str, of: Any) -> None:
    """Raise ContractError unless this is a key of the entity."""
    if of.key_type is int and not (_WHOLE.fullmatch(key) and abs(int(key)) < 2**63):
        raise ContractError(f"A {of.entity_name} is a whole number of 64 bits.", seen=key, pointer="/key")
