"""API keys: drawn at random, shown once, kept only as hashes in a text file."""

import difflib
import hmac
import os
import re
import secrets
from base64 import b64decode
from binascii import Error as NoBase64
from hashlib import sha256
from pathlib import Path

from tidegate.errors import TidegateError

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}) sha256:([0-9a-f]{64})")


def _digest(key: bytes) -> bytes:
    # A key is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess.
    return sha256(key).digest()


class Keys:
    """The keys that may ask, by name.

    Args:
        hashes: SHA-256 of each key, by its name.
    """

    def __init__(self, hashes: dict[str, bytes]) -> None:
        self._hashes = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @classmethod
    def read(cls, path: Path, *, even_none: bool = False) -> "Keys":
        """The keys in a file.

        Args:
            path: the file.
            even_none: whether it may hold no key at all, so that nobody may ask.

        Raises:
            TidegateError: it is not there, cannot be read, has a line that is no key, or no keys at all.
        """
        hashes = _read(path)
        if not hashes and not even_none:
            raise TidegateError(
                f"The key file {path} holds no key.", do=f"Add one: tidegate keys add NAME --file {path}"
            )
        return cls(hashes)

    def name_of(self, authorization: bytes) -> str | None:
        """Whose key the header `Authorization` holds: `Bearer KEY`, or `Basic` with the key as the password."""
        scheme, _, given = authorization.partition(b" ")
        key = given.strip()
        if scheme.lower() == b"basic":
            try:
                key = b64decode(key, validate=True).partition(b":")[2]
            except (NoBase64, ValueError):
                return None
        elif scheme.lower() != b"bearer":
            return None
        digest, found = _digest(key), None
        for name, hashed in self._hashes.items():  # all of them, so that the time taken tells nothing
            if hmac.compare_digest(digest, hashed):
                found = name
        return found


def _read(path: Path) -> dict[str, bytes]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TidegateError(
            f"There is no key file {path}.", do=f"Make one: tidegate keys add NAME --file {path}"
        ) from None
    except (OSError, UnicodeError) as error:
        raise TidegateError(f"The key file {path} cannot be read.", seen=str(error)) from None
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise TidegateError(
                f"Line {number} of the key file {path} is no key.",
                do="Each line is: NAME sha256:64 hexadecimal digits.",
            )
        hashes[found[1]] = bytes.fromhex(found[2])
    return hashes


def add_key(path: Path, name: str) -> str:
    """Draw a key, add its hash to the file, which is made if it is not there, and give the key: it is kept nowhere.

    Raises:
        TidegateError: the name is taken or no name, or the file cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise TidegateError(
            "A key's name is of letters, digits, dots, dashes and underscores.",
            seen=repr(name),
            do="Write one such as shop-1.",
        )
    hashes = _read(path) if path.exists() else {}
    if name in hashes:
        raise TidegateError(
            f"The key file {path} has a key {name!r} already.",
            do=f"Take another name, or remove it first: tidegate keys remove {name} --file {path}",
        )
    key = f"tg_{secrets.token_urlsafe(32)}"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "a", encoding="utf-8") as out:
            if out.tell() and not path.read_bytes().endswith(b"\n"):
                out.write("\n")
            out.write(f"{name} sha256:{_digest(key.encode()).hex()}\n")
    except OSError as error:
        raise TidegateError(f"The key file {path} cannot be written.", seen=str(error.strerror)) from None
    return key


def names_in(path: Path) -> list[str]:
    """Whose keys a file holds.

    Raises:
        TidegateError: it is not there, cannot be read, or has a line that is no key.
    """
    return list(_read(path))


def remove_key(path: Path, name: str) -> None:
    """Take a key out of the file. The file is replaced at once, so that no server reads half of it.

    Raises:
        TidegateError: there is no such key, or the file cannot be written.
    """
    names = names_in(path)
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        there = f"Did you mean {near[0]}?" if near else f"It has {', '.join(names) or 'none'}."
        raise TidegateError(f"The key file {path} has no key {name!r}.", do=there)
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip().partition(" ")[0] != name]
    unfinished = path.with_name(path.name + ".new")
    try:
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, path.stat().st_mode & 0o777)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write("".join(line + "\n" for line in kept))
        os.replace(unfinished, path)
    except OSError as error:
        raise TidegateError(f"The key file {path} cannot be written.", seen=str(error.strerror)) from None
