"""A folder of stored models, and names for the ones in use: "card-risk@champion" is whichever version it points at."""

import contextlib
import difflib
import os
import tempfile
from pathlib import Path
from typing import NoReturn

import msgspec

from tidegate.errors import ModelError
from tidegate.models.artefact import AGAIN, Artefact, split_name, verified
from tidegate.models.promotion import require
from tidegate.models.scoring import ScoringModel

__all__ = ["Pointer", "Registry", "load", "load_artefact", "write"]


def write(artefact: Artefact, folder: str | Path) -> Path:
    """Store an artefact as `folder/NAME@VERSION`, whole or not at all, and give its path.

    The same content again is no error. Raises ModelError if the version exists with other content or cannot be written.
    """
    reference = f"{artefact.card.name}@{artefact.card.version}"
    split_name(reference)
    artefact.model()  # nothing is stored that could not be read back
    target = Path(folder) / reference
    if target.exists():
        if load_artefact(target).digest == artefact.digest:
            return target
        raise ModelError(
            f"{reference} exists already with other content.", seen=str(target), do="Give the new model a new version."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{reference}.", dir=target.parent))
        try:
            for name, content in artefact.files().items():
                _write_synced(draft / name, content)
            draft.chmod(0o755)
            _sync_folder(draft)
            draft.rename(target)
            _sync_folder(target.parent)
        finally:
            for leftover in draft.glob("*"):
                leftover.unlink()
            with contextlib.suppress(FileNotFoundError):  # it is the target by now
                draft.rmdir()
    except OSError as error:
        raise ModelError(
            f"{reference} cannot be stored in {folder}.", seen=error.strerror or str(error),
            do="Free room or choose another folder, and store it again.",
        ) from None  # fmt: skip
    return target


def load_artefact(path: str | Path, *, digest: str = "") -> Artefact:
    """Read and verify an artefact; with `digest` also that it is the one meant. Raises ModelError by name if not."""
    folder = Path(path)
    if not folder.is_dir():
        raise ModelError(
            f"There is no stored model at {folder}.",
            seen="a file" if folder.exists() else "nothing",
            do="Give the folder NAME@VERSION that `tidegate train` wrote.",
        )
    contents = {}
    for name in ("card.json", "model.txt", "digest"):
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            raise ModelError(
                f"The stored model {folder.name} lacks a readable {name}.", seen=error.strerror or str(error), do=AGAIN
            ) from None
    return verified(contents, folder.name, digest=digest)


def load(path: str | Path, *, digest: str = "") -> ScoringModel:
    """The model in a folder, verified and ready to answer."""
    return load_artefact(path, digest=digest).model()


_MOST_BEFORE = 20


class Pointer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alias stands for: a version, and the digest that the version had when the alias was set.

    `before` is what it stood for earlier, versions and digests, the latest first, at most 20 of them; `why` is what was
    said when it was set although the model's reasons fall short.
    """

    version: str
    digest: str
    before: tuple[tuple[str, str], ...] = ()
    why: str = ""


class Registry:
    """Models under `folder`: `models/NAME@VERSION/` and `aliases/NAME@ALIAS`. Every write is whole or not at all."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._models, self._aliases = self.folder / "models", self.folder / "aliases"

    def add(self, artefact: Artefact, *, alias: str = "", override: bool = False, why: str = "") -> Path:
        """Store an artefact, and with `alias` promote it: point NAME@alias at it, be that new or another version's.

        Raises ModelError as `write` does, and, before anything is stored, as `require_reasons` does.
        """
        name, version = artefact.card.name, artefact.card.version
        if self._alias(f"{name}@{version}") is not None:
            raise ModelError(
                f"{name}@{version} is an alias already.",
                seen="a version of the same name",
                do="Choose another version.",
            )
        said = self._require_to_move(f"{name}@{alias}", artefact, override, why) if alias else ""
        path = write(artefact, self._models)
        if alias:
            self.point(f"{name}@{alias}", version, why=said)
        return path

    def promote(self, alias: str, version: str, *, override: bool = False, why: str = "") -> Pointer:
        """Let NAME@ALIAS, be it new or not, stand for a version, unless the version's reasons fall short.

        Raises ModelError as `point` and `require_reasons` do.
        """
        artefact = self._load(f"{split_name(alias)[0]}@{version}")
        return self.point(alias, version, why=self._require_to_move(alias, artefact, override, why))

    def _require_to_move(self, alias: str, artefact: Artefact, override: bool, why: str) -> str:
        """As `require_reasons`; nothing is asked of the version that the alias stands for already."""
        old = self._alias(alias, damaged=True)
        if old is not None and (old.version, old.digest) == (artefact.card.version, artefact.digest):
            return ""
        return require(artefact, override=override, why=why)

    def point(self, alias: str, version: str, *, why: str = "") -> Pointer:
        """Let NAME@ALIAS stand for a version that is stored, whatever its reasons; `promote` looks at them.

        Raises ModelError if it is not stored, or is damaged.

        `why` is kept: what was said when the version was promoted although its reasons fall short.
        """
        name, _ = split_name(alias)
        if (self._models / alias).exists():
            raise ModelError(f"{alias} is a stored version.", seen="an alias of that name", do="Choose another word.")
        self._stored(name, version, alias)
        digest = self._load(f"{name}@{version}").digest
        old = self._alias(alias, damaged=True)
        if old is not None and (old.version, old.digest) == (version, digest):
            return old
        before = () if old is None else ((old.version, old.digest), *old.before)[:_MOST_BEFORE]
        return self._point(alias, Pointer(version, digest, before, why))

    def require_reasons(self, reference: str, *, override: bool = False, why: str = "") -> str:
        """Make sure that a version's scores and reasons hold before it is promoted; gives what to keep of an override.

        Raises ModelError if its scores are no better than chance, or its reasons fall short or were never measured, and
        nobody overrides that and says why.
        """
        return require(self.artefact(reference), override=override, why=why)

    def roll_back(self, alias: str) -> Pointer:
        """Let NAME@ALIAS stand for what it stood for before.

        Raises ModelError if it is no alias, has never stood for another version, or that one is gone or was changed.
        """
        name, _ = split_name(alias)
        now = self._alias(alias)
        if now is None:
            self._unknown(alias)
        if not now.before:
            raise ModelError(
                f"{alias} has stood for no other version.", seen=f"{name}@{now.version} since it was set",
                do=f"Say which with `tidegate models promote {name}@VERSION`.",
            )  # fmt: skip
        version, digest = now.before[0]
        self._stored(name, version, alias)
        self._load(f"{name}@{version}", digest)
        return self._point(alias, Pointer(version, digest, now.before[1:]))

    def _point(self, alias: str, pointer: Pointer) -> Pointer:
        try:
            self._aliases.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=f".{alias}.", dir=self._aliases)
            os.close(handle)
            _write_synced(Path(draft), msgspec.json.encode(pointer))
            Path(draft).replace(self._aliases / alias)
            _sync_folder(self._aliases)
        except OSError as error:
            raise ModelError(
                f"The alias {alias} cannot be stored.", seen=error.strerror or str(error), do="Free room and try again."
            ) from None
        return pointer

    def resolve(self, reference: str) -> Pointer:
        """The version and digest that a reference, by version or by alias, stands for. Raises ModelError if unknown."""
        split_name(reference)
        pointer = self._alias(reference)
        return pointer or Pointer(reference.partition("@")[2], self._load(reference).digest)

    def artefact(self, reference: str) -> Artefact:
        """The stored artefact, verified; through an alias also that it is the very one that the alias was set to."""
        name, _ = split_name(reference)
        pointer = self._alias(reference)
        if pointer is None:
            return self._load(reference)
        self._stored(name, pointer.version, reference)
        return self._load(f"{name}@{pointer.version}", pointer.digest)

    def model(self, reference: str) -> ScoringModel:
        """The model, ready to answer."""
        return self.artefact(reference).model()

    def references(self) -> tuple[str, ...]:
        """Every version and alias that `resolve` knows, sorted."""
        found = [path.name for folder in (self._models, self._aliases) if folder.is_dir() for path in folder.iterdir()]
        return tuple(sorted(name for name in found if not name.startswith(".")))

    def aliases(self, name: str) -> dict[str, Pointer]:
        """The aliases of a model's name and what they stand for, by alias without the name, but for damaged ones."""
        found = self._aliases.glob(f"{name}@*") if self._aliases.is_dir() else ()
        read = {path.name.partition("@")[2]: self._alias(path.name, damaged=True) for path in sorted(found)}
        return {alias: pointer for alias, pointer in read.items() if pointer is not None}

    def versions(self) -> tuple[str, ...]:
        """Every stored version as NAME@VERSION, by name and then by version, numbers as numbers."""

        def order(reference: str) -> tuple[str, int, str]:
            name, _, version = reference.partition("@")
            return name, int(version) if version.isdigit() else -1, version

        found = self._models.iterdir() if self._models.is_dir() else ()
        return tuple(sorted((path.name for path in found if not path.name.startswith(".")), key=order))

    def _alias(self, reference: str, *, damaged: bool = False) -> Pointer | None:
        """What an alias stands for, None where there is none; with `damaged` also where it cannot be read."""
        try:
            return msgspec.json.decode((self._aliases / reference).read_bytes(), type=Pointer)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            if damaged:
                return None
            raise ModelError(
                f"The alias {reference} is damaged.",
                seen=str(error),
                do=self.let_stand(reference) or f"Store a version of {reference.partition('@')[0]} first.",
            ) from None

    def _stored(self, name: str, version: str, alias: str) -> None:
        """Raise ModelError if the version that an alias stands for, or is to stand for, is not there."""
        if (self._models / f"{name}@{version}").exists():
            return
        there = [known for known in self.versions() if known.partition("@")[0] == name]
        points, stand = f"{alias} stands for it" if self._alias(alias, damaged=True) else "", self.let_stand(alias)
        raise ModelError(
            f"There is no model {name}@{version} in {self.folder}" + (f", and {points}." if points else "."),
            seen=", ".join(there) or f"no version of {name}",
            do=(f"{stand[:-1]}; or r" if stand else "R") + f"estore the folder {name}@{version}.",
        )

    def if_missing(self, reference: str) -> str:
        """What to do about an alias that is not there; empty if it is a version, or an alias that is there is meant."""
        name, _, word = reference.partition("@")
        words = [path.name.partition("@")[2] for path in self._aliases.glob(f"{name}@*")]
        return "" if word.isdigit() or difflib.get_close_matches(word, words, 1) else self.let_stand(reference)

    def let_stand(self, alias: str) -> str:
        """What to do so that NAME@ALIAS stands for the newest stored version; empty if there is none of that name."""
        name, _, word = alias.partition("@")
        there = [known for known in self.versions() if known.partition("@")[0] == name]
        to = "" if word == "champion" else f" --to {word}"
        folder = "" if self.folder == Path("models") else f" --models {self.folder}"
        return (
            f"Let the alias stand for one that is there: `tidegate models promote {there[-1]}{to}{folder}`."
            if there
            else ""
        )

    def _load(self, reference: str, digest: str = "") -> Artefact:
        if not (self._models / reference).exists():
            self._unknown(reference)
        return load_artefact(self._models / reference, digest=digest)

    def _unknown(self, reference: str) -> NoReturn:
        known = self.references()
        near = difflib.get_close_matches(reference, known, n=1)
        stand = self.if_missing(reference)
        raise ModelError(
            f"There is no model {reference} in {self.folder}.",
            seen=", ".join(known) or "no models at all",
            do=stand or (f"Did you mean {near[0]}?" if near else "Train and store it first, or correct the name."),
        )


def _write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
