"""One reason of a model's answer."""

from typing import Any

import msgspec


class ModelReason(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How much one feature moved the model's score, in words.

    `value` is with its unit, if it has one; None if missing, a text if a category whose texts are known. `words` are
    half a sentence: "times_usual is 14.2, which raises the risk".

    `method` is how `contribution` was worked out: nothing is said of exact TreeSHAP, which is in the model's raw units,
    nor of a scorecard's points; "baseline Shapley" and "occlusion" are in those of the score, against a typical row.
    """

    feature: str
    value: Any
    contribution: float
    words: str
    method: str = ""
