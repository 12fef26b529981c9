"""`tidegate store`: move a store between databases and versions, and let what it need not keep be forgotten."""

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.options import DEFAULT_STORE, StoreAddress, opened
from tidegate.cli.terminal import aside, next_steps, out, quoted, several
from tidegate.connectors.store_address import Address
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.events.event import Event

app = typer.Typer(help="Move a store between databases and versions; prune and erase.", no_args_is_help=True)

Why = Annotated[str, typer.Option("--why", help="The reason; it is kept in the log.")]

_RETENTION = "retention"


@app.command()
def migrate(
    store: StoreAddress = DEFAULT_STORE,
    to: Annotated[str, typer.Option("--to", metavar="REVISION", help="Stop at this one; else at the newest.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Do nothing: print the SQL, for an administrator of PostgreSQL to run.")
    ] = False,
) -> None:
    """Bring a store to a newer revision of its tables. It is one transaction: cut off, the store is as it was.

    A server brings its store up by itself when it starts. Where its user may not change tables, an administrator runs
    what `--sql` prints, also where there is no store yet: `tidegate store migrate --sql | psql -v ON_ERROR_STOP=1`.
    """
    from tidegate.connectors.migrating import sql as written
    from tidegate.connectors.migrating import steps
    from tidegate.connectors.store_upgrade import bring_up, only_as_sql, state
    from tidegate.evidence.tables import REVISION

    to = to or REVISION
    if sql:
        only_as_sql(store)
    at, kept_by_it = state(store)
    todo = steps(at, to)
    if sql:
        typer.echo(written(at, to, kept=kept_by_it) if todo else f"-- {store} has tables of revision {at} already.")
        return
    with opened(store) as kept:
        many = several(kept.head().size, "record")
    out().print(f"{store} has tables of revision {at}; {many}.", soft_wrap=True, highlight=False)
    for step in todo:
        out().print(f"  {step.revision}  {step.words}", soft_wrap=True, highlight=False, markup=False)
    if todo and not dry_run:
        bring_up(store, to)
        out().print(f"It has tables of revision {to} now.", highlight=False)
    elif not todo:
        aside().print("There is nothing to do.", style="dim")


@app.command()
def copy(
    source: Annotated[Address, typer.Argument(parser=Address, metavar="FROM", help="The store to copy.")],
    into: Annotated[Address, typer.Argument(parser=Address, metavar="TO", help="Where to; made if it is not there.")],
) -> None:
    """Copy a store into another database, then check every seal of the copy. Cut off, it goes on where it was."""
    from tidegate.connectors.store import Store
    from tidegate.evidence.log import verify
    from tidegate.releases.statement import rests_on
    from tidegate.runtimes.copying import copy as copied

    with opened(source) as kept, Store.open(into) as other:
        head = copied(kept, other)
        refused = [row.size for row in kept.refusal_heads()][-1:]
    with Store.open(into, read_only=True) as other:
        found = verify(other, head=head, named=rests_on)
    if not found.ok:
        out().print(f"[bold red]The copy does not hold:[/] {found.fault.words if found.fault else ''}", soft_wrap=True)
        raise typer.Exit(1)
    said = f"{several(head.size, 'record')} and {several(sum(refused), 'refusal')} are in {into}, sealed as before."
    out().print(said, soft_wrap=True, highlight=False)
    out().print(f"  tree head {head.size}:{head.root.hex()}", soft_wrap=True)
    next_steps(f"tidegate serve FLOW --store {into}  go on from there; the state is made from the records")


@app.command()
def prune(
    older_than: Annotated[int, typer.Option("--older-than", min=1, metavar="DAYS", help="Keep records so long.")],
    store: StoreAddress = DEFAULT_STORE,
    why: Annotated[str, typer.Option("--why", show_default=_RETENTION, help="The reason; it is kept in the log.")] = "",
    flow: Annotated[
        str,
        typer.Option(
            "--flow",
            metavar="FLOW",
            help="Refuse if a window or limit of it looks back further than --older-than.",
        ),
    ] = "",
    override: Annotated[
        bool, typer.Option("--override", help="With --flow and --why: prune although it looks back further.")
    ] = False,
) -> None:
    """Erase what records of old events said, and keep their seals. Records that snapshots still need are left.

    Name the flow that decides on them with --flow: where its state is made anew, as after a change of windows, it is
    without what was pruned.

    A stream's store is brought to where its stream is first, with `tidegate run … --catch-up`. Prune one store of a
    stream: those of other instances follow.
    """
    from tidegate.connectors.store import Store
    from tidegate.runtimes.erasing import not_learned
    from tidegate.runtimes.erasing import prune as pruned
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.retention import require_passed

    if override and not (flow and why.strip()):
        raise TidegateError("--override goes with --flow and --why.", do='Give both: --flow FLOW --override --why "…".')
    definition = load_flow(flow).definition if flow else None
    with Store.open(store, create=False) as kept:
        if definition is not None and not override:
            require_passed(kept, definition, older_than)
        many = pruned(kept, older_than, why or _RETENTION)
        left = not_learned(kept, older_than)
    _tell(many, store)
    if many and definition is None:
        aside().print("How far windows look back was not asked: name their flow with --flow.", style="dim")
    if left:
        _warn(
            f"{several(left, 'record')} as old {'is' if left == 1 else 'are'} left: of the snapshots in "
            f"{store.place}.snapshots one has not learned {'it' if left == 1 else 'them'}. Prune again when newer ones "
            "have replaced it: one is written while the flow runs, and when it stops."
        )


