"""Options that several commands take, so that they are called and mean the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from tidegate.connectors.store import Store
    from tidegate.evidence.record import Stored

StoreAddress = Annotated[
    Address,
    typer.Option(
        "--store", "-s", envvar="TIDEGATE_STORE", parser=Address, metavar="STORE", help="The store to look into."
    ),
]
ModelsPath = Annotated[
    Path, typer.Option("--models", "-m", envvar="TIDEGATE_MODELS", help="The folder of stored models.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
FlowPlace = Annotated[
    str, typer.Argument(metavar="FLOW", help="FILE.py, FILE.py:ClassName, or the name of a flow that we ship.")
]
Override = Annotated[
    bool, typer.Option("--override", help="Do it although a model's reasons fall short or were never measured.")
]
OverrideWhy = Annotated[str, typer.Option("--why", help="With --override: why, in words; it is kept.")]
WithoutModels = Annotated[
    bool,
    typer.Option(
        "--without-models", help="Go on although a model is not in the folder of --models; its otherwise is used."
    ),
]
OtherFlowOk = Annotated[
    bool,
    typer.Option(
        "--other-flow-ok", help="Go on in a store that a flow of another name wrote, with what that one learned."
    ),
]
EventId = Annotated[str, typer.Argument(metavar="ID", help="The event's id.")]

DEFAULT_STORE = Address("tidegate.db")
DEFAULT_MODELS = Path("models")


def opened(address: Address | Path) -> "Store":
    """The store, to be read only: something else may be writing to it.

    Raises:
        StoreError: there is none, or it is damaged.
    """
    from tidegate.connectors.store import Store
    from tidegate.errors import StoreError

    address = Address(address)
    if address.missing:
        raise StoreError(
            f"There is no store {address}.",
            do="Name one with --store PATH or TIDEGATE_STORE; `tidegate serve`, `tidegate replay --store` and "
            "`tidegate demo` make one.",
        )
    return Store.open(address, read_only=True)


def found(store: "Store", id: str) -> "Stored":
    """The record of a decision.

    Raises:
        StoreError: the store has none of this id, the event was only learned from, or the record is not what was
            sealed.
    """
    from tidegate.errors import StoreError
    from tidegate.evidence.erasure import is_blank
    from tidegate.evidence.proof import require_sealed
    from tidegate.runtimes.erasing import erased

    record = store.get(id)
    if record is None:
        near = [listed.id for listed in store.list(text=id, limit=3)] if id else []
        raise StoreError(
            f"The store {store.address} holds no event {id!r}.",
            seen=f"{store.head().size:,} records",
            do=f"Did you mean {', '.join(near)}?"
            if near
            else f"List them with `tidegate decisions --store {store.address}`.",
        )
    if is_blank(record):
        raise erased(store, record)
    if record.answer is None:
        raise StoreError(
            f"{id} was learned from, not decided on.",
            seen=f"a {record.kind} event, record {record.seq}",
            do=f"List decisions with `tidegate decisions --store {store.address}`.",
        )
    require_sealed(store, record)
    return record
