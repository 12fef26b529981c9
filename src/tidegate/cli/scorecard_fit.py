"""`tidegate scorecard fit`: a scorecard of a training set, judged on what came after, and written to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath
from tidegate.cli.scorecard_file import write_card
from tidegate.cli.terminal import aside, emit, next_steps, out

if TYPE_CHECKING:
    from tidegate.connectors.scorecards.fitting import Fitted
    from tidegate.decisions.flow import Flow


def fit(
    table: Annotated[
        Path, typer.Argument(metavar="TRAINING", help="A Parquet file: what was known of each, what became of it.")
    ],
    target: Annotated[str, typer.Option("--target", help="The column that says who had the event (was bad).")],
    to: Annotated[Path, typer.Option("--out", "-o", help="Where to write it: a .csv or a .pmml file.")],
    at: Annotated[str, typer.Option("--at", help="The column of times, by which rows are split.")] = "at",
    in_order: Annotated[
        bool, typer.Option("--in-order", help="There is no column of times: rows are in their order already.")
    ] = False,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            "--feature", "-f", help="A column that may be used; default: all but ids, keys and the flow's own scores."
        ),
    ] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help="A column that may not be used.")] = None,
    flow: Annotated[
        str, typer.Option("--flow", help="The flow whose features these are: its amounts keep their unit.")
    ] = "",
    pdo: Annotated[float, typer.Option("--pdo", min=0.001, help="The points that double the odds.")] = 20.0,
    base_points: Annotated[float, typer.Option("--base-points", help="The points at the base odds.")] = 600.0,
    base_odds: Annotated[float, typer.Option("--base-odds", min=0.000001, help="Good to bad, 50 for 50 : 1.")] = 50.0,
    fractions: Annotated[bool, typer.Option("--fractions", help="Do not round points to whole ones.")] = False,
    least_value: Annotated[float, typer.Option("--min-iv", help="Of less information value, left out.")] = 0.02,
    most_bins: Annotated[int | None, typer.Option("--max-bins", min=2, help="Of a characteristic.")] = None,
    least_share: Annotated[float, typer.Option("--min-share", help="Of the rows that a bin must hold.")] = 0.05,
    monotone: Annotated[
        bool, typer.Option("--monotone", help="Event rates rise or fall from bin to bin, without a peak or valley.")
    ] = False,
    valid: Annotated[
        float | None,
        typer.Option(help="Share of rows to look at before the last; default: 0.15, or more for the embargo."),
    ] = None,
    test: Annotated[float, typer.Option(help="Share of rows, the latest, to judge on.")] = 0.15,
    embargo: Annotated[str, typer.Option(help="How late a label is known, as 7d.")] = "",
    store: Annotated[
        str, typer.Option("--store-as", metavar="NAME@VERSION", help="Also store it as a model, with its figures.")
    ] = "",
    models: ModelsPath = DEFAULT_MODELS,
    as_json: AsJson = False,
) -> None:
    """Fit a scorecard on the earliest rows, judge it on the later ones, and write it for people and flows to read.

    Bins are found by optbinning; points follow a logistic regression of their weight of evidence. Columns whose bins
    tell too little, or whose points would go against their evidence, are left out and named. So are ids and keys, and
    with --flow what the flow itself makes of models and scorecards; --feature takes one all the same.
    """
    from dataclasses import replace
    from datetime import timedelta

    from tidegate.connectors.scorecards.fitted_columns import no_characteristics
    from tidegate.connectors.scorecards.fitting import Fitting
    from tidegate.connectors.scorecards.fitting import fit as fitted
    from tidegate.decisions.scorecards.scaling import Scaling
    from tidegate.events.durations import microseconds
    from tidegate.runtimes.load import load_flow

    frame = _read(table, at, in_order)
    made = load_flow(flow) if flow else None
    apart = {} if feature else no_characteristics(frame.drop(at, target, strict=False), made)
    named = feature or [name for name in frame.columns if name not in (at, target, *apart)]
    named = [name for name in named if name not in (without or [])]
    how = Fitting(
        Scaling(pdo, base_points, base_odds), whole=not fractions, least_value=least_value, most_bins=most_bins,
        least_share=least_share, monotone=monotone,
    )  # fmt: skip
    with aside().status("Fitting the scorecard"):
        found = fitted(
            frame, target, at, features=named, how=how, valid=valid, test=test, types=_types(made), name=to.stem,
            embargo=timedelta(microseconds=microseconds(embargo)) if embargo else timedelta(0),
        )  # fmt: skip
    found = replace(found, left_out={**{name: why for name, why in apart.items() if name != "id"}, **found.left_out})
    write_card(found.card, to)
    path = _stored(found, store, target, models) if store else None
    if as_json:
        emit(_facts(found, to) | ({"model": store, "stored": str(path)} if path else {}))
        return
    _show(found, to)
    if path:
        out().print(f"Stored as [bold]{store}[/] in {path}.", soft_wrap=True)
    next_steps(
        f"tidegate scorecard check {to}  gaps, overlaps, points against their evidence",
        f"tidegate scorecard export {to} -o {to.with_suffix('.pmml')}  for other engines",
    )


def _read(table: Path, at: str, in_order: bool) -> Any:
    import polars as pl

    from tidegate.errors import TidegateError

    csv = table.suffix.lower() == ".csv"
    try:
        frame = pl.read_csv(table, infer_schema_length=None, try_parse_dates=True) if csv else pl.read_parquet(table)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TidegateError(
            f"The training set {table} cannot be read.", seen=str(error).splitlines()[0][:200],
            do="Write it as Parquet, as CSV with a header, or with `tidegate features`.",
        ) from None  # fmt: skip
    if at not in frame.columns and in_order:
        return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(at))
    if at not in frame.columns:
        raise TidegateError(
            f"{table} has no column {at!r} by which rows are split in time.", seen=", ".join(frame.columns[:20]),
            do="Name it with --at; or say --in-order if the rows are in the order of time.",
        )  # fmt: skip
    return frame


def _types(made: "type[Flow[Any]] | None") -> dict[str, Any]:
    """The types of a flow's features, by name."""
    if made is None:
        return {}
    from dataclasses import replace

    from tidegate.events.types import Kind
    from tidegate.runtimes.training_set import features_of

    own = made.definition.currency
    found = {seen.name: seen.type for seen in features_of(made.plan)}
    return {
        name: replace(kind, currency=kind.currency or own) if kind.kind is Kind.MONEY else kind
        for name, kind in found.items()
    }


