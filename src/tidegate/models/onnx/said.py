"""What an author says of a model in ONNX, beside the file or in its metadata."""

import msgspec

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile

__all__ = ["Said", "SaidOfFeature", "said_in"]


class SaidOfFeature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author says of a feature: its name, its unit, and the value of a typical row."""

    name: str
    unit: str = ""
    typical: float | str | None = None


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author says of a model beside the file, or in its metadata under "tidegate", as JSON.

    Attributes:
        features: in the order in which the model reads them.
        output: which of its outputs is the score, as in "probabilities[1]".
        missing: "pass" if the model answers where a value is missing; else it is not asked then.
        named: whether the names of features are the author's, and not made up from their places.
    """

    features: tuple[SaidOfFeature, ...] = ()
    output: str = ""
    missing: str = ""
    named: bool = True


def said_in(file: OnnxFile) -> Said:
    """What a file's metadata says. Raises ModelError if that is not what `Said` is."""
    try:
        return msgspec.json.decode(file.metadata.get("tidegate", "{}"), type=Said)
    except msgspec.MsgspecError as error:
        raise ModelError(
            f'The metadata "tidegate" of {file.what} cannot be read.', seen=str(error)[:200],
            do='Write {"features": [{"name": "amount", "unit": "EUR", "typical": 12}], "missing": "pass"}.',
        ) from None  # fmt: skip