@app.command()
def erase(
    entity: Annotated[
        list[str], typer.Option("--entity", metavar="FIELD=VALUE", help="Whose records: card=4711, payee=DE89…")
    ],
    why: Why,
    store: StoreAddress = DEFAULT_STORE,
    flow: Annotated[
        str,
        typer.Option(
            "--flow",
            metavar="FLOW",
            help="Look in all fields that its events have of that entity; say what is left.",
        ),
    ] = "",
) -> None:
    """Erase what every record of one person, card or other entity said, and keep the seals.

    The server must be stopped; a stream too, of which one store is erased from, brought to where the stream is first
    with `tidegate run … --catch-up`: those of other instances follow. The index of alerts beside the store forgets at
    once, and so do windows: snapshots are deleted, and the next start learns anew from what is left. Others who were
    told of the decisions are told that they are gone, when deliveries go on. Backups are not touched.
    """
    from tidegate.connectors.store import Store
    from tidegate.runtimes.erasing import erase as erased
    from tidegate.runtimes.erasing import forget_beside
    from tidegate.runtimes.erasing_by import fields_meant, fields_of, not_reached, require_recorded
    from tidegate.runtimes.load import load_flow

    given, kinds = _each_once(entity), list["type[Event]"]()
    fields, meant = given, {name: [name] for name in given}
    if flow:
        kinds = [*load_flow(flow).definition.kinds]
        fields = fields_meant(kinds, given)
        meant = {name: fields_of(kinds, name) for name in given}
    met = set[str]()
    with Store.open(store, create=False) as kept:
        if not flow:
            require_recorded(kept, fields)
        many = erased(kept, fields, why, met=met)
        forgotten = forget_beside(kept)
    _tell(many, store)
    for name, looked_in in meant.items():
        if met.isdisjoint(looked_in):
            _warn(f"No record has {name}={given[name]}, in the field {' or '.join(looked_in)}.")
    if flow:
        aside().print(f"Looked for in the fields {', '.join(fields)}.", style="dim")
    for kind, names in not_reached(kinds, fields).items():
        _warn(f"{kind} events have personal data ({', '.join(names)}) and none of these fields: erase by theirs too.")
    _still_there(store, windows=not forgotten)


def _each_once(entity: list[str]) -> dict[str, str]:
    """Whom `--entity` names, by field or entity.

    Raises:
        TidegateError: one is named twice, of which only the last would be erased.
    """
    from tidegate.cli.inputs import pairs

    given = pairs(entity, "--entity", "card=4711")
    if len(given) < len(entity):
        raise TidegateError("--entity takes each field once.", seen=f"{len(entity)} of them, of {', '.join(given)}",
                            do="Erase for one after the other.")  # fmt: skip
    return given


def _still_there(store: Address, *, windows: bool) -> None:
    """Say what else beside the store may hold what was erased from it."""
    if windows:
        _warn(f"Snapshots in {store.place}.snapshots still count it in: windows of what was pruned rest on them.")
    shadow = store.place.with_name(f"{store.place.name}.shadow")
    if shadow.exists():
        _warn(f"The challenger's store has the same events: erase there too, with --store {shadow}.")


def _warn(said: str) -> None:
    aside().print(said, style="yellow", soft_wrap=True, markup=False)


def _tell(many: int, store: Address) -> None:
    if not many:
        out().print("Nothing was erased.", highlight=False)
        return
    out().print(f"{several(many, 'record')} erased; what they were sealed with is kept.", highlight=False)
    aside().print("A statement of which and why is in the log.", style="dim")
    next_steps(f"tidegate verify --store {quoted(store)}  nothing else was changed")
