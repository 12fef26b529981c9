"""Files as raw rows: Parquet and CSV as frames, NDJSON as lines, a bounded piece at a time."""

import csv
import difflib
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, cast

import polars as pl

from tidegate.connectors.files_places import Places
from tidegate.connectors.separators import separator_of
from tidegate.errors import TidegateError

EXTRA = "#extra"
"""The column that holds what a line of CSV has beyond its header; null when all is well."""

FORMS = (".parquet", ".csv", ".csv.gz", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
MOST_LINE = 1 << 20
"""The longest line of NDJSON, and the longest first line of CSV, in bytes."""
MOST_COLUMNS = 10_000
"""How many columns a CSV file may have; what is read of it is bounded by that."""

_BLOCK = 8 << 20
_MOST_QUOTED = 64 << 20


@dataclass(frozen=True)
class Rows:
    """Some rows of a file as they stand in it; `first_line` is where the first of them is, counted from 1.

    `lossy` says that U+FFFD stands for bytes that were not UTF-8. `places` looks where the rows of CSV stand, `before`
    of which come before these; without them, or where they are `even`, each row has one line.
    """

    frame: pl.DataFrame
    first_line: int
    lossy: bool = False
    places: Callable[[], Places] | None = None
    before: int = 0
    even: bool = True

    def lines(self) -> pl.Series:
        """The line at which each of the rows begins."""
        if not self.even and self.places is not None:
            found = self.places().lines[self.before : self.before + self.frame.height]
            if len(found) == self.frame.height:
                return pl.Series(found, dtype=pl.Int64)
        return pl.int_range(self.first_line, self.first_line + self.frame.height, eager=True)


@dataclass(frozen=True)
class Line:
    """One line of NDJSON; `cut` when it was too long and only its beginning is here."""

    number: int
    body: bytes
    cut: bool


def form(path: Path) -> str:
    """Which form a file has, by its name: `parquet`, `csv` or `ndjson`.

    Raises:
        TidegateError: there is no such file, it is a folder or empty, or its name says none of them.
    """
    name = path.name.lower()
    if path.is_dir():
        inside = sorted(entry.name for entry in path.iterdir() if entry.name.lower().endswith(FORMS))[:5]
        raise TidegateError(
            f"{path} is a folder.", seen=f"in it {', '.join(inside)}" if inside else "no file of events in it",
            do=f"Name a file, such as {path / inside[0]}." if inside else "Name a file.",
        )  # fmt: skip
    if not name.endswith(FORMS):
        raise TidegateError(
            f"The name of {path} does not say what it holds.",
            seen=path.suffix or "no suffix",
            do=f"Name it with one of {', '.join(FORMS)}.",
        )
    if not path.is_file():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, beside, 1)
        raise TidegateError(
            f"There is no file {path}.", do=f"Did you mean {path.parent / close[0]}?" if close else "Check its name."
        )
    if path.stat().st_size == 0:
        raise TidegateError(f"The file {path} is empty.", do="Write it again, or leave it out.")
    return "parquet" if name.endswith(".parquet") else "csv" if ".csv" in name else "ndjson"


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Tell faults of reading as what the reader of a message can act on."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TidegateError(
            f"{path} is cut short or damaged.", seen=str(error), do="Copy it again and compare the sizes."
        ) from error
    except UnicodeError as error:
        raise _other_encoding(path, error) from error
    except (pl.exceptions.PolarsError, csv.Error) as error:
        raise TidegateError(
            f"{path} cannot be read as {what}.",
            seen=str(error).splitlines()[0][:200],
            do="It may be cut short or damaged: copy it again, or write it anew.",
        ) from error
    except OSError as error:
        raise TidegateError(f"{path} cannot be read.", seen=error.strerror or str(error)) from error


def parquet(path: Path, chunk: int, columns: list[str] | None = None) -> Iterator[Rows]:
    """The rows of a Parquet file, at most `chunk` at a time."""
    line = 1
    with told(path, "Parquet"):
        lazy = pl.scan_parquet(path)
        if columns is not None:
            lazy = lazy.select(columns)
        for batch in lazy.collect_batches(chunk_size=chunk, maintain_order=True):
            for frame in batch.iter_slices(chunk):
                yield Rows(frame, line)
                line += frame.height


def parquet_columns(path: Path) -> list[str]:
    """The names of a Parquet file's columns."""
    with told(path, "Parquet"):
        return pl.scan_parquet(path).collect_schema().names()


def _other_encoding(path: Path, error: UnicodeError) -> TidegateError:
    """The error for text that is not in the encoding that it is read in."""
    seen = str(error)
    if isinstance(error, UnicodeDecodeError):
        around = error.object[max(0, error.start - 20) : error.start + 20].decode("cp1252", "replace")
        seen = f"byte 0x{error.object[error.start]:02x} in {around.splitlines()[0] if around else around!r}"
    with suppress(OSError), path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return TidegateError(f"{path} is not in UTF-8.", seen="the mark of UTF-16", do="Say `--encoding utf-16`.")
    do = "Say in which encoding it is: `--encoding cp1252` (Windows in Western Europe), or latin-1, utf-16, ..."
    return TidegateError(f"{path} is not in the encoding it is read in; UTF-8 unless told.", seen=seen, do=do)


