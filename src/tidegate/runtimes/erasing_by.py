"""By which fields somebody is erased: those that events of a flow, or the records of a store, have."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from tidegate.connectors.store import Store
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.errors import StoreError, nearest
from tidegate.events.event import Event
from tidegate.events.field import Personal
from tidegate.evidence.artefacts import Program
from tidegate.evidence.erasure import KIND
from tidegate.evidence.record import Row
from tidegate.evidence.tables import RECORDS

_KEY = "key"
"""Whom changes of lists and snoozes name, whatever the flow."""
_KIND, _BODY = (next(at for at, (name, _, _) in enumerate(RECORDS) if name == wanted) for wanted in ("kind", "body"))


class _Field(msgspec.Struct):
    name: str


class _Kind(msgspec.Struct):
    event: str
    fields: list[_Field]


class _Plan(msgspec.Struct):
    """As much of a plan as says what its events are."""

    kinds: list[_Kind]


def fields_meant(kinds: Sequence[type[Event]], given: Mapping[str, str]) -> dict[str, str]:
    """Every field by which events name whom they are to be erased for: of an entity, all of its fields in all types.

    Args:
        kinds: the event types of a flow.
        given: by the name of a field or of an entity, whom it names.

    Raises:
        StoreError: no event type has such a field or entity, or two of them are one entity with two values.
    """
    found: dict[str, str] = {}
    for name, value in given.items():
        for field in fields_of(kinds, name):
            if found.setdefault(field, value) != value:
                raise StoreError(
                    f"{name} and another one of those named are one entity, and have two values.",
                    seen=", ".join(given),
                    do="Erase for one after the other.",
                )
    return found


def fields_of(kinds: Sequence[type[Event]], name: str) -> list[str]:
    """The fields of a flow's events that a name means: of an entity, or of a field of it, all that name the entity.

    Raises:
        StoreError: no event type has such a field or entity.
    """
    fields = [field for kind in kinds for field in kind.__contract__.values()]
    entities = {field.name: field.type.entity for field in fields if field.type.entity}
    entity = entities.get(name, name)
    meant = {field.name for field in fields if field.name == name or field.type.entity == entity}
    if meant or name == _KEY:
        return sorted(meant or {name})
    known = sorted({field.name for field in fields} | set(entities.values()))
    near = nearest(name, known)
    raise StoreError(
        f"No event of this flow has a field or an entity {name}.",
        seen=f"--entity {name}=…",
        do=f"{f'Did you mean {near}? ' if near else ''}There are: {', '.join(known)}.",
    )


def not_reached(kinds: Sequence[type[Event]], fields: Collection[str]) -> dict[str, list[str]]:
    """By event type the fields of personal data of which no record is found by these fields."""
    found = {}
    for kind in kinds:
        contract = kind.__contract__
        if contract.keys().isdisjoint(fields):
            personal = [one.name for one in contract.values() if one.about.personal is not Personal.NONE]
            if personal:
                found[kind.__name__] = personal
    return found


def require_recorded(store: Store, names: Collection[str]) -> None:
    """Make sure that these are fields of what a store records, so that a misspelt one does not find nothing.

    Raises:
        StoreError: one is a field of no event, neither of the flows that the store knows nor of its records.
    """
    known = _known_to_flows(store)
    kinds = {*known, *(kind.__name__ for kind in INSTRUCTIONS)}
    fields = {name for of_kind in known.values() for name in of_kind}
    missing = set(names) - fields - {_KEY}
    for row in _rows(store) if missing else ():
        have = _names_in(row)
        missing -= have
        if not missing:
            return
        if str(row[_KIND]).partition("@")[0] in kinds:
            fields |= have
    if missing:
        name = min(missing)
        raise StoreError(
            f"No event in the store {store.address} has a field {name}, so nothing is erased.",
            seen=f"--entity {name}=…",
            do=f"There are: {', '.join(sorted(fields))}. If it is an entity, say with --flow FLOW of which flow: it is "
            "looked for in all of its fields then."
            if fields
            else "There are no events in it: see whether it is the right store.",
        )


def _known_to_flows(store: Store) -> dict[str, set[str]]:
    """By event type the fields that the flows read which the store knows; what cannot be read is passed over."""
    found: dict[str, set[str]] = {}
    for _, kind, body in store.artefacts():
        if kind != "flow":
            continue
        try:
            plan = msgspec.msgpack.decode(msgspec.msgpack.decode(body, type=Program).plan, type=_Plan)
        except msgspec.DecodeError:
            continue
        for one in plan.kinds:
            found.setdefault(one.event, set()).update(field.name for field in one.fields)
    return found


def _rows(store: Store) -> Iterator[Row]:
    after = 0
    while rows := store.rows(after):
        yield from rows
        after = int(str(rows[-1][0]))


def _names_in(row: Row) -> set[str]:
    """The fields of what a record says; none of a statement of erasure, or where nothing is left."""
    body = row[_BODY]
    if row[_KIND] == KIND or not isinstance(body, bytes):
        return set()
    try:
        return set(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except msgspec.DecodeError:
        return set()
