"""A model that others made, as an artefact: what it reads and gives is found in the model itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact, Card, ModelFeature, kind_of, read_trees, split_name
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.scorer import PmmlScorer

if TYPE_CHECKING:
    from tidegate.models.onnx.said import Said

__all__ = ["Author", "artefact_of", "onnx_meant"]

_Parameters = dict[str, str | float | int | bool]


@dataclass(frozen=True, slots=True)
class Author:
    """What an author says of a model beside its file.

    Attributes:
        output: of PMML and ONNX, which output is the answer.
        features: of ONNX, the names of the columns of its one tensor.
        missing: of ONNX, "pass" if it answers where a value is missing.
        typical: of ONNX, and of PMML that gives no reasons by itself, a typical value by feature, which reasons are
            told against.
        units: of a feature by name, as in "EUR", "minor EUR", "seconds".
        text: whether an output that is a text is meant where none is named.
    """

    output: str = ""
    features: Sequence[str] = ()
    missing: str = ""
    typical: Mapping[str, float | str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    text: bool = False


def artefact_of(content: bytes, reference: str, *, file: str, author: Author | None = None) -> tuple[Artefact, str]:
    """The artefact of a file's content, to be stored as NAME@VERSION, and in words what the model is.

    Args:
        file: what errors call it.
        author: what its author says of it.

    Raises:
        TidegateError: the reference is none, the file is damaged or not supported, or what is said of it is not so.
    """
    name, version = split_name(reference)
    _require_kind(content, file)
    said, kind = author or Author(), kind_of(content)
    if kind == "onnx":
        card, what = _onnx(content, file, said)
    else:
        _only_onnx(said, file, kind)
        card, what = _pmml(content, file, said) if kind == "pmml" else _trees(content, file, said)
    unknown = [one for one in said.units if one not in {feature.name for feature in card.features}]
    if unknown:
        raise ModelError(
            f"{file} does not read {unknown[0]!r}, whose unit is said.",
            seen=", ".join(feature.name for feature in card.features), do="Name a feature of the model.",
        )  # fmt: skip
    return Artefact(_replaced(card, name, version), content), what


_ENDINGS = {".onnx": "ONNX", ".pmml": "PMML", ".xml": "PMML", ".json": "XGBoost", ".ubj": "XGBoost"}


def _require_kind(content: bytes, file: str) -> None:
    """Raise ModelError if the content begins as no model does, in the words of what the file's ending says it is."""
    ending = "." + file.lower().rpartition(".")[2]
    if (
        kind_of(content) != "lightgbm"
        or content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"tree")
        or ending == ".txt"
    ):
        return
    seen = f"it begins with {content[:24].decode('ascii', 'backslashreplace')!r}" if content else "an empty file"
    if ending in _ENDINGS:
        raise ModelError(
            f"{file} is no {_ENDINGS[ending]} model.", seen=seen, do="Save the model again, or copy it anew."
        )
    raise ModelError(
        f"{file} is no model.", seen=seen,
        do="Give a file of PMML (.pmml), ONNX (.onnx), LightGBM (.txt) or XGBoost (.json, .ubj).",
    )  # fmt: skip


def _replaced(card: Card, name: str, version: str) -> Card:
    return Card(
        name=name, version=version, objective=card.objective, features=card.features, parameters=card.parameters
    )


def _only_onnx(said: Author, file: str, kind: str) -> None:
    typical = {} if kind == "pmml" else said.typical
    for option, value in (("features", said.features), ("missing", said.missing), ("typical", typical)):
        if value:
            raise ModelError(
                f"{file} says its {option} by itself.", seen=f"{option}={value!r}",
                do=f"Leave {option} out; it is for models in ONNX.",
            )  # fmt: skip


def _pmml(content: bytes, file: str, said: Author) -> tuple[Card, str]:
    scorer = PmmlScorer(read_pmml(content, file), output=said.output, text=said.text)
    _require_typical(scorer, said, file)
    features = tuple(
        ModelFeature(one.name, "category" if one.kind == "string" else "number", one.values,
                     said.units.get(one.name, one.unit), said.typical.get(one.name))
        for one in scorer.pmml.inputs
        if one.needed
    )  # fmt: skip
    parameters: _Parameters = {"output": scorer.output.name}
    card = Card(name="", version="", objective="pmml", features=features, parameters=parameters)
    return card, f"PMML {scorer.pmml.kind}, its {_called(scorer.texts)} {scorer.output.name}"