def _stored(found: "Fitted", reference: str, target: str, models: Path) -> Path:
    """The scorecard as a stored model: PMML, with a card that says how it was made and how it did."""
    import msgspec

    from tidegate.connectors.scorecards.pmml_writer import scorecard_pmml
    from tidegate.models.artefact import Artefact
    from tidegate.models.foreign import Author, artefact_of
    from tidegate.models.registry import Registry

    content = scorecard_pmml(found.card)
    kept, _ = artefact_of(content, reference, file=reference, author=Author(output="score"))
    train, test = found.splits["train"], found.splits["test"]
    card = msgspec.structs.replace(
        kept.card, label=target, trained_from=found.trained_from, trained_until=found.trained_until,
        rows=int(train["rows"]), positives=int(train["events"]),
        metrics={"roc_auc": test["auc"], "gini": test["gini"], "ks": test["ks"], "rows": test["rows"],
                 "positives": test["events"]},
    )  # fmt: skip
    return Registry(models).add(Artefact(card, content))


def _facts(found: "Fitted", to: Path) -> dict[str, Any]:
    from tidegate.cli.scorecard_shown import bins_of

    return {
        "scorecard": found.card.name, "digest": found.card.digest, "path": str(to), "splits": dict(found.splits),
        "trained_from": found.trained_from, "trained_until": found.trained_until,
        "coefficients": dict(found.coefficients), "left_out": dict(found.left_out),
        "characteristics": bins_of(found.card),
    }  # fmt: skip


def _show(found: "Fitted", to: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from tidegate.cli.scorecard_shown import show_bins

    console = out()
    console.print(
        Text.assemble((found.card.name, "bold"), f" is written to {to}  ", (found.card.digest[:12], "dim")),
        soft_wrap=True,
    )
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for head in ("", "rows", "events", "event rate", "AUC", "Gini", "KS"):
        table.add_column(head, justify="right" if head else "left")
    for name, one in found.splits.items():
        table.add_row(
            name, f"{one['rows']:,.0f}", f"{one['events']:,.0f}", f"{one['event_rate']:.1%}", f"{one['auc']:.3f}",
            f"{one['gini']:.3f}", f"{one['ks']:.3f}",
        )  # fmt: skip
    console.print(table)
    console.print("Fitted on train alone; valid and test came after it.", style="dim")
    show_bins(console, found.card)
    if found.left_out:
        console.print("\n[bold]Left out[/]")
    for name, why in found.left_out.items():
        console.print(Text(f"  {name}: {why}"), soft_wrap=True)