def check_encoding(encoding: str) -> None:
    """Refuse what is no encoding of text."""
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError):
        raise TidegateError(
            "This is not an encoding of text.", seen=repr(encoding), do="Write utf-8, cp1252, latin-1 or utf-16."
        ) from None


class _Recoded(io.RawIOBase):
    """A file in another encoding, read as UTF-8."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self._text = file, io.TextIOWrapper(file, encoding, newline="\n")

    def read(self, size: int = -1) -> bytes:
        """At most so many characters, as UTF-8."""
        return self._text.read(size).encode()

    def readline(self, size: int | None = -1) -> bytes:
        """A line of at most so many characters, as UTF-8."""
        return self._text.readline(-1 if size is None else size).encode()

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        super().close()


def _opened(path: Path, encoding: str = "utf-8") -> IO[bytes]:
    compressed = path.name.lower().endswith(".gz")
    file = cast(IO[bytes], gzip.open(path, "rb") if compressed else path.open("rb"))  # noqa: SIM115 (the caller closes)
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return file
    return cast(IO[bytes], _Recoded(file, encoding))


def csv_columns(path: Path, encoding: str = "utf-8") -> list[str]:
    """The names of a CSV file's columns, from its first line."""
    return _header(path, encoding)[0]


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """The names of the columns, and what separates them."""
    with told(path, "CSV"), _opened(path, encoding) as file:
        first = file.readline(MOST_LINE + 1)
        if len(first) > MOST_LINE:
            raise TidegateError(
                f"The first line of {path} is longer than {MOST_LINE} bytes.",
                seen=first[:60].decode("utf-8-sig", "replace") + "…",
                do="The first line names the columns; write the file with the columns that are read only.",
            )
        header = first.decode("utf-8-sig").strip()
        separator = separator_of(header)
        names = next(csv.reader([header], delimiter=separator), [])
    if len(names) > MOST_COLUMNS:
        raise TidegateError(
            f"{path} has more than {MOST_COLUMNS:,} columns.",
            seen=f"{len(names):,}",
            do="Write the file with the columns that are read only.",
        )
    twice = [name for name, many in Counter(names).items() if many > 1]
    if not names or twice:
        raise TidegateError(
            f"The first line of {path} does not name its columns.",
            seen=f"{', '.join(sorted(twice)[:5])} twice" if twice else "an empty line",
            do="Write one name for each column in the first line.",
        )
    return names, separator


def comma_separated(path: Path, chunk: int, encoding: str = "utf-8") -> Iterator[Rows]:
    """The rows of a CSV file, at most `chunk` at a time, all as text; a byte that is not UTF-8 is U+FFFD."""
    header = io.StringIO()
    names, separator = _header(path, encoding)
    csv.writer(header, lineterminator="\n", delimiter=separator).writerow([*names, EXTRA])
    head = header.getvalue().encode()
    with told(path, "CSV"), _opened(path, encoding) as file:
        file.readline(MOST_LINE + 1)
        line = 2
        for block in _blocks(file, path):
            lossy = not _is_utf8(block)
            frame = pl.read_csv(
                io.BytesIO(head + block),
                separator=separator,
                infer_schema=False,
                truncate_ragged_lines=True,
                encoding="utf8-lossy" if lossy else "utf8",
            )
            ends = block.count(b"\n")
            even = ends + (not block.endswith(b"\n")) == frame.height
            places = cache(partial(Places, block, separator, line))
            before = 0
            for part in frame.iter_slices(chunk):
                first = line + before if even else places().lines[before] if before < len(places().lines) else line
                yield Rows(part, first, lossy, places, before, even)
                before += part.height
            line += ends


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _blocks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """A file in pieces that end where a row ends: at a line's end outside of quotes."""
    held = b""
    while piece := file.read(_BLOCK):
        held += piece
        end = held.rfind(b"\n") + 1
        # A line's end inside quotes has an odd number of quotes before it.
        while end and held.count(b'"', 0, end) % 2:
            end = held.rfind(b"\n", 0, held.rfind(b'"', 0, end)) + 1
        if end:
            yield held[:end]
            held = held[end:]
        elif len(held) > _MOST_QUOTED:
            raise TidegateError(f"{path} has a quote that is never closed.", do="Double the quotes inside of texts.")
    if held.count(b'"') % 2:
        raise TidegateError(
            f"{path} ends inside of a quoted text.", do="It may be cut short; or double the quotes inside of texts."
        )
    if held:
        yield held


def lines(path: Path, encoding: str = "utf-8") -> Iterator[Line]:
    """The lines of an NDJSON file that are not blank."""
    number = 0
    with told(path, "NDJSON"), _opened(path, encoding) as file:
        while body := file.readline(MOST_LINE + 1):
            number += 1
            cut = len(body) > MOST_LINE
            rest = body
            while cut and rest and not rest.endswith(b"\n"):
                rest = file.readline(MOST_LINE)
            if body.strip():
                yield Line(number, body[:200] if cut else body.rstrip(b"\r\n"), cut)
