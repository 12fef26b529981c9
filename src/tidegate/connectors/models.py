"""Models from where they are: kept in a registry under a name, or a file that lies beside a flow."""

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.connectors.documents import beside, content
from tidegate.errors import FlowError
from tidegate.expressions.node import Expr
from tidegate.models.score import ModelScore, given, said_otherwise

if TYPE_CHECKING:
    from tidegate.models.artefact import Artefact
    from tidegate.models.foreign import Author

ENDINGS = (".pmml", ".xml", ".onnx", ".txt", ".json", ".ubj")
"""How the files of models end."""


def model(
    source: str | Path,
    *,
    of: Sequence[Expr],
    otherwise: float | str,
    output: str = "",
    features: Sequence[str] = (),
    missing: str = "",
    typical: Mapping[str, float | str] | None = None,
    units: Mapping[str, str] | None = None,
) -> Expr:
    """What a model says of features, in the order in which it reads them: a number, or a text.

    Args:
        source: a stored model, as in `"card-risk@champion"`; or a file, in the folder of the file that calls this, that
            ends in `.pmml`, `.onnx`, `.txt` (LightGBM), `.json` or `.ubj` (XGBoost). A file's content is a part of the
            flow's version.
        of: the features it is given.
        otherwise: what to use, and to record, when the model cannot answer (it is not there, or says nothing). A text
            says that the model answers with a text, as a class that it predicts, which rules and tables compare.
        output: of a file in PMML or ONNX, which output is the answer; left out, the only number, or of two chances the
            second: `"probabilities[1]"`; with a text as `otherwise`, the only text.
        features: of a file in ONNX, names for the columns of its one tensor.
        missing: of a file in ONNX, "pass" if it answers where a value is missing. Else it is not asked then.
        typical: of a file in ONNX, or in PMML that gives no reasons by itself (no codes, no counted trees), a
            typical value by feature, which reasons are told against. Without, it gives none.
        units: of a file, what a feature is in, by name: "EUR", "minor EUR" (cents), "seconds", "hours", "days".

    Raises:
        FlowError: no features, something that is not an expression among them, or one of them twice; when the class is
            made, that a file's model is given other names, types or units than it reads.
        TidegateError: the file is missing, damaged or not supported.
    """
    if not _is_file(source):
        if output or features or missing or typical or units:
            raise FlowError(
                f"What is said of the stored model {source} is said when it is stored.",
                do="Leave out all but of= and otherwise=; tidegate models add has options for the rest.",
            )
        parts, default = given(of), said_otherwise(otherwise)
        return ModelScore(str(source), parts, default)
    if typical is not None and not isinstance(typical, Mapping):
        raise FlowError(
            f"typical of the model {source} is a typical value by feature.", seen=f"{typical!r}"[:80],
            do='Write typical={"amount": 60.0, …}; `tidegate models add` takes a file of ordinary rows.',
        )  # fmt: skip
    path = beside(Path(source), sys._getframe(1).f_globals.get("__file__"))
    parts, default = given(of), said_otherwise(otherwise)
    from tidegate.models.foreign import Author  # with the kernels, which flows without models need not wait for

    text = isinstance(default, str)
    said = Author(output, tuple(features), missing, dict(typical or {}), dict(units or {}), text)
    data = content(path, ENDINGS, "models")
    artefact, _ = artefact_in(data, _reference(path.name, data, said), file=path.name, author=said)
    return ModelScore(f"{artefact.card.name}@{artefact.card.version}", parts, default, artefact)


def artefact_in(data: bytes, reference: str, *, file: str, author: "Author") -> tuple["Artefact", str]:
    """As `foreign.artefact_of`; what runs by others' code has come through a trial first.

    Raises:
        TidegateError: as there.
    """
    from tidegate.models.artefact import kind_of
    from tidegate.models.foreign import artefact_of, onnx_meant

    if kind_of(data) == "onnx":
        from tidegate.connectors.onnx_trial import tried

        meant = onnx_meant(data, file, author)
        names = tuple(one.name for one in meant.features)
        tried(data, file, features=names, output=meant.output, missing=meant.missing)
    return artefact_of(data, reference, file=file, author=author)


def _is_file(source: str | Path) -> bool:
    return isinstance(source, Path) or source.lower().endswith(ENDINGS)


def _reference(file: str, data: bytes, said: "Author") -> str:
    """The name of a model that is a file: the file's, and what its content and what is said of it come to."""
    name = re.sub(r"[^a-z0-9_.-]", "-", file.lower()).lstrip("_.-")[-100:] or "model"
    texts = ("text",) if said.text and not said.output else ()
    parts = (said.output, said.features, said.missing, sorted(said.typical.items()), sorted(said.units.items()))
    settled = repr((*parts, *texts))
    return f"{name}@{hashlib.sha256(data + settled.encode()).hexdigest()[:12]}"
