"""A model element, whichever it is, written as operations: its fields, what it says, its target, its output."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml.anomaly import anomaly
from tidegate.models.pmml.bayes import bayes
from tidegate.models.pmml.clustering import clustering
from tidegate.models.pmml.fields import Input, open_scope
from tidegate.models.pmml.general_regression import general_regression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.mining import CHAINS, mining
from tidegate.models.pmml.neighbours import neighbours, neighbours_of
from tidegate.models.pmml.neural import neural, neural_of
from tidegate.models.pmml.outputs import Output, outputs
from tidegate.models.pmml.prediction import Prediction, TargetField, finished, function_of, target_fields
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
    """A model as operations; `prediction` is of the first of its targets."""

    scope: Scope
    code: Code
    inputs: list[Input]
    targets: list[TargetField]
    prediction: Prediction
    outputs: list[Output]
    fields: dict[str, Field]


def write_model(
    model: Element, document: Document, parent: Scope | None = None, around: TargetField | None = None
) -> Written:  # fmt: skip
    """Write a model, `around` being the target of the one that it is part of.

    Raises:
        DocumentError: at the first element that is not supported.
    """
    name = name_of(model)
    function_of(model)
    if not flag(model, "isScorable", True):
        raise refuse(model, "The model says of itself that it is not to be scored.", seen='isScorable="false"')
    scope, inputs, found = open_scope(model, document, parent)
    if scope.depth > DEEPEST // 4:
        raise refuse(model, f"Models are nested more than {DEEPEST // 4} deep.")
    if parent is None:
        _transformations(model, scope)
    single = choice(model, "x-mathContext", ("double", "float"), "double") == "float"
    targets, body = target_fields(model, found, scope, around), Code()
    inner = list[Output]()

    def inside(element: Element, outer: Scope) -> tuple[Prediction, Code, dict[str, Field]]:
        written = write_model(element, document, outer, targets[0])
        inner.extend(written.outputs)
        said = written.prediction
        if len(written.targets) == 1 and written.targets[0].name:
            said.targets = {written.targets[0].name: said}
        return said, written.code, written.fields

    if name == "MiningModel":
        prediction = mining(model, scope, body, targets, inside, single=single)
    elif name == "AnomalyDetectionModel":
        prediction = anomaly(model, scope, body, inside)
    elif len(targets) > 1:
        prediction = _several(model, scope, body, targets, found)
    else:
        prediction = _WRITERS[name](model, scope, body, targets[0])
    each = [prediction.targets[one.name] for one in targets] if len(targets) > 1 else [prediction]
    for target, said in zip(targets, each, strict=True):
        finished(said, target, scope, body, single=single)
    given = outputs(model, list(zip(targets, each, strict=True)), scope, body)
    shown = [one for one, final in given if final]
    fields = {one.name: scope.fields[one.name] for one, _ in given}
    if _hands_on(model):  # what the models along the chain give, missing where one does not apply
        along = list({one.name: one for one in inner if one.name not in fields}.values())
        shown = [replace(one, register=scope.fields[one.name].register) for one in along] + shown
        fields = {one.name: scope.fields[one.name] for one in along} | fields
    return Written(scope, scope.code + body, inputs, targets, prediction, shown, fields)


def _several(
    model: Element, scope: Scope, code: Code, targets: list[TargetField], found: list[Element]
) -> Prediction:  # fmt: skip
    """A model of several targets, each predicted from the same nearest rows, or by neurons of the same network."""
    if name_of(model) not in ("NearestNeighborModel", "NeuralNetwork"):
        raise refuse(found[1], f"A {name_of(model)} of several targets is not supported.", "Export a model per target.")
    write = neighbours_of if name_of(model) == "NearestNeighborModel" else neural_of
    each = write(model, scope, code, targets)
    return replace(each[targets[0].name], targets=each)


def _hands_on(model: Element) -> bool:
    """Whether what the models inside give is given by the whole: along a chain, and of the first that applies."""
    held = child(model, "Segmentation")
    return held is not None and held.get("multipleModelMethod") in (*CHAINS, "selectFirst")


def _transformations(model: Element, scope: Scope) -> None:
    """The document's own derived fields and functions, which all of its models share."""
    root = model.getparent()
    held = child(root, "TransformationDictionary") if root is not None else None
    for part in children(held, "DerivedField") if held is not None else ():
        scope.pending.setdefault(required(part, "name"), part)
    for part in children(held, "DefineFunction") if held is not None else ():
        scope.document.functions[required(part, "name")] = part
