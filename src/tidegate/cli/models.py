"""`tidegate models`: which versions are stored, what decides now, and how that is changed and undone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath, Override, OverrideWhy
from tidegate.cli.terminal import aside, compiling_told, emit, next_steps, out

if TYPE_CHECKING:
    from tidegate.models.registry import Registry

app = typer.Typer(
    help="Stored models: their versions, their measures, and which of them decides.", invoke_without_command=True
)
_MEASURES = ("average_precision", "roc_auc")


@app.callback()
def models(ctx: typer.Context, models: ModelsPath = DEFAULT_MODELS, as_json: AsJson = False) -> None:
    """List every stored version with its aliases, its training, its measures and what it reads."""
    if ctx.invoked_subcommand is not None:
        return
    from tidegate.models.registry import Registry

    registry = Registry(models)
    found = [_version(registry, reference) for reference in registry.versions()]
    lost = _lost(registry)
    if as_json:
        emit({"models": found, "aliases_of_nothing": lost})
        return
    _show(found, lost, models)
    commands = ", ".join(getattr(ctx.command, "commands", {}))
    aside().print(f"More: tidegate models {commands}; -h tells what each does.", style="dim", soft_wrap=True)


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A PMML or ONNX file, or a model that LightGBM (.txt) or XGBoost (.json, .ubj) saved."
        ),
    ],
    reference: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="What to store it as.")],
    output: Annotated[
        str, typer.Option("--output", help="Of PMML and ONNX: which output is the answer; default: its only number.")
    ] = "",
    features: Annotated[
        str, typer.Option("--features", help="Of ONNX: names for the columns of its one tensor, with commas between.")
    ] = "",
    missing: Annotated[
        str, typer.Option("--missing", help='Of ONNX: "pass" if it answers where a value is missing.')
    ] = "",
    typical: Annotated[
        Path | None,
        typer.Option(
            "--typical",
            help="Of ONNX, and PMML without reasons of its own: a CSV file of ordinary rows, to tell reasons against.",
        ),
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option("--unit", help="What a feature is in, as in amount=EUR or age=days.")
    ] = None,
    alias: Annotated[str, typer.Option("--alias", help="Let NAME@ALIAS stand for it.")] = "",
    override: Override = False,
    why: OverrideWhy = "",
    models: ModelsPath = DEFAULT_MODELS,
    as_json: AsJson = False,
) -> None:
    """Store a model that is a file for flows, which ask it as model("NAME@ALIAS", of=[…], otherwise=…).

    An alias is set as by `promote`, be it a new one: not to a model whose reasons fall short or were never measured, as
    those of a file were not, unless --override says --why.
    """
    from tidegate.cli.models_said import author
    from tidegate.connectors.models import artefact_in
    from tidegate.errors import ModelError
    from tidegate.models.registry import Registry

    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{file} cannot be read.", seen=error.strerror or str(error), do="Name the file of a model."
        ) from None
    said = author(output, features, missing, typical, unit or [])
    with compiling_told():  # of the verification in PMML, if it has one
        artefact, what = artefact_in(content, reference, file=file.name, author=said)
    path = Registry(models).add(artefact, alias=alias, override=override, why=why)
    name, reads = artefact.card.name, [feature.name for feature in artefact.card.features]
    if as_json:
        emit(
            {
                "model": reference,
                "kind": artefact.kind,
                "digest": artefact.digest,
                "features": reads,
                "path": str(path),
            }
        )
        return
    points = f", {name}@{alias} points at it" if alias else ""
    out().print(f"[bold]{reference}[/]: {what}, stored in {path}{points}", soft_wrap=True)
    out().print(f"It reads {', '.join(reads)}.", style="dim", soft_wrap=True)
    if artefact.kind == "onnx" and not artefact.card.parameters.get("named", True):
        aside().print(
            f"{file} does not name the columns of its tensor, so these names only count them. Say them in its "
            "order with --features amount,hour,…, or give ordinary rows whose header names them with "
            "--typical rows.csv, which reasons need, too.", style="yellow", soft_wrap=True,
        )  # fmt: skip


@app.command()
def promote(
    model: Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The version that is to decide.")],
    to: Annotated[str, typer.Option("--to", help="The alias that is to stand for it.")] = "champion",
    models: ModelsPath = DEFAULT_MODELS,
    override: Override = False,
    why: OverrideWhy = "",
    as_json: AsJson = False,
) -> None:
    """Let an alias stand for a version: what asks for the alias decides by it from its next start on.

    A model whose reasons fall short is not promoted: whoever is declined by it could not be told why.
    """
    from tidegate.models.artefact import split_name
    from tidegate.models.registry import Registry

    registry = Registry(models)
    name, _ = split_name(model)
    version = registry.resolve(model).version
    old = registry.aliases(name).get(to)
    said = registry.require_reasons(f"{name}@{version}", override=override, why=why)
    registry.point(f"{name}@{to}", version, why=said)
    _tell(f"{name}@{to}", old.version if old else "", version, models, as_json=as_json)


@app.command()
def rollback(
    alias: Annotated[str, typer.Argument(metavar="NAME[@ALIAS]", help="The alias; without one, champion.")],
    models: ModelsPath = DEFAULT_MODELS,
    as_json: AsJson = False,
) -> None:
    """Let an alias stand for what it stood for before the last promotion; again, for what was before that."""
    from tidegate.models.registry import Registry

    registry = Registry(models)
    whole = alias if "@" in alias else f"{alias}@champion"
    name, _, word = whole.partition("@")
    old = registry.aliases(name).get(word)
    now = registry.roll_back(whole)
    _tell(whole, old.version if old else "", now.version, models, as_json=as_json)


def _tell(alias: str, old: str, new: str, folder: Path, *, as_json: bool) -> None:
    name = alias.partition("@")[0]
    if as_json:
        emit({"alias": alias, "model": f"{name}@{new}", "before": f"{name}@{old}" if old else None})
        return
    if old == new:
        out().print(f"{alias} stands for {name}@{new} already.")
        return
    was = f", no longer for {name}@{old}" if old else ""
    out().print(f"[bold]{alias}[/] stands for {name}@{new}{was}. Servers decide by it once they are started again.")
    if old:
        more = "" if folder == DEFAULT_MODELS else f" --models {folder}"
        next_steps(f"tidegate models rollback {alias}{more}  undo it")


def _version(registry: "Registry", reference: str) -> dict[str, Any]:
    """What is known of a stored version; of a damaged one, what is wrong with it."""
    from tidegate.errors import ModelError

    name, _, version = reference.partition("@")
    aliases = [alias for alias, pointer in registry.aliases(name).items() if pointer.version == version]
    fact: dict[str, Any] = {"model": reference, "aliases": aliases}
    try:
        kept = registry.artefact(reference)
    except ModelError as error:
        return fact | {"damaged": error.wrong}
    card = kept.card
    return fact | {
        "digest": kept.digest, "label": card.label, "trained_from": card.trained_from,
        "trained_until": card.trained_until, "rows": card.rows, "positives": card.positives, "flow": card.flow,
        "metrics": card.metrics, "features": [feature.name for feature in card.features],
    }  # fmt: skip


def _waiting(found: list[dict[str, Any]]) -> list[str]:
    """The version to promote: the last whole one, if it is not champion already."""
    whole = [fact for fact in found if "damaged" not in fact]
    return [fact["model"] for fact in whole[-1:] if "champion" not in fact["aliases"]]


def _overriding(reference: str, folder: Path) -> str:
    """What a promotion has to add where something is lacking of a model."""
    from tidegate.errors import ModelError
    from tidegate.models.promotion import lacking
    from tidegate.models.registry import Registry

    try:
        return ' --override --why "…"' if lacking(Registry(folder).artefact(reference)) else ""
    except ModelError:
        return ""  # it is damaged, or there is none


def _lost(registry: "Registry") -> dict[str, str]:
    """Aliases that stand for a version which is not there."""
    there = set(registry.versions())
    names = sorted({reference.partition("@")[0] for reference in registry.references()})
    return {
        f"{name}@{alias}": f"{name}@{pointer.version}"
        for name in names
        for alias, pointer in registry.aliases(name).items()
        if f"{name}@{pointer.version}" not in there
    }


def _show(found: list[dict[str, Any]], lost: dict[str, str], folder: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    if not found and not lost:
        console.print(f"There are no models in {folder}.")
        next_steps(
            "tidegate features FLOW FILE --to features.parquet  a training set",
            "tidegate train FLOW features.parquet  a model of it",
        )
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("model", "alias", "trained until", "rows", "positives", "AP", "ROC AUC"):
        words = head in ("model", "alias", "trained until")
        table.add_column(head, justify="left" if words else "right", overflow="fold", no_wrap=head != "alias")
    damaged = [fact for fact in found if "damaged" in fact]
    lists: dict[tuple[str, ...], list[str]] = {}
    for fact in found:
        if "damaged" in fact:
            continue
        lists.setdefault(tuple(fact["features"]), []).append(fact["model"])
        measured = (f"{fact['metrics'][name]:.4f}" if name in fact["metrics"] else "" for name in _MEASURES)
        table.add_row(
            Text(fact["model"]), Text(", ".join(fact["aliases"]), "green"), fact["trained_until"][:10],
            f"{fact['rows']:,}", f"{fact['positives']:,}", *measured,
        )  # fmt: skip
    console.print(table)
    console.print("AP: average precision; both measured on what came after the training span.", style="dim")
    for features, models in lists.items():
        console.print(
            Text.assemble((f"{', '.join(models)} read{'s' if len(models) == 1 else ''}  ", "dim"), ", ".join(features))
        )
    for fact in damaged:
        aside().print(f"[red]{fact['model']} is damaged:[/] {fact['damaged']}", soft_wrap=True)
    for alias, reference in lost.items():
        aside().print(f"[yellow]{alias} stands for {reference}, which is not there.[/]", soft_wrap=True)
    more = "" if folder == DEFAULT_MODELS else f" --models {folder}"
    waits = _waiting(found)
    next_steps(
        *[
            f"tidegate models promote {one}{_overriding(one, folder)}{more}  let the champion stand for it"
            for one in waits
        ],
        f"tidegate models --json{more}  all measures and features",
    )
