"""What `tidegate verify` hands to others and takes from them: proofs of a record, and of the log's growth."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tidegate.cli.options import opened
from tidegate.cli.terminal import emit, next_steps, out
from tidegate.connectors.store_address import Address

if TYPE_CHECKING:
    from tidegate.evidence.record import TreeHead


def tree_head(text: str) -> "TreeHead":
    """A tree head as it is typed and printed.

    Raises:
        TidegateError: it is none.
    """
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


def print_proofs(store: Address, id: str, since: str) -> None:
    """Print the proofs that were asked for, of one and the same tree head."""
    from tidegate.evidence.proof import prove, prove_growth
    from tidegate.evidence.record import TreeHead

    told: dict[str, Any] = {}
    begin = TreeHead(int(since), b"") if since.isdecimal() else tree_head(since) if since else None
    with opened(store) as kept:
        head = kept.head()
        if id:
            told["inclusion"] = prove(kept, id, head)
        if begin is not None:
            told["consistency"] = prove_growth(kept, begin.size, begin.root or None, head)
    emit(told)
    next_steps("tidegate verify --proof FILE --head SIZE:ROOT  what who has the proof, and a tree head, may type")


def check_proof(file: Path, head: "TreeHead | None", *, as_json: bool) -> None:
    """Say whether the proofs in a file hold, for a tree head that one has from elsewhere; exit code 1 if not."""
    inclusion, consistency = _proofs_in(file)
    from tidegate.evidence.proof import grown, proven

    found = {}
    if inclusion is not None:
        found["inclusion"] = proven(inclusion, head)
    if consistency is not None:
        found["consistency"] = grown(consistency, new=head)
    ok = all(found.values())
    if as_json:
        emit({"ok": ok, **found})
    else:
        console = out()
        if inclusion is not None:
            words = f"{inclusion.get('id')} is record {inclusion.get('seq')} of {inclusion.get('size')}"
            console.print(f"{_holds(found['inclusion'])} {words}", soft_wrap=True)
        if consistency is not None:
            words = f"the log of {consistency.get('second')} records begins with the one of {consistency.get('first')}"
            console.print(f"{_holds(found['consistency'])} {words}", soft_wrap=True)
            console.print(f"  {consistency.get('first')}:{consistency.get('first_root')}", soft_wrap=True)
        if head is None:
            next_steps(
                f"tidegate verify --proof {file} --head SIZE:ROOT  only a tree head from elsewhere proves more "
                "than that the file agrees with itself"
            )
    if not ok:
        raise typer.Exit(1)


def _holds(ok: bool) -> str:
    return "[bold green]Proven:[/]" if ok else "[bold red]Not proven:[/]"


def _proofs_in(file: Path) -> "tuple[dict[str, Any] | None, dict[str, Any] | None]":
    import msgspec

    from tidegate.errors import TidegateError
    from tidegate.events.depth import require_shallow

    try:
        said = file.read_bytes()
        require_shallow(said)
        told = msgspec.json.decode(said, type=dict[str, dict[str, Any]])
        wrong = "" if {"inclusion", "consistency"} & told.keys() else f"{', '.join(told) or 'nothing'}"
    except OSError as error:
        raise TidegateError(f"The proof {file} cannot be read.", seen=error.strerror or str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        told, wrong = {}, str(error)
    if wrong:
        raise TidegateError(
            f"{file} holds no proof.", seen=wrong, do="Give a file with what `tidegate verify --prove ID` printed."
        )
    return told.get("inclusion"), told.get("consistency")
