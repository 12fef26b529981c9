"""Entities: whom an event is about, as typed keys."""

from typing import Any, ClassVar

from tidegate.errors import FlowError, nearest


class EntityKey:
    """What every entity type derives from; made by `entity`, never by hand."""

    entity_name: ClassVar[str]
    key_type: ClassVar[type]


def entity_meant(given: object) -> str:
    """The entity that is meant where its name, or one like it, is given in its place; nothing if there is none."""
    known = {word: kind for kind in EntityKey.__subclasses__() for word in (kind.__name__, kind.entity_name)}
    near = nearest(given, sorted(known)) if isinstance(given, str) else ""
    return f"Did you mean {known[near].__name__}, the entity itself and not its name?" if near else ""


def entity(name: str, key: type = str) -> Any:
    """A kind of thing that events are about: `Card = entity("card")`, used as the type of a field and in `per=`.

    Args:
        name: what it is called in contracts and explanations.
        key: `str` or `int`, the type of its keys.
    """
    if key not in (str, int):
        raise FlowError(
            "The key of an entity is str or int.",
            seen=repr(key),
            do="Write key=int for whole numbers; leave it out for texts.",
        )
    if not name.replace("_", "").replace("-", "").isalnum():
        raise FlowError("An entity's name is letters, digits, - and _.", seen=repr(name))
    return type(name.title().replace("-", "").replace("_", ""), (EntityKey,), {"entity_name": name, "key_type": key})
