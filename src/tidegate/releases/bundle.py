"""A bundle: the files that make a version of a flow, by content, so that what was signed is what runs."""

from hashlib import sha256
from pathlib import Path, PurePosixPath

import msgspec

from tidegate.errors import ReleaseError

LARGEST = 64 * 1024 * 1024


class Bundle(msgspec.Struct, frozen=True):
    """Files by their path below one folder, and which of them, with which class, is the flow: `flow.py:CardFraud`."""

    place: str
    files: dict[str, bytes]

    def dump(self) -> bytes:
        """The bundle as bytes; the same files give the same bytes."""
        return msgspec.msgpack.encode(self, order="sorted")

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        return sha256(self.dump()).hexdigest()

    def unpack(self, folder: Path) -> str:
        """Write the files below a folder, which is made; gives the flow's place there.

        Raises:
            ReleaseError: a path leads out of the folder, or nothing can be written.
        """
        for name, content in self.files.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ReleaseError("A bundle's path leads out of it.", seen=name)
            target = folder / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            except OSError as error:
                raise ReleaseError(f"{target} cannot be written.", seen=error.strerror or str(error)) from None
        return str(folder / self.place)


def read_bundle(data: bytes) -> Bundle:
    """The bundle in these bytes.

    Raises:
        ReleaseError: they are none.
    """
    try:
        return msgspec.msgpack.decode(data, type=Bundle)
    except msgspec.DecodeError as error:
        raise ReleaseError("This is no bundle of a flow's files.", seen=str(error)) from None


def make_bundle(place: str, files: dict[Path, bytes]) -> Bundle:
    """A bundle of a flow's file and what it imports from its folder.

    Args:
        place: FILE.py or FILE.py:ClassName.
        files: the files' contents; the flow's own is among them.

    Raises:
        ReleaseError: they do not lie below one folder, or are too large.
    """
    file, colon, wanted = place.rpartition(":")
    if not colon or not wanted.isidentifier():
        file, wanted = place, ""
    folder = Path(file).resolve().parent
    outside = [str(path) for path in files if not path.resolve().is_relative_to(folder)]
    if outside:
        raise ReleaseError("A flow's files lie in one folder.", seen=", ".join(outside), do="Move them there.")
    size = sum(map(len, files.values()))
    if size > LARGEST:
        raise ReleaseError("A flow's files are too large.", seen=f"{size:,} bytes", do=f"At most {LARGEST:,}.")
    named = {path.resolve().relative_to(folder).as_posix(): content for path, content in files.items()}
    return Bundle(Path(file).name + (f":{wanted}" if wanted else ""), dict(sorted(named.items())))
