"""Scorecards as they were written, in Python or in a file, before anything is known of the types of what they read.

In a file the first line is the head: `scorecard`, `bin`, `points`, and as many of the others as one likes. A line is a
bin of the characteristic that its first cell names, or, where that is blank, of the one above.

    scorecard      the characteristic, with its type and the values that can come if one likes, as in a table's head:
                   age (whole number: >= 18)
    bin            a cell as in tables; `missing` for no value, `otherwise` for what no other bin holds for
    points         of the bin
    because        the words for points lost here; of the first bin for all that have none
    code           the reason code, in the same way; left out, it is the characteristic's name
    baseline       on the first bin: the points that losses are counted from
    count, events  the rows it was fitted on, and those with the event
    note …         a remark, not read

Lines named `initial score`, `pdo`, `base points`, `base odds`, `baseline`, `higher` and `reasons` have no bin and say,
under points, what holds for the whole card.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.decisions.tables.sheet import Head, head_of
from tidegate.errors import FlowError, nearest

OTHERWISE = "otherwise"
COLUMNS = ("scorecard", "bin", "points", "because", "code", "baseline", "count", "events")
SETTINGS = ("initial score", "pdo", "base points", "base odds", "baseline", "higher", "reasons")
MOST_BINS = 20_000
"""The most bins of a scorecard."""
_DO = "Head the columns scorecard, bin, points; and if you like because, code, baseline, count, events, note."


@dataclass(frozen=True)
class WrittenBin:
    """A bin: its `cell`, what it is worth, and where it stands, in words."""

    cell: Any
    points: Any
    because: str = ""
    code: str = ""
    count: Any = None
    events: Any = None
    place: str = ""


@dataclass(frozen=True)
class WrittenCharacteristic:
    """A characteristic: what its head declares, its bins, and the words and code of those that have none.

    `in_order` says that a bin holds only for what none before it holds for, as in PMML.
    """

    name: str
    bins: tuple[WrittenBin, ...]
    because: str = ""
    code: str = ""
    baseline: Any = None
    declared: str = ""
    values: str = ""
    place: str = ""
    in_order: bool = False


@dataclass(frozen=True)
class WrittenCard:
    """A scorecard as it was written. `settings` are by name, `places` say where each stands.

    `file` is the file that it is from, as its user named it, with the sheet of a workbook.
    """

    name: str
    characteristics: tuple[WrittenCharacteristic, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    file: str = ""

    @property
    def told(self) -> str:
        """What it is called in what is told of mistakes: its file, which its name does not tell from one beside it."""
        return self.file or self.name


def written_in(
    name: str, lines: Sequence[tuple[int, Sequence[Any]]], where: Callable[[int, Head], str], file: str = ""
) -> WrittenCard:
    """The scorecard in the lines of a file, the head first.

    Args:
        name: what the scorecard is called.
        lines: the number and the cells of each line; all of them as long as the head.
        where: says where a row and a column are.
        file: what it is called in messages, if not by its name.

    Raises:
        FlowError: no head, no bins, a column that does not say what it is, a bin of nothing, or a setting said twice.
    """
    told = file or name
    lines = [(number, line) for number, line in lines if any(_text(cell) for cell in line)]
    if not lines:
        raise FlowError(f"{told} is empty.", do=_DO)
    number, head = lines[0]
    return _Reader(name, where, _columns(told, number, head, where), file).all(lines[1:])


def _columns(told: str, number: int, head: Sequence[Any], where: Callable[[int, Head], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    texts = [" ".join(_text(cell).lower().split()) for cell in head]
    if not any(text in COLUMNS for text in texts):
        raise FlowError(f"{told} is no scorecard.", seen=f"a head of {', '.join(texts)[:100]}", do=_DO)
    for place, cell in enumerate(head):
        text = " ".join(_text(cell).lower().split())
        if not text or text == "note" or text.startswith(("note ", "note:")):
            continue
        at = f"{told}, {where(number, Head('', '', place))}"
        if text not in COLUMNS:
            near = nearest(text, COLUMNS)
            raise FlowError(
                f"{at}: A column does not say what it is.", seen=repr(_text(cell)[:80]),
                do=f"Did you mean {near}?" if near else _DO,
            )  # fmt: skip
        if text in found:
            raise FlowError(f"{at}: Two columns have one name.", seen=text, do="Rename one of them.")
        found[text] = place
    lacking = [one for one in COLUMNS[:3] if one not in found]
    if lacking:
        raise FlowError(f"{told} has no column {lacking[0]}.", seen=", ".join(found) or "no head", do=_DO)
    return found


class _Reader:
    def __init__(self, name: str, where: Callable[[int, Head], str], columns: dict[str, int], file: str) -> None:
        self.name, self.where, self.columns, self.file = name, where, columns, file
        self.heads: list[Head] = []
        self.bins: list[list[WrittenBin]] = []
        self.first: list[tuple[int, Sequence[Any]]] = []
        self.settings: dict[str, Any] = {}
        self.places: dict[str, str] = {}

    def all(self, lines: Sequence[tuple[int, Sequence[Any]]]) -> WrittenCard:
        """Every line, one after another."""
        for number, line in lines:
            self._line(number, line)
            if sum(map(len, self.bins)) > MOST_BINS:
                raise FlowError(f"{self.file or self.name} is too large.", do=f"At most {MOST_BINS:,} bins are read.")
        made = [self._characteristic(k) for k in range(len(self.heads))]
        return WrittenCard(self.name, tuple(made), self.settings, self.places, self.file)

    def _at(self, number: int, column: str) -> str:
        return f"{self.file or self.name}, {self.where(number, Head('', column, self.columns[column]))}"

    def _get(self, line: Sequence[Any], column: str) -> Any:
        place = self.columns.get(column, -1)
        return line[place] if place >= 0 and _text(line[place]) else None

    def _line(self, number: int, line: Sequence[Any]) -> None:
        called, cell = _text(line[self.columns["scorecard"]]), self._get(line, "bin")
        setting = " ".join(called.lower().split())
        if cell is None and setting in SETTINGS:
            if setting in self.settings:
                raise FlowError(f"{self._at(number, 'scorecard')}: {setting} is said twice.", do="Leave one out.")
            self.settings[setting], self.places[setting] = self._get(line, "points"), self._at(number, "points")
            return
        if cell is None:
            near = nearest(setting, SETTINGS)
            raise FlowError(
                f"{self._at(number, 'bin')}: A bin holds for something.", seen="a blank cell",
                do=f"Is {near} meant?" if near else "Write a value, a range, missing or otherwise.",
            )  # fmt: skip
        if called:
            self._begin(number, line, called)
        elif not self.heads:
            raise FlowError(f"{self._at(number, 'scorecard')}: A bin belongs to a characteristic.", do="Name it.")
        self.bins[-1].append(
            WrittenBin(
                cell, self._get(line, "points"), _text(self._get(line, "because")), _text(self._get(line, "code")),
                self._get(line, "count"), self._get(line, "events"), self._at(number, "bin"),
            )
        )  # fmt: skip

    def _begin(self, number: int, line: Sequence[Any], called: str) -> None:
        """A line that names its characteristic begins one, or goes on with the one above."""
        try:
            head = head_of(f"if {called}", number)
        except FlowError:
            raise FlowError(
                f"{self._at(number, 'scorecard')}: This does not name a characteristic.", seen=repr(called[:80]),
                do="Write age, or age (whole number: >= 18).",
            ) from None  # fmt: skip
        if self.heads and self.heads[-1].name == head.name and not head.declared:
            return
        self.heads.append(head)
        self.bins.append([])
        self.first.append((number, line))

    def _characteristic(self, k: int) -> WrittenCharacteristic:
        head, bins = self.heads[k], self.bins[k]
        number, line = self.first[k]
        because = next((one.because for one in bins if one.because), "")
        code = next((one.code for one in bins if one.code), "")
        return WrittenCharacteristic(
            head.name, tuple(bins), because, code, self._get(line, "baseline"), head.declared, head.values,
            self._at(number, "scorecard"),
        )  # fmt: skip


def _text(cell: Any) -> str:
    """A cell as text; what spreadsheets hold as a whole number is told as one."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell == int(cell) else str(cell).strip()


__all__ = ["COLUMNS", "OTHERWISE", "SETTINGS", "WrittenBin", "WrittenCard", "WrittenCharacteristic", "written_in"]
