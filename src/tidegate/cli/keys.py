"""`tidegate keys`: API keys of a server."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.terminal import aside

app = typer.Typer(help="API keys of a server.", no_args_is_help=True)

_File = Annotated[
    Path, typer.Option("--file", "-f", envvar="TIDEGATE_KEYS", help="The file of keys; it holds hashes only.")
]


@app.callback()
def _keys() -> None:
    pass


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who the key is for, such as shop-1.")],
    file: _File = Path("keys.txt"),
) -> None:
    """Draw a key and print it; it is shown this once, and only its hash is kept."""
    from tidegate.runtimes.serve.keys import add_key

    typer.echo(add_key(file, name))
    aside().print(
        f"Keep it now: {file} holds only its hash. Servers that use the file take the key within a second or two.",
        style="dim",
        soft_wrap=True,
    )


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Whose key to take away.")],
    file: _File = Path("keys.txt"),
) -> None:
    """Take a key away; servers that use the file refuse it within a second or two."""
    from tidegate.runtimes.serve.keys import remove_key

    remove_key(file, name)
    aside().print(f"{name} is out of {file}.", style="dim", soft_wrap=True)


@app.command("list")
def list_(file: _File = Path("keys.txt")) -> None:
    """Whose keys there are, one a line."""
    from tidegate.runtimes.serve.keys import names_in

    for name in names_in(file):
        typer.echo(name)
