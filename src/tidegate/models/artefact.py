"""A stored model: a folder `NAME@VERSION` of the trees and of what one must know to trust them.

`model.txt` is what others wrote, byte for byte: LightGBM's text, XGBoost's .json or .ubj, PMML, or ONNX;
`card.json` is the card, and `digest` the sha256 of the card, which itself holds that of the model: whoever knows the
digest knows every byte.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from tidegate.errors import ModelError
from tidegate.models.lightgbm import Forest, parse_forest
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.scorer import PmmlScorer
from tidegate.models.scoring import ScoringModel
from tidegate.models.tree_model import TreeModel
from tidegate.models.xgboost import parse_xgboost

__all__ = ["Artefact", "Card", "Kind", "ModelFeature", "kind_of", "read_trees", "split_name", "verified"]

AGAIN = "Restore the folder from a copy, or train the model again."

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


Kind = Literal["lightgbm", "xgboost", "pmml", "onnx"]
"""What models are written by."""


def kind_of(content: bytes) -> Kind:
    """What wrote a model's bytes, by how they begin; LightGBM where that says nothing."""
    if content[:1] == b"\x08":  # the first field of a protocol buffer, ONNX's version
        return "onnx"
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return "pmml" if start[:1] == b"<" else "xgboost" if start[:1] == b"{" else "lightgbm"


def read_trees(content: bytes, *, name: str) -> Forest:
    """The forest in a LightGBM or XGBoost model. Raises TidegateError, by `name`, if it cannot be used."""
    if kind_of(content) == "xgboost":
        return parse_xgboost(content, name=name)
    return parse_forest(content.decode("utf-8", "replace"), name=name)