def _require_typical(scorer: PmmlScorer, said: Author, file: str) -> None:
    """Raise ModelError where a typical row is said that is none of the model's, or that it has no use for."""
    if not said.typical:
        return
    if scorer.texts is not None or scorer.gives_reasons:
        why = "answers with a text, which no typical row gives reasons for"
        raise ModelError(
            f"{file} {'gives its reasons by itself' if scorer.texts is None else why}.",
            seen=f"typical={dict(said.typical)!r}"[:80], do="Leave the typical row out.",
        )  # fmt: skip
    if set(said.typical) != set(scorer.features):
        raise ModelError(
            f"A typical row of {file} has a value for each of its features.", seen=", ".join(said.typical),
            do=f"Give {', '.join(scorer.features)}.",
        )  # fmt: skip
    for one in scorer.inputs:
        typical = said.typical[one.name]
        if isinstance(typical, str) != (one.kind == "text"):
            raise ModelError(
                f"The typical {one.name} of {file} is no {one.kind}.",
                seen=repr(typical),
                do="Give what the model reads.",
            )


def _called(texts: Sequence[str] | None) -> str:
    return "score" if texts is None else "label"


def _trees(content: bytes, file: str, said: Author) -> tuple[Card, str]:
    if said.output:
        raise ModelError(f"{file} has one output.", seen=f"output {said.output}", do="Leave the output out.")
    forest = read_trees(content, name=file)
    features = tuple(
        ModelFeature(feature, "category" if texts else "number", texts, said.units.get(feature, ""))
        for feature, texts in ((one, forest.categories.get(one, ())) for one in forest.features)
    )
    wrote = "XGBoost" if kind_of(content) == "xgboost" else "LightGBM"
    card = Card(name="", version="", objective=forest.objective, features=features)
    return card, f"{wrote}, {len(forest.trees):,} trees, {forest.objective}"


def _onnx(content: bytes, file: str, said: Author) -> tuple[Card, str]:
    """What an author says here goes before what the file's metadata says."""
    from tidegate.models.onnx.document import read_onnx  # ONNX Runtime, which the model needs, is an extra
    from tidegate.models.onnx.model import OnnxModel
    from tidegate.models.onnx.said import SaidOfFeature, said_in

    own = said_in(read_onnx(content, file))
    mixed, meant = onnx_meant(content, file, said), {one.name: one for one in own.features}
    model = OnnxModel(content, file, said=mixed)
    strange = [name for name in said.typical if name not in model.features]
    if strange or (said.typical and set(said.typical) != set(model.features)):
        raise ModelError(
            f"A typical row of {file} has a value for each of its features.", seen=", ".join(said.typical),
            do=f"Give {', '.join(model.features)}.",
        )  # fmt: skip
    if model.texts is not None and said.typical:
        raise ModelError(
            f"{file} answers with a text, which no typical row gives reasons for.", seen=model.score.named,
            do="Leave the typical row out.",
        )  # fmt: skip
    features = []
    for name, one in zip(model.features, model.inputs, strict=True):
        known = meant.get(name, SaidOfFeature(name))
        typical = said.typical.get(name, known.typical)
        texts = model.categories.get(name, ())
        if typical is not None and isinstance(typical, str) != (one.kind == "text"):
            raise ModelError(
                f"The typical {name} of {file} is no {one.kind}.", seen=repr(typical), do="Give what the model reads."
            )
        kind = "category" if one.kind == "text" else "number"
        features.append(ModelFeature(name, kind, texts, said.units.get(name, known.unit), typical))
    parameters: _Parameters = {"output": model.score.named, "missing": mixed.missing, "named": not model.positional}
    card = Card(name="", version="", objective="onnx", features=tuple(features), parameters=parameters)
    untold = model.texts is None and any(one.typical is None for one in features)
    reasons = "; no reasons, as no typical row is said" if untold else ""
    return card, f"ONNX, its {_called(model.texts)} {model.score.named}{reasons}"


def onnx_meant(content: bytes, file: str, said: Author) -> "Said":
    """What is said of a model in ONNX; what is said beside it goes before what its metadata says.

    Raises:
        ModelError: the file is damaged or holds what is not run, or its metadata cannot be read.
    """
    from tidegate.models.onnx.document import read_onnx
    from tidegate.models.onnx.output import label_of
    from tidegate.models.onnx.said import Said, SaidOfFeature, said_in

    looked = read_onnx(content, file)
    own = said_in(looked)
    names = tuple(said.features) or tuple(one.name for one in own.features)
    if not names and len(looked.inputs) == 1:
        names = tuple(said.typical)  # whose header names the columns of a tensor that does not
    features = tuple(SaidOfFeature(name) for name in names)
    output = said.output or (label_of(looked) if said.text else own.output)
    return Said(features, output, said.missing or own.missing)
