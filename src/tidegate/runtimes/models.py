"""The models that a flow asks for, from where they are kept."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from tidegate.decisions.definition import Definition
from tidegate.decisions.drl.plan import DrlRunner
from tidegate.errors import ModelError
from tidegate.models.registry import Registry
from tidegate.models.scoring import ScoringModel

Models = Registry | str | Path | Mapping[str, ScoringModel] | None
"""Where models are: a registry or its folder, loaded ones by reference, or nowhere."""


def models_of(definition: Definition, models: Models) -> dict[str, ScoringModel]:
    """The models a flow asks for. A registry must have all that are stored; those that are files are there always.

    Raises:
        ModelError: the registry lacks one, by name, or it is damaged.
    """
    if models is not None and not isinstance(models, Mapping):
        folder = models.folder if isinstance(models, Registry) else models
        require_models(definition, folder, "Give the folder that has it, or no models=: its otherwise is then used.")
    return models_there(definition, models)


def models_there(definition: Definition, models: Models) -> dict[str, ScoringModel]:
    """The models a flow asks for, as far as they are there: of the others `otherwise` is used.

    Raises:
        ModelError: one is damaged.
    """
    files = {node.reference: model for node in definition.models if (model := node.scoring) is not None}
    if models is None or isinstance(models, Mapping):
        return files | dict(models or {})
    registry = models if isinstance(models, Registry) else Registry(models)
    there = set(registry.references())
    stored = {node.reference: registry.model(node.reference) for node in definition.models if node.reference in there}
    return stored | files


def runners_of(definition: Definition) -> dict[str, DrlRunner]:
    """What runs the packages of rules that a flow asks, by their `read`."""
    return {package.read: package.runner for package in definition.packages}


WITHOUT = "Name their folder with --models, or have its otherwise used instead with --without-models."


def require_models(definition: Definition, folder: str | Path, do: str = WITHOUT) -> None:
    """Make sure that every model which a flow asks for is there; `do` says what to do if not.

    Raises:
        ModelError: one is not, by name.
    """
    registry = Registry(folder)
    there = set(registry.references())
    for node in definition.models:
        if node.artefact is None and node.reference not in there:
            stand = registry.if_missing(node.reference)
            near = () if stand else difflib.get_close_matches(node.reference, sorted(there), 1)
            raise ModelError(
                f"The model {node.reference} is not in {folder}.",
                seen=", ".join(sorted(there)) or "no models at all",
                do=(f"{stand} " if stand else "") + (f"Did you mean {near[0]}? " if near else "") + do,
            )
