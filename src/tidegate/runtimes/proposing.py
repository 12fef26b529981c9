"""Making a proposal: the files of a new version, what it does to history, and what comes of its own cases."""

import ast
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tidegate.decisions.decision import Decision
from tidegate.decisions.flow import Flow
from tidegate.errors import ContractError, ReleaseError, TidegateError
from tidegate.events.depth import require_shallow
from tidegate.models.promotion import lacking
from tidegate.models.registry import Registry
from tidegate.models.scoring import ScoringModel
from tidegate.releases.bundle import Bundle, make_bundle
from tidegate.releases.statement import Suite
from tidegate.runtimes.engine import Engine, Refused
from tidegate.runtimes.load import load_flow, load_parts


@dataclass(frozen=True)
class Version:
    """A version of a flow that can be proposed: the flow, and the files that make it."""

    flow: type[Flow[Any]]
    bundle: Bundle


def version_at(place: str) -> Version:
    """The version at a place, with everything that makes it; loading the bundle elsewhere gives the same flow.

    Raises:
        FlowError: the flow cannot be loaded.
        ReleaseError: it is one of ours, or is made from something outside of its folder.
    """
    flow, parts = load_parts(place)
    if not parts:
        raise ReleaseError(
            f"{place} comes with Tidegate; what is released are files of yours.",
            do="Write a file with a subclass of it, and propose that.",
        )
    files = {path.resolve(): path.read_bytes() for path in parts}
    files |= {path: path.read_bytes() for path in _named_in(list(files))}
    bundle = make_bundle(place, files)
    with tempfile.TemporaryDirectory() as folder:
        try:
            again = load_flow(bundle.unpack(Path(folder)))
        except TidegateError as error:
            raise ReleaseError(
                "The flow's files alone do not make the flow.",
                seen=str(error),
                do="Have everything that it reads lie in its folder, and named in its text.",
            ) from None
    if again.definition.digest != flow.definition.digest:
        raise ReleaseError("The flow reads something outside of its folder.", do="Have all of it lie in its folder.")
    return Version(flow, bundle)


def _named_in(modules: Sequence[Path]) -> Iterator[Path]:
    """Files beside the modules that stand in them by name, such as tables."""
    for module in modules:
        for node in ast.walk(ast.parse(module.read_bytes())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 256:
                named = module.parent / node.value
                if "\0" not in node.value and named.suffix and named.is_file():
                    yield named.resolve()


def digests(flow: type[Flow[Any]], models: Registry) -> dict[str, str]:
    """The content of every model that a flow asks for, by reference.

    Raises:
        ModelError: one of them is not there.
    """
    stored = [node.reference for node in flow.definition.models if node.artefact is None]  # files are in the flow's own
    return {reference: models.resolve(reference).digest for reference in stored}


def reasons_lacking(flow: type[Flow[Any]], models: Registry) -> dict[str, str]:
    """Of each model that a flow asks for, what speaks against it or was never measured, by reference; not if nothing.

    An alias that somebody let stand for a model although something is lacking, and said why, is not asked about again.

    Raises:
        ModelError: one of them is not there.
    """
    found = {}
    for node in flow.definition.models:
        if node.artefact is None and models.resolve(node.reference).why:
            continue
        what = lacking(node.artefact or models.artefact(node.reference))
        if what:
            found[node.reference] = "; ".join(what)
    return found


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """What must come out: events in order, and what is expected of the decision on the last one.

    `outcome` and `level` must be equal, and each of `rules` must have fired.
    """

    name: str
    events: list[dict[str, Any]]
    outcome: str = ""
    level: str = ""
    rules: list[str] = []


def cases_in(path: Path) -> list[Case]:
    """The cases in a file, one JSON object a line.

    Raises:
        ReleaseError: a line is no case, or expects nothing, or there is none.
    """
    cases = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read.", seen=error.strerror or str(error)) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                require_shallow(line)
                case = msgspec.json.decode(line, type=Case)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise ReleaseError(
                    f"Line {number} of {path} is no case.",
                    seen=str(error),
                    do='Write {"name": "…", "events": [{…}], "outcome": "decline", "rules": ["testing"]}.',
                ) from None
            if not (case.outcome or case.level or case.rules):
                raise ReleaseError(
                    f"The case {case.name!r} expects nothing, so it could not fail.",
                    seen=f"line {number} of {path}",
                    do="Say the outcome, the level or the rules that must come out.",
                )
            cases.append(case)
    if not cases:
        raise ReleaseError(f"{path} holds no case.")
    return cases


def run_suite(flow: type[Flow[Any]], models: Mapping[str, ScoringModel], cases: Sequence[Case]) -> Suite:
    """Try each case on a flow that knows nothing but the case's own events.

    Raises:
        ReleaseError: an event of a case is none of the flow's, or does not keep its contract.
    """
    tried = ((case, _otherwise(flow, models, case)) for case in cases)
    return Suite(len(cases), tuple(f"{case.name} ({why})" for case, why in tried if why))


def _otherwise(flow: type[Flow[Any]], models: Mapping[str, ScoringModel], case: Case) -> str:
    """What came out that the case does not expect, in words; empty if it holds."""
    engine = Engine(flow, models=models)
    last: Any = None
    for number, fields in enumerate(map(dict, case.events), 1):
        kind = str(fields.pop("event", flow.definition.event.__name__))
        if kind not in engine.readers:
            raise ReleaseError(f"The case {case.name!r} has an event of an unknown type.", seen=kind)
        try:
            last = engine.process([engine.readers[kind].read(msgspec.json.encode(fields))])[0]
        except ContractError as error:
            raise ReleaseError(
                f"Event {number} of the case {case.name!r} does not keep its contract: {error.wrong}",
                seen=error.seen,
                do=error.do,
            ) from None
    if not isinstance(last, Decision):
        return f"no decision: {last.reason}" if isinstance(last, Refused) else "no decision"
    fired = [rule.rule for rule in last.rules]
    silent = [rule for rule in case.rules if rule not in fired]
    found = []
    if case.outcome and case.outcome != last.outcome:
        found.append(f"{last.outcome}, not {case.outcome}; {'by ' + ', '.join(fired) if fired else 'no rule fired'}")
    if case.level and case.level != last.level:
        found.append(f"level {last.level or 'none'}, not {case.level}")
    if silent:
        found.append(f"{', '.join(silent)} did not fire")
    return "; ".join(found)
