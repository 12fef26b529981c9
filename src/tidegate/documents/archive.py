"""Archives from outside (a workbook is one): looked through before anything opens them, so that none can burst.

An archive of a few kilobytes can say that it holds gigabytes, or hold them without saying so. Its directory is
measured before it is read, what it says is bounded, and then everything is unpacked once, without being kept, to see
that it is so.
"""

import zlib
from zipfile import BadZipFile, ZipFile

from tidegate.errors import DocumentError

LARGEST = 64 * 1024 * 1024
"""The most bytes of an archive."""
MOST_UNPACKED = 256 * 1024 * 1024
"""The most bytes of everything in it, unpacked."""
MOST_PARTS = 2_000
"""The most parts of an archive."""
MOST_TIMES = 400
"""The most times larger that a part may get when it is unpacked; only parts of more than a megabyte are judged."""
_END, _END64, _DIRECTORY = b"PK\x05\x06", b"PK\x06\x07", 1024 * 1024
_JUDGED = 1024 * 1024


def check_end(data: bytes, what: str) -> None:
    """See that bytes are an archive whose directory can be read.

    Raises:
        DocumentError: they are no archive, cut short, or too large.
    """
    if len(data) > LARGEST:
        raise DocumentError(f"{what} is too large.", seen=f"{len(data):,} bytes", do=f"At most {LARGEST:,} are read.")
    at = data.rfind(_END, max(0, len(data) - 65_557))
    if not data.startswith(b"PK") or at < 0 or len(data) < at + 22:
        raise DocumentError(
            f"{what} is not what it says, or was cut short.",
            seen=f"{len(data):,} bytes that begin with {data[:4]!r}",
            do="Save it again as .xlsx." if what.endswith(".xlsx") else "Restore it.",
        )
    parts, size = int.from_bytes(data[at + 10 : at + 12], "little"), int.from_bytes(data[at + 12 : at + 16], "little")
    if parts > MOST_PARTS or size > _DIRECTORY or data[max(0, at - 20) : at].startswith(_END64):
        raise DocumentError(
            f"{what} has too many parts.", seen=f"{parts:,} parts or more", do=f"At most {MOST_PARTS:,} are read."
        )


def check(archive: ZipFile, what: str) -> None:
    """See that everything in an archive is whole, and no larger than it may be.

    Raises:
        DocumentError: it is damaged, encrypted, unpacks to too much, or packs more than anything honest does.
    """
    parts = archive.infolist()
    total = sum(part.file_size for part in parts)
    worst = max(parts, key=lambda part: part.file_size / max(1, part.compress_size), default=None)
    if worst is None:
        raise DocumentError(f"{what} is an archive with nothing in it.")
    packed = worst.file_size > _JUDGED and worst.file_size > MOST_TIMES * worst.compress_size
    if total > MOST_UNPACKED or packed or len(parts) > MOST_PARTS:
        raise DocumentError(
            f"{what} unpacks to far more than it is, as an archive made to do harm does.",
            seen=f"{total:,} bytes in {len(parts):,} parts; {worst.filename[:80]!r} grows from {worst.compress_size:,}"
            f" to {worst.file_size:,}",
            do=f"At most {MOST_UNPACKED:,} bytes are read, and no part may grow more than {MOST_TIMES} times.",
        )
    locked = next((part.filename for part in parts if part.flag_bits & 1), None)
    if locked is not None:
        raise DocumentError(f"{what} is encrypted.", seen=locked[:80], do="Save it without a password.")
    try:
        # Everything is unpacked and its checksum compared, so a part that is more or other than it says is found.
        wrong = archive.testzip()
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError) as error:
        wrong = str(error)
    if wrong is not None:
        raise DocumentError(f"{what} is damaged.", seen=wrong[:80], do="Save it again, or restore it.")
