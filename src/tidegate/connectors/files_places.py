"""Where the rows of a CSV file stand in it: a quoted text may go over several lines."""

import csv
from collections.abc import Iterator


class Places:
    """The rows of a piece of CSV, and what stands there.

    Args:
        block: whole rows, as they stand in the file.
        separator: between the values.
        first_line: the line of the file at which the block begins, counted from 1.

    Attributes:
        lines: at which line each row begins.
        widths: how many values each has.
    """

    def __init__(self, block: bytes, separator: str, first_line: int) -> None:
        self._text = block.decode("utf-8", "replace").split("\n")
        self._first = first_line
        self.lines: list[int] = []
        self.widths: list[int] = []
        if not self._text[-1]:
            self._text.pop()
        reader = csv.reader(self._ended(), delimiter=separator)
        before = 0
        try:
            for row in reader:
                self.lines.append(first_line + before)
                self.widths.append(len(row))
                before = reader.line_num
        except csv.Error:  # a value longer than it takes: what follows is not told apart
            self.lines, self.widths = [], []

    def _ended(self) -> Iterator[str]:
        return (line + "\n" for line in self._text)

    def text(self, row: int) -> str:
        """A row as it stands in the file."""
        ends = self.lines[row + 1] if row + 1 < len(self.lines) else self._first + len(self._text)
        return "\n".join(self._text[self.lines[row] - self._first : ends - self._first]).removesuffix("\r")
