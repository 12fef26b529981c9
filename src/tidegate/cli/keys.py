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
        f"Keep it now: {file} holds only its hash. Servers read the file when they start.", style="dim", soft_wrap=True
    )
