"""A model that others made, as an artefact: what it reads and gives is found in the model itself."""

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact, Card, ModelFeature, kind_of, read_trees, split_name
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.scorer import PmmlScorer

__all__ = ["artefact_of"]


def artefact_of(content: bytes, reference: str, *, file: str, output: str = "") -> tuple[Artefact, str]:
    """The artefact of a file's content, to be stored as NAME@VERSION, and in words what the model is.

    Args:
        file: what errors call it.
        output: of a PMML model, which of its outputs is the score.

    Raises:
        TidegateError: the reference is none, the file is damaged or not supported, or there is no such output.
    """
    name, version = split_name(reference)
    kind = kind_of(content)
    if kind == "pmml":
        scorer = PmmlScorer(read_pmml(content, file), output=output)
        features = tuple(
            ModelFeature(one.name, "category" if one.kind == "string" else "number", one.values)
            for one in scorer.pmml.inputs
        )
        parameters: dict[str, str | float | int | bool] = {"output": scorer.output.name}
        card = Card(name=name, version=version, objective="pmml", features=features, parameters=parameters)
        return Artefact(card, content), f"PMML {scorer.pmml.kind}, its score {scorer.output.name}"
    if output:
        raise ModelError(f"{file} has one output.", seen=f"--output {output}", do="Leave --output out.")
    forest = read_trees(content, name=file)
    features = tuple(ModelFeature(feature) for feature in forest.features)
    card = Card(name=name, version=version, objective=forest.objective, features=features)
    said = "XGBoost" if kind == "xgboost" else "LightGBM"
    return Artefact(card, content), f"{said}, {len(forest.trees):,} trees, {forest.objective}"
