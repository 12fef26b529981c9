"""`tidegate schemas`: whether a schema fits a flow's events, and the schema of decisions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidegate.cli.kafka import require_client
from tidegate.cli.options import FlowPlace
from tidegate.cli.terminal import aside, out

if TYPE_CHECKING:
    from tidegate.connectors.schemas.registry import Schema

app = typer.Typer(help="Schemas of messages: whether they fit a flow, and that of decisions.", no_args_is_help=True)

_KINDS = {".avsc": "AVRO", ".proto": "PROTOBUF"}


@app.command()
def check(
    flow: FlowPlace,
    file: Annotated[Path | None, typer.Option("--file", help="A schema: FILE.avsc or FILE.proto.")] = None,
    subject: Annotated[str, typer.Option(help="The newest schema of this subject in the registry.")] = "",
    schema_registry: Annotated[
        str, typer.Option("--schema-registry", envvar="TIDEGATE_SCHEMA_REGISTRY", help="http(s)://[USER@]HOST:8081")
    ] = "",
    registry_config: Annotated[
        Path | None, typer.Option("--registry-config", help="File of the registry's properties.")
    ] = None,
    event: Annotated[str, typer.Option(help="The event type that its messages are; default: as the record says.")] = "",
) -> None:
    """See whether messages of a schema can be events of a flow, as a stream does when it starts.

    Every field at fault is named, and the exit code is then 2. Good for a producer's tests: no broker is asked.
    """
    require_client("A schema of messages")
    from tidegate.connectors.schemas.registry import Registry
    from tidegate.runtimes.load import load_flow
    from tidegate.runtimes.stream.schemas import Schemas

    definition = load_flow(flow).definition
    schema, name = _schema(file, subject, schema_registry, registry_config)
    nobody = Registry("http://127.0.0.1")  # it is not asked: the schema is here
    topics = Schemas(nobody, {name: "avro" if schema.kind == "AVRO" else "protobuf"})
    reads = topics.reader(name, event, definition.event.__name__, definition.kinds)
    kind, notes = reads.suits(schema, name)
    out().print(f"{name} fits {kind}.", style="green")
    for note in notes:
        out().print(f"  {note}", style="dim")


def _schema(file: Path | None, subject: str, url: str, config: Path | None) -> "tuple[Schema, str]":
    """The schema that is asked about, and what it is called."""
    from tidegate.connectors.kafka.place import lines_of
    from tidegate.connectors.schemas.registry import Registry, Schema
    from tidegate.errors import StreamError

    if (file is None) == (not subject) or (subject and not url):
        raise StreamError(
            "Say which schema it is.", do="Give --file FILE.avsc or FILE.proto, or --subject and --schema-registry."
        )
    if file is None:
        found = Registry(url, lines_of(config) if config is not None else {}).latest(subject)
        if found is None:
            raise StreamError(f"The registry has no subject {subject}.", seen=url.rpartition("@")[2])
        return found, subject
    if file.suffix not in _KINDS:
        raise StreamError("A schema is FILE.avsc or FILE.proto.", seen=str(file))
    try:
        return Schema(0, _KINDS[file.suffix], file.read_text(encoding="utf-8")), file.name
    except (OSError, UnicodeDecodeError) as error:
        raise StreamError(f"{file} cannot be read.", seen=str(error)) from None


@app.command()
def decisions(
    form: Annotated[Literal["avro", "protobuf"], typer.Option("--format", help="avro or protobuf")] = "avro",
) -> None:
    """Print the schema under which decisions are written, for who registers schemas himself."""
    require_client("A schema of messages")
    from tidegate.connectors.schemas.decisions import schema_text

    typer.echo(schema_text(form), nl=False)
    aside().print("It is registered under TOPIC-value, unless --subject names another.", style="dim")
