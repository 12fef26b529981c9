"""Where the rows go that are no events: a file of NDJSON beside the run, with line, reason and original."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from tidegate.connectors.files_refused import Refused
from tidegate.errors import TidegateError


class Quarantine:
    """Writes refused rows, one JSON object a line: `line`, `pointer`, `reason`, `original`.

    A row with faults in several fields has the others in `others`, each with `pointer` and `reason`. At the end comes
    one with `refused`, the number of rows, and `reasons`, how many rows have each. The file is made with the first row:
    no file means nothing refused.

    Args:
        path: where to write.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.count = Path(path), 0
        self.reasons: Counter[str] = Counter()
        self._file: IO[bytes] | None = None

    def add(self, refused: Iterable[Refused], *, source: str = "") -> None:
        """Write rows; `source` names the file they are from, where there are several.

        Raises:
            TidegateError: the file cannot be written.
        """
        for row in refused:
            entry: dict[str, object] = {"file": source} if source else {}
            entry |= {"line": row.line, "pointer": row.pointer, "reason": row.reason, "original": row.original}
            if row.others:
                entry["others"] = [{"pointer": pointer, "reason": reason} for pointer, reason in row.others]
            self._write(entry)
            self.count += 1
            for pointer, said in ((row.pointer, row.reason), *row.others):
                reason, _, advice = said.partition(". ")
                advice = f". {advice}" if "`--" in advice else ""  # without what was seen, which differs by row
                self.reasons[(f"{pointer}: " if pointer else "") + f"{reason}{advice}".rstrip(".")] += 1

    def _write(self, entry: dict[str, object]) -> None:
        try:
            if self._file is None:
                self._file = self.path.open("wb")
            self._file.write(msgspec.json.encode(entry) + b"\n")
        except OSError as error:
            raise TidegateError(
                f"The quarantine file {self.path} cannot be written.",
                seen=error.strerror or str(error),
                do="Free some room, or name another place.",
            ) from error

    def close(self) -> None:
        """Write the count and close the file."""
        if self._file is not None:
            self._write({"refused": self.count, "reasons": dict(self.reasons.most_common(100))})
            file, self._file = self._file, None
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
