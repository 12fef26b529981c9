"""Lists of entities: allow, block, watch; each entry with the time from which and until which it holds."""

from dataclasses import dataclass
from typing import Any

from tidegate.errors import FlowError
from tidegate.events.entity import EntityKey, entity_meant
from tidegate.events.types import BOOL, Kind
from tidegate.expressions.immutable import fill
from tidegate.expressions.node import Expr


@dataclass(frozen=True)
class EntityList:
    """A named list of entities that a flow reads: `blocked = entity_list("blocked-cards", Card)`.

    Its entries come as `ListChange` events, so they are as durable and as repeatable as everything else.
    """

    name: str
    entity: Any

    def has(self, key: Expr) -> Expr:
        """Whether the key is on the list as of the event's time; missing if the key is."""
        return ListCheck(self, key)


def entity_list(name: str, of: Any) -> EntityList:
    """Declare a list of entities; `of` is the entity type.

    Raises:
        FlowError: `of` is not an entity type.
    """
    if not (isinstance(of, type) and issubclass(of, EntityKey)):
        do = entity_meant(of) or 'Write entity_list("blocked-cards", Card).'
        raise FlowError("A list is of an entity.", seen=repr(of), do=do)
    return EntityList(name, of)


class ListCheck(Expr):
    """Membership of a key in an entity list."""

    __slots__ = ("entity_list",)
    entity_list: EntityList

    def __init__(self, entity_list: EntityList, key: Expr) -> None:
        if not isinstance(key, Expr):
            raise FlowError(
                f"The list {entity_list.name!r} is asked about a field of the event.",
                seen=getattr(key, "__name__", repr(key)),
                do=f"Give a field that is a {entity_list.entity.entity_name}, such as Payment.card.",
            )
        if key.type.kind is not Kind.KEY or key.type.entity != entity_list.entity.entity_name:
            raise FlowError(
                f"The list {entity_list.name!r} is of {entity_list.entity.entity_name} keys.",
                seen=f"{key} ({key.type})",
            )
        fill(self, "entity_list", entity_list)
        fill(self, "args", (key,))
        fill(self, "type", BOOL)

    def _own_key(self) -> tuple[Any, ...]:
        return ("list", self.entity_list.name)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """Whether another key is on the list."""
        return ListCheck(self.entity_list, args[0])

    def write(self, inner: Any) -> str:
        """The text form."""
        return f"entity_list({self.entity_list.name!r}, {self.entity_list.entity.__name__}).has({inner(self.args[0])})"