class ModelFeature(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model reads.

    Attributes:
        kind: of its value, "number" or "category".
        categories: a category's texts by code.
        unit: as its author wrote it; see `signature.ModelInput`.
        typical: the value of a typical row, which reasons of a model that only answers are told against.
    """

    name: str
    kind: str = "number"
    categories: tuple[str, ...] = ()
    unit: str = ""
    typical: float | str | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What one must know about a model.

    Attributes:
        features: in the order in which the trees read them.
        trained_from, trained_until: times of the first and the last training row, ISO 8601, UTC.
        rows, positives: of the training part.
        metrics: of the test part, by name.
        thresholds: hints, a score by the share of rows that it would alert on.
        flow: digest of the flow whose features these are; empty if unknown.
        model: sha256 of the model's bytes; filled in when the artefact is written.
    """

    name: str
    version: str
    objective: str
    features: tuple[ModelFeature, ...]
    label: str = ""
    trained_from: str = ""
    trained_until: str = ""
    rows: int = 0
    positives: int = 0
    metrics: dict[str, float] = {}
    thresholds: dict[str, float] = {}
    parameters: dict[str, str | float | int | bool] = {}
    flow: str = ""
    model: str = ""
    format: int = 1


class Artefact(msgspec.Struct, frozen=True):
    """A model's bytes and its card, not yet or no longer in a folder."""

    card: Card
    content: bytes

    @property
    def digest(self) -> str:
        """sha256 in hex over the card, the trees' own digest in it."""
        return hashlib.sha256(self.card_bytes()).hexdigest()

    def files(self) -> dict[str, bytes]:
        """What is stored, by file name."""
        return {
            "model.txt": self.content,
            "card.json": self.card_bytes(),
            "digest": self.digest.encode() + b"\n",
        }

    def card_bytes(self) -> bytes:
        """The card as it is stored."""
        model = hashlib.sha256(self.content).hexdigest()
        card = msgspec.structs.replace(self.card, model=model)
        return msgspec.json.format(msgspec.json.encode(card, order="sorted"), indent=1)

    @property
    def kind(self) -> Kind:
        """What the model was written by."""
        return kind_of(self.content)

    def model(self) -> ScoringModel:
        """The model, ready to answer. Raises TidegateError if it is damaged or is not the card's."""
        if self.kind == "onnx":
            return self._onnx()
        return self._scorer() if self.kind == "pmml" else self.trees()

    def _onnx(self) -> ScoringModel:
        from tidegate.models.onnx.model import OnnxModel  # ONNX Runtime is an extra
        from tidegate.models.onnx.said import Said, SaidOfFeature

        parts, card = self.card.parameters, self.card
        features = tuple(SaidOfFeature(one.name, one.unit, one.typical) for one in card.features)
        named = bool(parts.get("named", True))
        said = Said(features, str(parts.get("output", "")), str(parts.get("missing", "")), named)
        model = OnnxModel(self.content, f"{card.name}@{card.version}", digest=self.digest, said=said)
        model.files = self.files()
        return model

    def _scorer(self) -> PmmlScorer:
        model = read_pmml(self.content, f"{self.card.name}@{self.card.version}")
        units = {one.name: one.unit for one in self.card.features if one.unit}
        output = str(self.card.parameters.get("output", ""))
        typical = {one.name: one.typical for one in self.card.features if one.typical is not None}
        scorer = PmmlScorer(model, digest=self.digest, output=output, units=units, typical=typical)
        scorer.files = self.files()
        return scorer

    def trees(self) -> TreeModel:
        """The trees. Raises ModelError if they are damaged or not the card's, or if it is a PMML document."""
        where = f"{self.card.name}@{self.card.version}"
        if self.kind in ("pmml", "onnx"):
            raise ModelError(
                f"{where} is a model in {self.kind.upper()}.", seen=self.card.objective,
                do="Name a LightGBM or XGBoost model.",
            )  # fmt: skip
        model = TreeModel(
            read_trees(self.content, name=where),
            digest=self.digest,
            features=[feature.name for feature in self.card.features],
            categories={feature.name: feature.categories for feature in self.card.features if feature.categories},
            units=[feature.unit for feature in self.card.features],
        )
        model.files = self.files()
        return model


def split_name(reference: str) -> tuple[str, str]:
    """`NAME@VERSION` to its parts. Raises ModelError if it is not of that form."""
    name, at, version = reference.partition("@")
    if not at or not _NAME.fullmatch(name) or not _NAME.fullmatch(version):
        raise ModelError(
            "A model is named NAME@VERSION, in small letters, digits and . _ -", seen=repr(reference),
            do='Write, for example, "card-risk@1" or "card-risk@champion".',
        )  # fmt: skip
    return name, version


def verified(contents: Mapping[str, bytes], name: str, *, digest: str = "") -> Artefact:
    """The artefact in the files' contents, `name` being what errors call it; with `digest`, that very one.

    Raises ModelError if a file was changed, cut short or damaged after it was written.
    """
    seal = contents["digest"].decode("ascii", "replace").strip()
    if not _DIGEST.fullmatch(seal):
        raise ModelError(
            f"The digest of the stored model {name} was changed or damaged after it was written.",
            seen=f"a digest of {len(contents['digest'])} bytes that is no SHA-256 in hexadecimal",
            do=AGAIN,
        )
    if hashlib.sha256(contents["card.json"]).hexdigest() != seal:
        raise ModelError(
            f"The card of the stored model {name}, or its digest, was changed or damaged after it was written.",
            seen="a card.json that its digest does not fit",
            do=AGAIN,
        )
    try:
        card = msgspec.json.decode(contents["card.json"], type=Card)
    except msgspec.MsgspecError as error:
        raise ModelError(f"The card of {name} cannot be read.", seen=str(error), do=AGAIN) from None
    if hashlib.sha256(contents["model.txt"]).hexdigest() != card.model:
        raise ModelError(
            f"The trees of the stored model {name} were changed, cut short or damaged after they were written.",
            seen=f"a model.txt of {len(contents['model.txt'])} bytes that its card does not fit",
            do=AGAIN,
        )
    if digest and seal != digest:
        raise ModelError(
            f"The stored model {name} is not the one that was meant.",
            seen=f"digest {seal}",
            do=f"Restore the one with the digest {digest}, or point the alias at this one.",
        )
    artefact = Artefact(card, contents["model.txt"])
    if artefact.digest != seal:
        raise ModelError(f"The card of {name} is of another format.", seen=f"format {card.format}", do=AGAIN)
    return artefact
