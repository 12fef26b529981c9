"""`tidegate verify`: was anything in the store touched?"""

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.options import DEFAULT_STORE, AsJson, StorePath, opened
from tidegate.cli.terminal import aside, emit, next_steps, out, several

if TYPE_CHECKING:
    from tidegate.evidence.record import TreeHead


def verify(
    store: StorePath = DEFAULT_STORE,
    head: Annotated[
        str, typer.Option(metavar="SIZE:ROOT", help="A tree head kept elsewhere that the log must contain.")
    ] = "",
    refusals: Annotated[
        str, typer.Option(metavar="SIZE:ROOT", help="The same of the refusals, which have a log of their own.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Compute every seal of a store anew. Names the first thing that was touched, and then ends with exit code 1."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tidegate.evidence.log import verify as verified

    kept, kept_refusals = _head(head), _head(refusals)
    bar = Progress(
        TextColumn("checking seals"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=aside(),
        transient=True,
    )
    with opened(store) as opened_store, bar:
        task = bar.add_task("", total=None)
        result = verified(
            opened_store,
            head=kept,
            refusals=kept_refusals,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    refused = result.refusals
    pinned_refusals = f"{refused.size}:{refused.root.hex()}" if refused is not None else None
    pinned = f"{result.head.size}:{result.head.root.hex()}"
    if as_json:
        fault = result.fault
        emit(
            {
                "ok": result.ok, "records": result.records, "commits": result.commits, "head": pinned,
                "refusals": pinned_refusals,
                "fault": None if fault is None else {n: getattr(fault, n) for n in fault.__struct_fields__},
            }
        )  # fmt: skip
    elif result.fault is not None:
        console = out()
        fault = result.fault
        one = "what is needed for record" if fault.log == "artefacts" else fault.log.removesuffix("s")
        first = f"one of the {fault.log} from {{}} on" if fault.how == "rewritten" else f"{one} {{}}"
        console.print(f"[bold red]Touched:[/] {first.format(fault.seq)}" + (f", {fault.id}" if fault.id else ""))
        console.print(f"  {fault.words}", markup=False, soft_wrap=True)
        if result.records and fault.log != "refusals":
            are = "is as it was" if result.records == 1 else "are as they were"
            before = " before it" if fault.log == "records" else ""
            console.print(f"  The {several(result.records, 'record')}{before} {are} sealed.")
        next_steps("cp BACKUP STORE  put back a copy of the store, then verify again")
    else:
        console = out()
        many = f"{several(result.records, 'record')} in {several(result.commits, 'commit')}"
        console.print(f"[bold green]Untouched.[/] {many} {'is' if result.records == 1 else 'are'} as sealed.")
        console.print(f"  tree head {pinned}", soft_wrap=True)
        if refused is None:
            aside().print("Refusals are not sealed yet: they are once a server opens this store.", style="dim")
        elif refused.size:
            said = "1 refusal is as it was" if refused.size == 1 else f"{refused.size:,} refusals are as they were"
            console.print(f"  {said} sealed, tree head {pinned_refusals}", soft_wrap=True)
        if not head:
            also = f" --refusals {pinned_refusals}" if refused is not None and refused.size else ""
            next_steps(
                f"tidegate verify --store {store} --head {pinned}{also}  "
                "keep the tree head elsewhere; later, this proves that nothing before it changed"
            )
    if not result.ok:
        raise typer.Exit(1)


def _head(text: str) -> "TreeHead | None":
    if not text:
        return None
    from tidegate.errors import TidegateError
    from tidegate.evidence.record import TreeHead

    size, _, root = text.partition(":")
    try:
        made = TreeHead(int(size), bytes.fromhex(root))
    except ValueError:
        made = None
    if made is None or len(made.root) != 32 or made.size < 0:
        raise TidegateError(
            "A tree head is SIZE:ROOT, a number and 64 hexadecimal digits.",
            seen=text,
            do="Copy it from what `tidegate verify` printed.",
        )
    return made
