"""What a person types. Each command is a file here; what it needs is imported when it is called, so help is quick."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperGroup

from tidegate.cli.terminal import program_version, tell
from tidegate.errors import TidegateError, nearest

_COMMANDS = (
    ("new", "Start"), ("check", "Start"), ("table", "Start"), ("demo", "Start"), ("world", "Start"),
    ("replay", "Run"), ("serve", "Run"), ("run", "Run"), ("dead-letters", "Run"), ("flink", "Run"), ("keys", "Run"),
    ("compare", "Change"), ("shadow", "Change"), ("people", "Change"), ("propose", "Change"), ("sign", "Change"),
    ("release", "Change"), ("rollback", "Change"), ("history", "Change"),
    ("features", "Train"), ("train", "Train"), ("scorecard", "Train"), ("models", "Train"), ("pmml", "Train"),
    ("dmn", "Bring what you have"), ("drools", "Bring what you have"),
    ("schemas", "Bring what you have"),
    ("decisions", "Look into a store"), ("alerts", "Look into a store"),
    ("explain", "Look into a store"), ("remake", "Look into a store"),
    ("verify", "Look into a store"), ("store", "Look into a store"),
)  # fmt: skip


class _Group(TyperGroup):
    """Tells mistakes of users in words, with exit code 2; anything else is a fault of ours and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TidegateError as error:
            tell(error)
            raise typer.Exit(2) from None
        except BrokenPipeError:
            # The reader of our output went away, as `head` does: nobody is left to tell.
            sys.stderr.close()
            raise typer.Exit(1) from None


class _Part(TyperGroup):
    """A command with commands of its own, which it names where one is asked for that is not there."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = nearest(args[0], self.commands)
            meant = f" Did you mean {near}?" if near else ""
            ctx.fail(
                f"There is no {ctx.command_path} {args[0]}.{meant} There are: {', '.join(self.list_commands(ctx))}."
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="tidegate",
    cls=_Group,
    help="Financial events in, decisions out: in milliseconds, explained, and provable.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tidegate {program_version() or 'not installed'}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def _register() -> None:
    for name, panel in _COMMANDS:
        file = name.replace("-", "_")
        if find_spec(f"tidegate.cli.{file}") is None:
            continue
        module = import_module(f"tidegate.cli.{file}")
        part = getattr(module, "app", None)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=name, cls=_Part, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(getattr(module, name))


_register()
