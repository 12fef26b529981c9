"""`tidegate people`: who may propose, sign and release changes."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.register import DEFAULT_REGISTER, KeyFile, RegisterPath, Speaker, opened_register, say
from tidegate.cli.terminal import aside, emit, next_steps

app = typer.Typer(help="Who may propose, sign and release changes.", no_args_is_help=True)


@app.callback()
def _people() -> None:
    pass


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="Whose.")],
    file: Annotated[Path | None, typer.Option("--key", help="Where it is written; default: NAME.pem.")] = None,
) -> None:
    """Draw a key for yourself. Its public half is printed: send it to those who let you in, and the file to nobody."""
    from tidegate.releases.keys import make_key

    path = file or Path(f"{name}.pem")
    typer.echo(make_key(path).hex())
    aside().print(f"{path} is the key of {name}: nobody else should have it.", soft_wrap=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who joins.")],
    role: Annotated[str, typer.Option("--role", help="In which role they speak, such as business, data, AI.")],
    by: Speaker = "",
    public: Annotated[
        str, typer.Option("--public", help="What their `tidegate people key` printed; default: a key is drawn here.")
    ] = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Let someone in. The first person makes the register and lets in the second; from then on it takes two to say so.

    The same command, by another person who is known, is the second word. A key that is drawn is written to NAME.pem,
    and is theirs alone. Who let in whom is in the sealed log for all to see.
    """
    from tidegate.errors import ReleaseError
    from tidegate.releases.register import Register
    from tidegate.releases.statement import ADDED

    if not name.strip() or not role.strip():
        raise ReleaseError("Who joins has a name and a role.", do="Write: tidegate people add ana --role business.")
    own, drawn = Path(f"{name}.pem"), None
    try:
        if not register.exists():
            if by not in ("", name):
                opened_register(register)  # which says that there is none
            drawn, public = _drawn(key or own, public)  # before there is one, so that none is left behind without a key
        with Register.open(register) as opened:
            if name in opened.waiting:
                public = public or opened.waiting[name].key.hex()
            if not public:
                drawn, public = _drawn(own if opened.people else key or own, public)
            say(opened, ADDED, by if opened.people else name, key, role=role, person=name, key=public)
            waits = name in opened.waiting
    except BaseException:
        if drawn is not None:
            drawn.unlink(missing_ok=True)
        raise
    if drawn is not None:
        aside().print(f"{drawn} is the key of {name}: nobody else should have it.", soft_wrap=True)
    if waits:
        aside().print(f"{name} waits: someone else who is known has to say so too.", soft_wrap=True)
        next_steps(f"tidegate people add {name} --role {role} --as KNOWN  the second word")
    else:
        aside().print(f"{name} speaks as {role}.", soft_wrap=True)


def _drawn(file: Path, public: str) -> tuple[Path | None, str]:
    """A key that is drawn now, unless one was given: its file, and its public half."""
    from tidegate.releases.keys import make_key

    return (None, public) if public else (file, make_key(file).hex())


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Who leaves.")],
    by: Speaker,
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Take someone out: yourself, or another person once two say so. What they said before stays, and stays verifiable.

    Who waits to be let in is told no by one.
    """
    from tidegate.releases.statement import REMOVED

    with opened_register(register, read_only=False) as opened:
        say(opened, REMOVED, by, key, person=name)
        stays = name in opened.people
    if stays:
        aside().print(f"{name} stays until someone else who is known says so too.", soft_wrap=True)
        next_steps(f"tidegate people remove {name} --as KNOWN  the second word")
    else:
        aside().print(f"{name} is out of the register.", soft_wrap=True)


@app.command("list")
def list_(register: RegisterPath = DEFAULT_REGISTER, as_json: AsJson = False) -> None:
    """Who is known, and in which role."""
    with opened_register(register) as opened:
        waiting = set(opened.waiting)
        people = sorted([*opened.people.values(), *opened.waiting.values()], key=lambda one: (one.role, one.name))
    for person in people:
        waits = person.name in waiting
        if as_json:
            about = {"name": person.name, "role": person.role, "key": person.key.hex(), "let_in_by": person.by}
            emit(about | ({"waits": True} if waits else {}))
        else:
            typer.echo(f"{person.name}\t{person.role}" + ("\twaits to be let in by one more" if waits else ""))
