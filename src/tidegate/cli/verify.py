"""`tidegate verify`: was anything in the store touched?"""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.options import DEFAULT_STORE, AsJson, StoreAddress, opened
from tidegate.cli.proofs import check_proof, print_proofs, tree_head
from tidegate.cli.terminal import aside, emit, next_steps, out, quoted, several

_PLACES = {"artefacts": "what is needed for record", "ids": "the id of record"}
"""What a fault is called that is in neither log, before the number of the record."""


def verify(
    store: StoreAddress = DEFAULT_STORE,
    head: Annotated[
        str, typer.Option(metavar="SIZE:ROOT", help="A tree head kept elsewhere that the log must contain.")
    ] = "",
    refusals: Annotated[
        str, typer.Option(metavar="SIZE:ROOT", help="The same of the refusals, which have a log of their own.")
    ] = "",
    prove: Annotated[
        str, typer.Option(metavar="ID", help="Print the proof that this record is in the log, as JSON, and do no more.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="SIZE[:ROOT]",
            help="Print the proof that the log only grew since it had so many records, as JSON, and do no more.",
        ),
    ] = "",
    proof: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check a proof that was printed so; it needs no store.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute every seal of a store anew. Names the first thing that was touched, and then ends with exit code 1.

    A proof is for someone who has neither the store nor this program: it is checked as in RFC 9162.
    """
    if proof is not None:
        check_proof(proof, tree_head(head) if head else None, as_json=as_json)
        return
    if prove or since:
        print_proofs(store, prove, since)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tidegate.evidence.log import verify as verified
    from tidegate.releases.statement import rests_on

    kept, kept_refusals = (tree_head(text) if text else None for text in (head, refusals))
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
            named=rests_on,
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
        from rich.text import Text

        console = out()
        fault = result.fault
        one = _PLACES.get(fault.log) or fault.log.removesuffix("s")
        first = f"one of the {fault.log} from {{}} on" if fault.how == "rewritten" else f"{one} {{}}"
        if fault.log == "ids" and fault.id is None:
            first = "the index of ids"
        which = f" {first.format(fault.seq)}" + (f", {fault.id}" if fault.id else "")
        console.print(Text.assemble(("Touched:", "bold red"), which), soft_wrap=True)
        console.print(f"  {fault.words}", markup=False, soft_wrap=True)
        if result.records and fault.log != "refusals":
            are = "is as it was" if result.records == 1 else "are as they were"
            before = " before it" if fault.log == "records" else ""
            console.print(f"  The {several(result.records, 'record')}{before} {are} sealed.")
        if fault.log == "ids" and fault.how != "repeated":
            next_steps(
                f"tidegate store copy {quoted(store)} NEW  a store with a new index, of the same records and seals"
            )
        else:
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
                f"tidegate verify --store {quoted(store)} --head {pinned}{also}  "
                "keep the tree head elsewhere; later, this proves that nothing before it changed"
            )
    if not result.ok:
        raise typer.Exit(1)
