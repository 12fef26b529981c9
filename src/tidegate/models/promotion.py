"""What must hold of a model before it decides: scores that are better than chance, and reasons that hold."""

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact
from tidegate.models.evaluation import no_better_than_chance
from tidegate.models.reason_quality import LEAST, shortfalls

__all__ = ["lacking", "require"]

_GIVES = {
    "pmml": "a model in PMML gives the reason codes of its own points, if a Scorecard, or none: neither is measured",
    "onnx": "a model in ONNX is explained against a typical row, or not at all: neither is measured",
}
"""Why the reasons of a model by its kind cannot be measured."""


def lacking(artefact: Artefact) -> tuple[str, ...]:
    """In words, what speaks against letting a model decide, or what nobody has measured; empty if nothing."""
    chance = no_better_than_chance(artefact.card.metrics)
    return ((chance,) if chance else ()) + _reasons(artefact)


def _reasons(artefact: Artefact) -> tuple[str, ...]:
    if artefact.kind in _GIVES:
        return (_GIVES[artefact.kind],)
    if not LEAST.keys() & artefact.card.metrics.keys():
        return ("its reasons were never measured: `tidegate train` measures those of the models that it makes",)
    return shortfalls(artefact.card.metrics)


def require(artefact: Artefact, *, override: bool, why: str) -> str:
    """Make sure that nothing is lacking before an alias stands for a model; gives what to keep of an override.

    Raises ModelError if something is, unless somebody overrides that and says why.
    """
    found = lacking(artefact)
    if not found:
        return ""
    if override and why.strip():
        return f"{why.strip()} ({'; '.join(found)})"
    reference = f"{artefact.card.name}@{artefact.card.version}"
    chance = no_better_than_chance(artefact.card.metrics)
    measured = artefact.kind not in _GIVES and LEAST.keys() & artefact.card.metrics.keys()
    reasons = f"The reasons of {reference} {'fall short' if measured else 'were never measured'}"
    wrong = f"The scores of {reference} are no better than chance" if chance else reasons
    raise ModelError(
        f"{wrong}, so it is not promoted.", seen=chance or "; ".join(found),
        do='Train another one, or promote it all the same with --override --why "…", which is kept.',
    )  # fmt: skip
