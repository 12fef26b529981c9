"""Snapshots of state: named arrays and a header in one file, written whole or not at all, checked when read.

The file, all numbers little-endian:

    8 bytes   TIDESNAP
    8 bytes   length of the header
    header    JSON: format, seq, flow, about (the caller's own), arrays (name, dtype, shape, offset), root; padded with
              blanks
    arrays    raw bytes in C order, each at an offset that is a multiple of 64
    32 bytes  SHA-256 of everything before
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from tidegate.errors import SnapshotError

FORMAT = 1
MAGIC = b"TIDESNAP"
_ALIGN = 64
_SUFFIX = ".snapshot"
_PLAIN = "biufcmMSU"
_FOLDERS: dict[Path, threading.Lock] = {}
"""Which folders this process writes to: one snapshot at a time, and nobody clears away what is being written."""
_AGAIN = "Delete the file: an older snapshot and the store, or the store alone, give the same state."


class _Array(msgspec.Struct, frozen=True):
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class _Header(msgspec.Struct, frozen=True):
    format: int
    seq: int
    flow: str
    about: dict[str, Any]
    arrays: list[_Array]
    root: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """State as it was after record `seq`.

    Args:
        seq: the last record that is in it; recovery learns the later ones again.
        flow: digest of what the flow whose state it is knows of the past; of the whole flow in files of older versions.
        about: what the writer added, plain JSON values.
        arrays: by name. They may be written to; the file does not change by it.
        root: of the log at `seq`, which says what history the state is of; empty in files of older versions.
    """

    seq: int
    flow: bytes
    about: dict[str, Any]
    arrays: dict[str, Any]
    root: bytes = b""


class Written(msgspec.Struct, frozen=True):
    """A snapshot's file, its SHA-256 and its size in bytes."""

    path: Path
    sha256: bytes
    size: int


class Latest(msgspec.Struct, frozen=True):
    """The newest usable snapshot, None if there is none, and why newer ones were passed over."""

    snapshot: Snapshot | None
    passed_over: list[SnapshotError]


