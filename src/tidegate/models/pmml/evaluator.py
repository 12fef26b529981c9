"""A model element, whichever it is, written as operations: its fields, what it says, its target, its output."""

from collections.abc import Callable
from dataclasses import dataclass

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml.anomaly import anomaly
from tidegate.models.pmml.bayes import bayes
from tidegate.models.pmml.clustering import clustering
from tidegate.models.pmml.fields import Input, open_scope
from tidegate.models.pmml.general_regression import general_regression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.mining import mining
from tidegate.models.pmml.neighbours import neighbours
from tidegate.models.pmml.neural import neural
from tidegate.models.pmml.outputs import Output, outputs
from tidegate.models.pmml.prediction import Prediction, TargetField, finished, function_of, target_field
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, required
from tidegate.models.pmml.regression import regression
from tidegate.models.pmml.rules import rules
from tidegate.models.pmml.scope import DEEPEST, Document, Field, Scope
from tidegate.models.pmml.scorecard import scorecard
from tidegate.models.pmml.support_vectors import support_vectors
from tidegate.models.pmml.trees import tree

__all__ = ["Written", "write_model"]

Writer = Callable[[Element, Scope, Code, TargetField], Prediction]
_WRITERS: dict[str, Writer] = {
    "ClusteringModel": clustering,
    "GeneralRegressionModel": general_regression,
    "NaiveBayesModel": bayes,
    "NearestNeighborModel": neighbours,
    "NeuralNetwork": neural,
    "RegressionModel": regression,
    "RuleSetModel": rules,
    "Scorecard": scorecard,
    "SupportVectorMachineModel": support_vectors,
    "TreeModel": tree,
}


@dataclass(frozen=True, slots=True)
class Written:
    """A model as operations."""

    scope: Scope
    code: Code
    inputs: list[Input]
    target: TargetField
    prediction: Prediction
    outputs: list[Output]
    fields: dict[str, Field]


def write_model(model: Element, document: Document, parent: Scope | None = None) -> Written:
    """Write a model. Raises DocumentError at the first element that is not supported."""
    name = name_of(model)
    function_of(model)
    if not flag(model, "isScorable", True):
        raise refuse(model, "The model says of itself that it is not to be scored.", seen='isScorable="false"')
    scope, inputs, targets = open_scope(model, document, parent)
    if scope.depth > DEEPEST // 4:
        raise refuse(model, f"Models are nested more than {DEEPEST // 4} deep.")
    if parent is None:
        _transformations(model, scope)
    single = choice(model, "x-mathContext", ("double", "float"), "double") == "float"
    target, body = target_field(model, targets, scope), Code()
    inner = list[Output]()

    def inside(element: Element, around: Scope) -> tuple[Prediction, Code, dict[str, Field]]:
        written = write_model(element, document, around)
        inner[:] = written.outputs
        return written.prediction, written.code, written.fields

    if name == "MiningModel":
        prediction = mining(model, scope, body, target, inside, single=single)
    elif name == "AnomalyDetectionModel":
        prediction = anomaly(model, scope, body, inside)
    else:
        prediction = _WRITERS[name](model, scope, body, target)
    finished(prediction, target, scope, body, single=single)
    given = outputs(model, prediction, target, scope, body)
    shown = [one for one, final in given if final]
    if not given and name == "MiningModel" and _chains(model):
        shown = list(inner)  # a chain that says nothing of its own says what its last model does
    fields = {one.name: scope.fields[one.name] for one, _ in given}
    return Written(scope, scope.code + body, inputs, target, prediction, shown, fields)


def _chains(model: Element) -> bool:
    held = child(model, "Segmentation")
    return held is not None and held.get("multipleModelMethod") == "modelChain"


def _transformations(model: Element, scope: Scope) -> None:
    """The document's own derived fields and functions, which all of its models share."""
    root = model.getparent()
    held = child(root, "TransformationDictionary") if root is not None else None
    for part in children(held, "DerivedField") if held is not None else ():
        scope.pending.setdefault(required(part, "name"), part)
    for part in children(held, "DefineFunction") if held is not None else ():
        scope.document.functions[required(part, "name")] = part
