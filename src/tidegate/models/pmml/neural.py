"""NeuralNetwork: layers of neurons, each a list of connections."""

from collections.abc import Sequence
from itertools import pairwise

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.expressions import EXPRESSIONS, cast, data_type, expression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["ACTIVATIONS", "neural", "neural_of"]

ACTIVATIONS = (
    "threshold", "logistic", "tanh", "identity", "exponential", "reciprocal", "square", "Gauss", "sine", "cosine",
    "Elliott", "arctan", "rectifier", "radialBasis",
)  # fmt: skip
_NORMALIZATIONS = ("none", "softmax", "simplemax")


def neural(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A NeuralNetwork."""
    return neural_of(model, scope, code, [target])[target.name]


def neural_of(
    model: Element, scope: Scope, code: Code, targets: Sequence[TargetField]
) -> dict[str, Prediction]:  # fmt: skip
    """A NeuralNetwork of targets by name: the outputs of each are those whose expressions name it."""
    neurons = dict[str, int]()
    held = child(model, "NeuralInputs")
    for part in children(held, "NeuralInput") if held is not None else ():
        _add(neurons, part, _derived(part, scope, code).register)
    layers = list(children(model, "NeuralLayer"))
    if not neurons or not layers:
        raise refuse(model, "A NeuralNetwork has inputs and layers.")
    for layer in layers:
        _layer(layer, model, neurons, scope, code)
    held = child(model, "NeuralOutputs")
    found = list(children(held, "NeuralOutput")) if held is not None else []
    by_name: dict[str, list[Element]] = {target.name: [] for target in targets}
    for part in found:
        name = _named(part) if len(targets) > 1 else targets[0].name
        if name not in by_name:
            raise refuse(part, f"An output of the network is of {name!r}, which is no target.", seen=", ".join(by_name))
        by_name[name].append(part)
    return {target.name: _said(model, by_name[target.name], neurons, scope, code, target) for target in targets}


def _named(part: Element) -> str:
    """The field that a NeuralOutput's expression names."""
    field = child(part, "DerivedField")
    made = [one for one in children(field) if name_of(one) in EXPRESSIONS] if field is not None else []
    return optional(made[0], "field") if made else ""


def _said(
    model: Element, found: list[Element], neurons: dict[str, int], scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    if not found:
        raise refuse(model, f"A NeuralNetwork has NeuralOutputs{f' of {target.name!r}' if target.name else ''}.")
    if target.function == "classification":
        return _classified(found, neurons, scope, code, target)
    if len(found) != 1:
        raise refuse(found[1], "A number is predicted by one output.", f"Name another target than {target.name!r}.")
    register = _neuron(found[0], neurons, required(found[0], "outputNeuron"))
    return Prediction(Value(_restored(found[0], register, scope, code, target), "double"))


def _add(neurons: dict[str, int], element: Element, register: int) -> None:
    name = required(element, "id")
    if name in neurons:
        raise refuse(element, f"Two neurons are called {name!r}.")
    neurons[name] = register


def _neuron(element: Element, neurons: dict[str, int], name: str) -> int:
    if name not in neurons:
        raise refuse(element, f"There is no neuron {name!r} before this.")
    return neurons[name]


def _derived(part: Element, scope: Scope, code: Code) -> Value:
    field = child(part, "DerivedField")
    made = [one for one in children(field) if name_of(one) in EXPRESSIONS] if field is not None else []
    if field is None or len(made) != 1:
        raise refuse(part, f"{name_of(part)} has a DerivedField of one expression.")
    kind = data_type(field, "double")
    return cast(expression(made[0], scope, code, want=kind), kind, scope, code, field)


def _layer(layer: Element, model: Element, neurons: dict[str, int], scope: Scope, code: Code) -> None:
    builder = scope.builder
    name = "activationFunction"
    activation = choice(layer, name, ACTIVATIONS, choice(model, name, ACTIVATIONS))
    normalization = choice(
        layer, "normalizationMethod", _NORMALIZATIONS, choice(model, "normalizationMethod", _NORMALIZATIONS, "none")
    )
    threshold = number(layer, "threshold", number(model, "threshold", 0.0))
    width = number(layer, "width", number(model, "width", float("nan")))
    altitude = number(layer, "altitude", number(model, "altitude", 1.0))
    found = list(children(layer, "Neuron"))
    if not found:
        raise refuse(layer, "A layer has neurons.")
    words = list[int]()
    for neuron in found:
        own, height = number(neuron, "width", width), number(neuron, "altitude", altitude)
        if activation == "radialBasis" and not (own > 0.0 and height > 0.0):
            raise refuse(neuron, "A radial basis has a width and an altitude above zero.")
        inputs = list(children(neuron, "Con"))
        words += [builder.number(number(neuron, "bias", 0.0)), builder.number(own), builder.number(height), len(inputs)]
        for part in inputs:
            words += [_neuron(part, neurons, required(part, "from")), builder.number(number(part, "weight"))]
    to = builder.register(len(found))
    builder.emit(
        code, o.LAYER, to, len(found), ACTIVATIONS.index(activation), builder.number(threshold),
        _NORMALIZATIONS.index(normalization), *words,
    )  # fmt: skip
    for k, neuron in enumerate(found):
        _add(neurons, neuron, to + k)


def _classified(
    found: list[Element], neurons: dict[str, int], scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    probabilities, texts = dict[float, int](), scope.document.texts
    for part in found:
        field = child(part, "DerivedField")
        made = child(field, "NormDiscrete") if field is not None else None
        if made is None:
            raise refuse(part, "An output of a network that classifies is a NormDiscrete of the target.")
        label = texts.constant(required(made, "value"), target.kind, made)
        if label in probabilities:
            raise refuse(part, "A network has one output per category.", seen=f"two of {made.get('value')!r}")
        probabilities[label] = _neuron(part, neurons, required(part, "outputNeuron"))
    if len(probabilities) == 1:
        raise refuse(found[0], "A network that classifies has an output per category.")
    prediction = Prediction(winner(probabilities, target.kind, scope, code), probabilities)
    names = {
        label: texts.code(required(part, "outputNeuron")) for label, part in zip(probabilities, found, strict=True)
    }
    entity, builder = scope.builder.register(), scope.builder
    table = [item for label in sorted(names) for item in (label, names[label])]
    builder.emit(
        code, o.LOOKUP, entity, builder.missing, 1, len(names), builder.table(table), prediction.value.register
    )
    prediction.entities = [entity]
    return prediction


def _restored(part: Element, register: int, scope: Scope, code: Code, target: TargetField) -> int:
    """The target's value from the neuron's: the output's normalization, backwards."""
    field = child(part, "DerivedField")
    made = [one for one in children(field) if name_of(one) in EXPRESSIONS] if field is not None else []
    if len(made) != 1:
        raise refuse(part, "A NeuralOutput has a DerivedField of one expression.")
    inner = made[0]
    named = optional(inner, "field")
    if name_of(inner) == "FieldRef":
        return register
    if name_of(inner) != "NormContinuous" or (target.name and named != target.name):
        raise refuse(inner, "An output that is a number is a FieldRef or a NormContinuous of the target.")
    points = sorted((number(line, "norm"), number(line, "orig")) for line in children(inner, "LinearNorm"))
    if len(points) < 2 or any(a == b for (a, _), (b, _) in pairwise(points)):
        raise refuse(inner, "A normalization that can be undone has two or more points, none of them equal.")
    to, builder = scope.builder.register(), scope.builder
    builder.emit(
        code, o.NORM, to, register, 0, len(points), builder.table([norm for norm, _ in points]),
        builder.table([orig for _, orig in points]),
    )  # fmt: skip
    return to
