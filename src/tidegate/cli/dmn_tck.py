"""`tidegate dmn tck`: the test kit of the DMN standard, run on our engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.options import AsJson
from tidegate.cli.terminal import emit, out
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    from tidegate.expressions.feel.temporal import DateTime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the kit's results: the folder under the kit's, the file of cases, the case, and how it went."""

    folder: str
    file: str
    case: str
    passed: bool
    words: str
    has_value: bool

    def csv(self) -> str:
        """The line as the kit's own runner writes it: five quoted fields."""
        words = "" if self.passed else " ".join(self.words.split())[:500]
        fields = (self.folder, self.file, self.case, "SUCCESS" if self.passed else "ERROR", words)
        return ",".join('"' + field.replace('"', '""') + '"' for field in fields)


def tck(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The kit's TestCases, or any folder of cases in it.")
    ],
    results: Annotated[
        Path | None, typer.Option("--out", help="Write the results there, in the kit's own CSV form.")
    ] = None,
    failures: Annotated[
        bool, typer.Option("--failures", help="Tell every case that failed, and what was seen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the test cases of the DMN Technology Compatibility Kit, and count.

    Cases that expect something other than null are counted apart: an engine that always says null passes the others.
    The exit code is 1 if a case failed.
    """
    lines = list(run_kit(folder))
    if not lines:
        raise TidegateError(
            f"{folder} holds no test cases.", do="Name the folder TestCases of the kit, or one that is in it."
        )
    if results is not None:
        results.write_text("".join(f"{line.csv()}\n" for line in lines), encoding="utf-8")
    counts = counted(lines)
    if as_json:
        emit(counts)
    else:
        _show(lines, counts, failures=failures)
    if any(not line.passed for line in lines):
        raise typer.Exit(1)


def counted(lines: list[Line]) -> dict[str, dict[str, int]]:
    """How many cases there are and passed: in all, by level, and of those that expect something other than null."""
    groups: dict[str, list[Line]] = {"all": lines}
    for line in lines:
        level = next((part for part in line.folder.split("/") if part.startswith("compliance-level")), "")
        if level:
            groups.setdefault(level, []).append(line)
    found = {}
    for name, group in groups.items():
        valued = [line for line in group if line.has_value]
        found[name] = {"cases": len(group), "passed": sum(line.passed for line in group)}
        found[name] |= {"with_value": len(valued), "with_value_passed": sum(line.passed for line in valued)}
    return found


def run_kit(folder: Path) -> "Iterator[Line]":
    """Every case below a folder, in order."""
    from tidegate.decisions.dmn.kit.cases import is_cases
    from tidegate.expressions.feel.temporal import parse_date_time

    if not folder.is_dir():
        raise TidegateError(f"{folder} is no folder.", do="Name the folder TestCases of the kit.")
    now = parse_date_time(_moment())
    for path in sorted(folder.rglob("*.xml")):
        data = path.read_bytes()
        if is_cases(data):
            yield from _run_file(path, data, folder, now)


def _moment() -> str:
    from datetime import datetime

    return datetime.now().astimezone().isoformat()


def _run_file(path: Path, data: bytes, kit: Path, now: "DateTime | None") -> "Iterator[Line]":
    from tidegate.cli.dmn_files import load
    from tidegate.decisions.dmn.kit.cases import read_cases
    from tidegate.decisions.dmn.kit.running import Outcome, run_case

    relative = path.parent.relative_to(kit).as_posix()
    where = path.parent.name if relative == "." else relative
    cases = read_cases(data, path.name)
    model, refused = None, ""
    try:
        model = load(path.parent / cases.model)
    except TidegateError as error:
        refused = str(error)
    for case in cases.cases:
        outcome = Outcome(False, refused) if model is None else run_case(model, case, now)
        yield Line(where, path.stem, case.id, outcome.passed, outcome.words, case.has_value)


def _show(lines: list[Line], counts: dict[str, dict[str, int]], *, failures: bool) -> None:
    from rich.text import Text

    console = out()
    failed = [line for line in lines if not line.passed]
    if failures:
        for line in failed:
            console.print(Text(f"{line.folder} {line.case}: {line.words}"), soft_wrap=True)
    for name, group in counts.items():
        share = 100 * group["passed"] / group["cases"]
        console.print(
            f"{name:<20} {group['passed']:>5,} of {group['cases']:>5,} ({share:.1f} %); of those that expect a value "
            f"{group['with_value_passed']:,} of {group['with_value']:,}",
            soft_wrap=True,
        )
    if failed and not failures:
        console.print("Which failed, and why: --failures", style="dim")
