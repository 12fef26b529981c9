"""`tidegate remake`: make a decision again from its own record."""

import typer

from tidegate.cli.options import DEFAULT_STORE, AsJson, EventId, StoreAddress, found, opened
from tidegate.cli.terminal import aside, out, ready


def remake(id: EventId, store: StoreAddress = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Make a decision again, from its record alone, and compare. The exit code is 1 if it comes out otherwise.

    A record that is not what was sealed is not made again; the exit code is then 2.
    """
    ready()
    import msgspec

    from tidegate.runtimes.remake import remake as remade

    with opened(store) as kept:
        found(kept, id)
        result = remade(kept, id)
    if as_json:
        typer.echo(
            msgspec.json.encode(
                {
                    "id": id,
                    "equal": result.equal,
                    "difference": result.difference or None,
                    "decision": msgspec.Raw(result.answer),
                }
            ).decode()
        )
    else:
        out().print(msgspec.json.format(result.answer, indent=2).decode(), markup=False, soft_wrap=True)
        if result.equal:
            aside().print(
                f"[bold green]The same[/], byte for byte ({len(result.answer):,} bytes), made from its record alone."
            )
        else:
            aside().print(f"[bold red]Not the same:[/] {result.difference}.", soft_wrap=True)
    if not result.equal:
        raise typer.Exit(1)
