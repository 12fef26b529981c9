"""`tidegate propose`: a change to a flow, with what it does to history, for others to sign."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.inputs import (
    ColumnNames,
    Defaults,
    Encoding,
    LabelName,
    OtherEvents,
    Sort,
    inputs,
    not_given,
    pairs,
    tell_not_given,
)
from tidegate.cli.options import DEFAULT_MODELS, AsJson, ModelsPath
from tidegate.cli.register import DEFAULT_REGISTER, KeyFile, RegisterPath, Speaker, Why, opened_register, say
from tidegate.cli.terminal import aside, emit, next_steps, out, ready

if TYPE_CHECKING:
    from tidegate.decisions.flow import Flow
    from tidegate.releases.register import Register
    from tidegate.releases.statement import Change
    from tidegate.reports.compared import Compared

_SIGNED_BY = ("business",)
"""Who signs changes of a flow that does not say it."""


def propose(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The new version: FILE.py or FILE.py:ClassName.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="History to try it on.")] = None,
    by: Speaker = "",
    why: Why = "",
    register: RegisterPath = DEFAULT_REGISTER,
    key: KeyFile = None,
    old: Annotated[str, typer.Option("--old", help="What it replaces, if nothing was released yet.")] = "",
    suite: Annotated[
        Path | None, typer.Option("--suite", help="Cases that must come out as they say, one JSON object a line.")
    ] = None,
    models: ModelsPath = DEFAULT_MODELS,
    event: OtherEvents = None,
    label: LabelName = "",
    column: ColumnNames = None,
    default: Defaults = None,
    encoding: Encoding = "utf-8",
    sort: Sort = False,
    as_json: AsJson = False,
) -> None:
    """Propose a new version of a flow: its files, its models' content, its cases and its comparison go on record.

    It is compared with the version that is live. Who must sign is what the old and the new version say, `signed_by`.
    The exit code is 1 if cases fail: it is on record then, and cannot be released.
    """
    ready()
    from tidegate.errors import ReleaseError
    from tidegate.models.registry import Registry
    from tidegate.releases.register import SHORT
    from tidegate.releases.statement import PROPOSED, Change
    from tidegate.runtimes.comparison import compare
    from tidegate.runtimes.proposing import cases_in, digests, reasons_lacking, run_suite, version_at

    if not why.strip():
        raise ReleaseError("A proposal says why, in words.", do='Give --why "Card testers now use two payments".')
    version, kept = version_at(flow), Registry(models)
    definition = version.flow.definition
    asked = digests(version.flow, kept)
    tried = None
    if suite is not None:
        tried = run_suite(version.flow, {name: kept.model(name) for name in asked}, cases_in(suite))
    with opened_register(register, read_only=False) as opened:
        before = _before(opened, definition.name, old)
        found, lacking = None, dict[str, str]()
        if files and before is not None:
            given = inputs(version.flow, files, event, before)
            lacking = not_given(before.definition, given) | not_given(definition, given)
            sources = {kind.__name__: several for kind, several in given.items()}
            found = compare(
                before, version.flow, sources, models=kept, label=label or None, columns=pairs(column, "--column"),
                defaults=pairs(default, "--default"), encoding=encoding, sort=sort,
            )  # fmt: skip
        demands = definition.signed_by or _SIGNED_BY
        of_before = before.definition.signed_by if before is not None else ()
        signers = (*opened.demanded(definition.name), *of_before, *demands)
        change = Change(
            flow=definition.name,
            digest=definition.digest,
            before=before.definition.digest if before is not None else "",
            bundle=_kept(opened, "bundle", version.bundle.dump()),
            models=asked,
            roles=tuple(dict.fromkeys(signers)),
            demands=demands,
            comparison=_kept_comparison(opened, found),
            summary=_summary(found),
            suite=tried,
            reasons_lacking=reasons_lacking(version.flow, kept),
        )
        id = say(opened, PROPOSED, by, key, change=change, why=why)
    if as_json:
        import msgspec

        emit({"id": id, **msgspec.to_builtins(change), "not_given": list(lacking)})
    else:
        _show(id[:SHORT], change)
        tell_not_given(lacking)
    if tried is not None and tried.failed:
        if not as_json:
            aside().print(
                f"It cannot be released: {len(tried.failed)} of its {tried.cases} cases fail. Mend the flow or the "
                "cases, and propose it again.", style="red", soft_wrap=True,
            )  # fmt: skip
        raise typer.Exit(1)
    if not as_json:
        next_steps(*(f"tidegate sign {id[:SHORT]} --as NAME  someone who speaks as {role}" for role in change.roles))


def _before(register: "Register", flow: str, old: str) -> "type[Flow[Any]] | None":
    """The version that is live; else the one that was named."""
    from tempfile import TemporaryDirectory

    from tidegate.releases.bundle import read_bundle
    from tidegate.runtimes.load import load_flow

    live = register.live(flow)
    if live is None:
        return load_flow(old) if old else None
    bundle = read_bundle(register.store.get_artefact(bytes.fromhex(live.proposal.change.bundle))[1])
    with TemporaryDirectory() as folder:
        return load_flow(bundle.unpack(Path(folder)))


def _kept(register: "Register", kind: str, data: bytes) -> str:
    return register.store.put_artefact(kind, data).hex()


def _kept_comparison(register: "Register", found: "Compared | None") -> str:
    if found is None:
        return ""
    import msgspec

    from tidegate.reports.comparison import plain

    return _kept(register, "comparison", msgspec.json.encode(plain(found), enc_hook=str))


def _summary(found: "Compared | None") -> str:
    if found is None:
        return "not compared with anything"
    from tidegate.reports.comparison import compared_in_words

    return "; ".join(f"{name} {value}" for name, value in compared_in_words(found))


def _show(id: str, change: "Change") -> None:
    console, tried = out(), change.suite
    console.print(f"[bold]Proposal {id}[/]: {change.flow}@{change.digest[:12]}", soft_wrap=True)
    console.print(f"  history  {change.summary}", markup=False, soft_wrap=True)
    if tried is not None:
        failed = f"fails: {', '.join(tried.failed)}" if tried.failed else "all hold"
        console.print(f"  cases    {tried.cases}, {failed}", markup=False, soft_wrap=True)
    for reference, what in change.reasons_lacking.items():
        said = "so its release needs --override and --why"
        console.print(f"  model    {reference}: {what}; {said}", markup=False, soft_wrap=True)
    console.print(f"  signed by {', '.join(change.roles)}, none of them you", markup=False, soft_wrap=True)