def _padded(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def write(
    path: Path,
    *,
    seq: int,
    flow: bytes,
    arrays: Mapping[str, np.ndarray[Any, Any]],
    root: bytes,
    about: Mapping[str, Any] | None = None,
) -> Written:
    """Write a snapshot: under another name, synced, then renamed, so `path` is never half a snapshot.

    Args:
        path: the file; one that is there is replaced.
        seq, flow, arrays, about, root: see `Snapshot`. Arrays of numbers, times or fixed-length text.

    Raises:
        SnapshotError: an array of Python objects; the disk is full or cannot be written.
    """
    parts: list[np.ndarray[Any, Any]] = []
    places: list[_Array] = []
    offset = 0
    for name, array in arrays.items():
        if array.dtype.kind not in _PLAIN:
            raise SnapshotError(
                f"The array {name!r} cannot be kept in a snapshot.",
                seen=f"dtype {array.dtype}",
                do="Keep numbers, times or fixed-length text.",
            )
        places.append(_Array(name, array.dtype.str, array.shape, offset))
        parts.append(np.ascontiguousarray(array))
        offset = _padded(offset + array.nbytes)
    # Offsets count from the end of the header, whose own length depends on their digits.
    header = msgspec.json.encode(_Header(FORMAT, seq, flow.hex(), dict(about or {}), places, root.hex()))
    header = header.ljust(_padded(16 + len(header)) - 16)
    unfinished = path.with_name(path.name + ".new")
    digest = sha256()
    try:
        with open(unfinished, "wb") as file:

            def put(data: Any) -> None:
                digest.update(data)
                file.write(data)

            put(MAGIC + len(header).to_bytes(8, "little") + header)
            for part in parts:
                # Bytes, because times and text have no buffer of their own.
                put(part.reshape(-1).view(np.uint8).data if part.size else b"")
                put(bytes(_padded(part.nbytes) - part.nbytes))
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        os.replace(unfinished, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise SnapshotError(
            f"The snapshot {path} could not be written.",
            seen=str(error.strerror or error),
            do="Make room on its disk, or give a folder that can be written. The store is not touched by this.",
        ) from error
    return Written(path, digest.digest(), size)


def read(path: Path, *, flow: Collection[bytes] = (), mapped: bool = False) -> Snapshot:
    """Read a snapshot, and check all of it.

    Args:
        path: the file.
        flow: the digests of which it must have one; of none, any.
        mapped: map the file instead of reading it: pages come as they are needed, and go when memory is short.

    Raises:
        SnapshotError: no such file; it is damaged, cut short, of another format, or of another flow.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="c") if mapped else np.fromfile(path, dtype=np.uint8)
    except FileNotFoundError as error:
        raise SnapshotError(f"There is no snapshot {path}.", do="The store alone gives the same state.") from error
    except (OSError, ValueError) as error:
        raise SnapshotError(f"The snapshot {path} cannot be read.", seen=str(error), do=_AGAIN) from error
    start = data[:16].tobytes()
    if start[:8] != MAGIC:
        raise SnapshotError(f"{path} is no snapshot.", seen=f"{start[:8]!r} at its start", do=_AGAIN)
    told = data[-32:].tobytes()
    found = sha256(data[:-32].data).digest()
    if len(data) < 48 or found != told:
        raise SnapshotError(
            f"The snapshot {path} is damaged or was cut short.",
            seen=f"SHA-256 {found.hex()} over {len(data)} bytes, where {told.hex()} was written",
            do=_AGAIN,
        )
    begin = 16 + int.from_bytes(start[8:], "little")
    raw = data[16:begin].tobytes()
    try:
        # The format first: another one may have another header.
        version = msgspec.json.decode(raw).get("format")
        header = msgspec.json.decode(raw, type=_Header) if version == FORMAT else None
    except (msgspec.DecodeError, AttributeError) as error:
        raise SnapshotError(f"The header of the snapshot {path} cannot be read.", seen=str(error), do=_AGAIN) from error
    if header is None:
        raise SnapshotError(
            f"The snapshot {path} was written by another version of Tidegate.",
            seen=f"format {version}, where this one reads {FORMAT}",
            do=_AGAIN,
        )
    if flow and header.flow not in [one.hex() for one in flow]:
        raise SnapshotError(
            f"The snapshot {path} is of a flow with other windows, lists, limits or fields.",
            seen=f"{header.flow[:12]}, where {next(iter(flow)).hex()[:12]} is running",
            do="The state of this flow is made from the store's own records, but for those that were pruned or erased.",
        )
    arrays = {}
    for array in header.arrays:
        at = begin + array.offset
        arrays[array.name] = data[at : at + array.size].view(array.dtype).reshape(array.shape).view(np.ndarray)
    return Snapshot(header.seq, bytes.fromhex(header.flow), header.about, arrays, bytes.fromhex(header.root))


class Snapshots:
    """The snapshots of one store, in a folder of their own; the last few are kept.

    Args:
        folder: is made if it is not there.
        keep: how many, at least two, so that a damaged one has another behind it.

    Raises:
        SnapshotError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, keep: int = 2) -> None:
        self.folder, self.keep = folder, max(2, keep)
        self._writing = _FOLDERS.setdefault(folder.resolve(), threading.Lock())
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SnapshotError(
                f"The folder {folder} for snapshots cannot be made.",
                seen=str(error.strerror or error),
                do="Give a folder that can be written.",
            ) from error

    @staticmethod
    def folder_beside(store: Path) -> Path:
        """Where those of a store file lie, if there are any."""
        return store.with_name(store.name + ".snapshots")

    @classmethod
    def beside(cls, store: Path) -> Self:
        """Those of a store file, in the folder `<store>.snapshots`."""
        return cls(cls.folder_beside(store))

    def files(self) -> list[Path]:
        """The files there are, the newest first."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"), reverse=True)

    def write(
        self,
        *,
        seq: int,
        flow: bytes,
        arrays: Mapping[str, np.ndarray[Any, Any]],
        root: bytes,
        about: Mapping[str, Any] | None = None,
    ) -> Written:
        """Write the state after record `seq`, then delete all but the last few (see this module's `write`)."""
        path = self.folder / f"{seq:019d}{_SUFFIX}"
        with self._writing:
            written = write(path, seq=seq, flow=flow, arrays=arrays, about=about, root=root)
            for old in self.files()[self.keep :]:
                with contextlib.suppress(OSError):
                    old.unlink()
            return written

    def take_from(self, others: Self, up_to: int) -> None:
        """Copy the snapshots that lie elsewhere, up to one of record `up_to`; `latest` looks at whose history they are.

        One that is here already is replaced: it may be of another history, or of a copy that lost its power.

        Raises:
            SnapshotError: one cannot be copied.
        """
        for path in others.files():
            own = self.folder / path.name
            if not path.stem.isdecimal() or int(path.stem) > up_to:
                continue
            unfinished = own.with_suffix(".new")
            try:
                shutil.copyfile(path, unfinished)
                with unfinished.open("rb") as file:
                    os.fsync(file.fileno())
                unfinished.replace(own)
            except OSError as error:
                raise SnapshotError(
                    f"The snapshot {path} cannot be copied.", seen=str(error), do="Free the disk, and copy again."
                ) from error

    def clear_unfinished(self) -> None:
        """Delete what a writer that was killed left; for who holds the store. What is being written is waited for."""
        with self._writing:
            for unfinished in self.folder.glob("*.new"):
                unfinished.unlink(missing_ok=True)

    def latest(
        self,
        *,
        flow: Collection[bytes] = (),
        up_to: int | None = None,
        root_at: Callable[[int], bytes | None] | None = None,
        mapped: bool = False,
    ) -> Latest:
        """The newest snapshot that is whole and fits.

        Args:
            flow: the digests of which it must have one; of none, any.
            up_to: the last record that the store holds. A snapshot of a later one says that the store was cut short.
            root_at: the root of the store's log at a number of records, None where no commit ended there. A snapshot
                of another root is of another history: its store was replaced by another, or by an older copy that
                went on otherwise.
            mapped: see `read`.
        """
        passed_over: list[SnapshotError] = []
        for path in self.files():
            try:
                found = read(path, flow=flow, mapped=mapped)
                if up_to is not None and found.seq > up_to:
                    raise SnapshotError(
                        f"The snapshot {path} is ahead of its store.",
                        seen=f"state after record {found.seq}, where the store ends at {up_to}",
                        do="The store was cut short, or an older copy put in its place: put back the newest copy. "
                        "To go on with the older one, delete the snapshot.",
                    )
                if root_at is not None:
                    _same_history(path, found, root_at(found.seq))
                return Latest(found, passed_over)
            except SnapshotError as error:
                passed_over.append(error)
        return Latest(None, passed_over)


def _same_history(path: Path, found: Snapshot, root: bytes | None) -> None:
    """Raise SnapshotError if the state is not of the log that has this root where the state was taken."""
    if root is not None and found.root == root:
        return
    own = found.root.hex() or "none, as older versions wrote it"
    raise SnapshotError(
        f"The snapshot {path} cannot be shown to be of the history that its store holds.",
        seen=f"root {own} at record {found.seq}, where the store's log has {'none' if root is None else root.hex()}",
        do="Nothing is lost: the state is made from the store's own records.",
    )
