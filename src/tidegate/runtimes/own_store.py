"""Whether a store is a flow's own: what another flow learned and decided in it would be taken for its past."""

from collections.abc import Sequence

import msgspec

from tidegate.connectors.store import Store
from tidegate.decisions.definition import Definition
from tidegate.errors import StoreError
from tidegate.evidence.artefacts import Program
from tidegate.evidence.erasure import KIND
from tidegate.evidence.tables import RECORDS

_KIND, _FLOW = ([name for name, _, _ in RECORDS].index(wanted) for wanted in ("kind", "flow"))


class _Named(msgspec.Struct):
    """As much of a plan as says whose it is."""

    flow: str


def require_own_store(store: Store, flow: Definition) -> None:
    """Make sure that a store is empty, or that this flow may go on in it.

    A flow is known by the name of its class, whatever its version, and a challenger by that of the flow it challenges
    too, of which its class is a subclass. So the last record that is no statement of erasure must be of this
    flow, of one that it challenges, or of one that challenges it or the same one.

    Raises:
        StoreError: the last record is of another flow.
    """
    last = flows_of(store)
    if not last or is_of(flow, last):
        return
    raise StoreError(
        f"The store {store.address} is of the flow {last[0]}. {flow.name} is another one, and would take for its past "
        "what it neither learned nor decided.",
        seen=f"{store.head().size:,} records, the last event by {last[0]}",
        do=f"Give {flow.name} a store of its own. A flow is known by the name of its class: a new version keeps that, "
        f"and a challenger is a subclass, as in class {flow.name}({last[0]}). To go on in this store all the same, say "
        "--other-flow-ok (in Python other_flow_ok=True).",
    )


def is_of(flow: Definition, last: Sequence[str]) -> bool:
    """Whether a flow may go on where one of these names was last, which are as of `flows_of`."""
    return not {flow.name, *flow.challenges}.isdisjoint(last)


def flows_of(store: Store) -> list[str]:
    """The name of the flow that took a store's last event, then of those that it challenges; none if it is not told."""
    for seq in range(store.head().size, 0, -1):  # only what was stated since lies behind it
        for row in store.rows(seq - 1, 1):
            if row[_KIND] != KIND:
                return _names(store, row[_FLOW])
    return []


def _names(store: Store, digest: object) -> list[str]:
    """The name of the flow that is kept under this digest, then of those that it challenges; none if it is not told."""
    body = store.artefact_as_kept(digest) if isinstance(digest, bytes) and digest else None
    try:
        program = msgspec.msgpack.decode(body or b"", type=Program)
        return [msgspec.msgpack.decode(program.plan, type=_Named).flow, *program.challenges]
    except msgspec.DecodeError:
        return []
