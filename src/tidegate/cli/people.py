"""`tidegate people`: who may propose, sign and release changes."""

from pathlib import Path
from typing import Annotated

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.register import DEFAULT_REGISTER, KeyFile, RegisterPath, Speaker, opened_register, say
from tidegate.cli.terminal import aside, emit

app = typer.Typer(help="Who may propose, sign and release changes.", no_args_is_help=True)


@app.callback()
def _people() -> None:
    pass


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who joins.")],
    role: Annotated[str, typer.Option("--role", help="In which role they speak, such as business, data, AI.")],
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Make someone known: draws a key, and enters its public half in the register.

    The private half is in NAME.pem, and is theirs alone. That someone joined is in the sealed log for all to see.
    """
    from tidegate.errors import ReleaseError
    from tidegate.releases.keys import make_key
    from tidegate.releases.register import Register
    from tidegate.releases.statement import ADDED

    if not name.strip() or not role.strip():
        raise ReleaseError("Who joins has a name and a role.", do="Write: tidegate people add ana --role business.")
    file = key or Path(f"{name}.pem")
    public = make_key(file)  # before there is a register, so that none is left behind where no key can be made
    try:
        with Register.open(register) as opened:
            say(opened, ADDED, name, file, role=role, person=name, key=public.hex())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    aside().print(f"{name} speaks as {role}. {file} is their key: nobody else should have it.", soft_wrap=True)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Who leaves.")],
    by: Speaker,
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
) -> None:
    """Take someone out. What they said before stays, and stays verifiable."""
    from tidegate.releases.statement import REMOVED

    with opened_register(register, read_only=False) as opened:
        say(opened, REMOVED, by, key, person=name)
    aside().print(f"{name} is out of the register.", soft_wrap=True)


@app.command("list")
def list_(register: RegisterPath = DEFAULT_REGISTER, as_json: AsJson = False) -> None:
    """Who is known, and in which role."""
    with opened_register(register) as opened:
        people = sorted(opened.people.values(), key=lambda person: (person.role, person.name))
    for person in people:
        if as_json:
            emit({"name": person.name, "role": person.role, "key": person.key.hex()})
        else:
            typer.echo(f"{person.name}\t{person.role}")
