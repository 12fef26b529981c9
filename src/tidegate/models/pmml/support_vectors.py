"""SupportVectorMachineModel: kernels of all vectors once, then a weighted sum per machine, then votes."""

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, function_of, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, number, optional, required
from tidegate.models.pmml.regression import linear
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["support_vectors"]

_KERNELS = ("LinearKernelType", "PolynomialKernelType", "RadialBasisKernelType", "SigmoidKernelType")
_METHODS = ("OneAgainstAll", "OneAgainstOne")


def support_vectors(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A SupportVectorMachineModel."""
    machines = list(children(model, "SupportVectorMachine"))
    if not machines:
        raise refuse(model, "The model has no SupportVectorMachine.")
    choice(model, "classificationMethod", _METHODS, _METHODS[0])
    held = child(model, "VectorDictionary")
    if held is None:
        raise refuse(model, "The model has a VectorDictionary.")
    fields = _fields(held, scope, code)
    if choice(model, "svmRepresentation", ("SupportVectors", "Coefficients"), "SupportVectors") == "Coefficients":
        sums = [_weighted(machine, model, fields, scope, code) for machine in machines]
    else:
        sums = _supported(model, held, machines, fields, scope, code)
    if function_of(model) != "classification":
        return Prediction(Value(sums[0], "double"))
    return _classified(model, machines, sums, scope, code, target)


def _fields(held: Element, scope: Scope, code: Code) -> list[int]:
    """A register per entry of the vectors."""
    listed = child(held, "VectorFields")
    registers = list[int]()
    for part in children(listed) if listed is not None else ():
        if name_of(part) == "FieldRef":
            registers.append(scope.find(required(part, "field"), part).register)
        elif name_of(part) == "CategoricalPredictor":
            field = scope.find(required(part, "name"), part)
            value = scope.document.texts.constant(required(part, "value"), field.kind, part)
            same = (1, field.register, scope.builder.number(value), 0)
            registers.append(linear(0.0, [(number(part, "coefficient", 1.0), False, [same])], scope, code))
    if not registers:
        raise refuse(held, "The vectors have VectorFields.")
    return registers


def _weighted(machine: Element, model: Element, fields: list[int], scope: Scope, code: Code) -> int:
    """A linear machine, given by a coefficient per field."""
    if child(model, "LinearKernelType") is None:
        raise refuse(model, "Machines given by coefficients have a linear kernel.")
    held = child(machine, "Coefficients")
    found = [number(part, "value", 0.0) for part in children(held, "Coefficient")] if held is not None else []
    if held is None or len(found) != len(fields):
        raise refuse(machine, f"A machine has {len(fields)} coefficients.", seen=f"{len(found)}")
    one = scope.builder.number(1.0)
    terms = [(value, False, [(0, register, one, 0)]) for value, register in zip(found, fields, strict=True)]
    return linear(number(held, "absoluteValue", 0.0), terms, scope, code)


def _supported(
    model: Element, held: Element, machines: list[Element], fields: list[int], scope: Scope, code: Code
) -> list[int]:  # fmt: skip
    builder = scope.builder
    kernels = list(children(model, *_KERNELS))
    if len(kernels) != 1:
        raise refuse(model, "The model has one kernel.", seen=f"{len(kernels)} of them")
    kernel, places = kernels[0], dict[str, int]()
    matrix = list[float]()
    for instance in children(held, "VectorInstance"):
        arrays = [part for part in children(instance) if name_of(part).endswith("Array")]
        entries = reading.array(arrays[0]) if arrays else []
        if len(entries) != len(fields):
            raise refuse(instance, f"A vector has {len(fields)} entries.", seen=f"{len(entries)}")
        places[required(instance, "id")] = len(places)
        matrix += entries
    words = list[int]()
    for machine in machines:
        vectors, weights = child(machine, "SupportVectors"), child(machine, "Coefficients")
        names = list(children(vectors, "SupportVector")) if vectors is not None else []
        values = list(children(weights, "Coefficient")) if weights is not None else []
        if len(names) != len(values) or weights is None:
            raise refuse(machine, f"A machine has {len(names)} vectors.", seen=f"{len(values)} coefficients")
        words += [builder.number(number(weights, "absoluteValue", 0.0)), len(names)]
        for name, value in zip(names, values, strict=True):
            wanted = required(name, "vectorId")
            if wanted not in places:
                raise refuse(name, f"There is no vector {wanted!r}.")
            words += [places[wanted], builder.number(number(value, "value", 0.0))]
    all_, to = builder.register(max(len(places), 1)), builder.register(len(machines))
    gamma, coef0, degree = (builder.number(number(kernel, name, 1.0)) for name in ("gamma", "coef0", "degree"))
    builder.emit(
        code, o.KERNELS, all_, _KERNELS.index(name_of(kernel)), gamma, coef0, degree, len(places), len(fields),
        builder.table(matrix or [0.0]), *fields,
    )  # fmt: skip
    builder.emit(code, o.MACHINES, to, all_, len(machines), *words)
    return [to + k for k in range(len(machines))]


def _classified(
    model: Element, machines: list[Element], sums: list[int], scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    """One against one: a vote per machine. One against all: the smallest sum wins, or with maxWins the largest."""
    builder, texts = scope.builder, scope.document.texts
    alternative = model.get("alternateBinaryTargetCategory")
    each = [machine.get("alternateTargetCategory") for machine in machines]
    one_against_one = optional(model, "classificationMethod") == "OneAgainstOne" or any(each) or alternative is not None
    one_against_one = one_against_one and optional(model, "classificationMethod") != "OneAgainstAll"
    labels = [texts.constant(required(machine, "targetCategory"), target.kind, machine) for machine in machines]
    if not one_against_one:
        if len(machines) == 1:
            raise refuse(machines[0], "A single machine needs an alternateBinaryTargetCategory.")
        by = dict(zip(labels, sums, strict=True))
        registers = dict[float, int]()
        for label, register in by.items():
            registers[label] = register
            if not flag(model, "maxWins", False):
                registers[label] = builder.register()
                builder.emit(code, o.NEGATE, registers[label], register, builder.missing)
        said = Prediction(winner(registers, target.kind, scope, code))
        said.affinities, said.smaller = dict(by), not flag(model, "maxWins", False)
        return said
    votes = dict.fromkeys([*target.values])
    cast = list[tuple[int, float, float]]()
    for machine, label, other, register in zip(machines, labels, each, sums, strict=True):
        text = other if other is not None else alternative
        if text is None:
            raise refuse(machine, "A machine of one against one has an alternateTargetCategory.")
        against = texts.constant(str(text), target.kind, machine)
        limit = scope.document.constant(number(machine, "threshold", number(model, "threshold", 0.0)), "double")
        below = builder.register()
        # A sum below the threshold is for the target category, one above it for the alternative.
        operation = o.GREATER if flag(model, "maxWins", False) else o.LESS
        builder.emit(code, operation, below, register, limit.register, builder.missing)
        cast.append((below, label, against))
        votes.setdefault(label)
        votes.setdefault(against)
    one = builder.number(1.0)
    probabilities = dict[float, int]()
    for label in votes:
        terms = [(1.0 / len(cast), False, [(0, below, one, 0)]) for below, mine, _ in cast if mine == label]
        terms += [(-1.0 / len(cast), False, [(0, below, one, 0)]) for below, _, theirs in cast if theirs == label]
        base = sum(theirs == label for _, _, theirs in cast) / len(cast)
        probabilities[label] = linear(base, terms, scope, code)
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities)
