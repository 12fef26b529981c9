"""RegressionModel: a linear predictor per target category, normalized."""

from tidegate.documents.xml import Element, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.additive import Additive
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, function_of, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, required
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["LINKS", "Term", "linear", "linked", "regression"]

LINKS = {
    "identity": 0, "logit": 1, "probit": 2, "cloglog": 3, "log": 4, "loglog": 5, "cauchit": 6, "logc": 7, "negbin": 8,
    "oddspower": 9, "power": 10, "inverse": 11,
}  # fmt: skip
"""The link functions whose inverses the kernels know."""

_NORMALIZATIONS = ("none", "simplemax", "softmax", "logit", "probit", "cloglog", "exp", "loglog", "cauchit")
_INVERSE = {"logit": "logit", "probit": "probit", "cloglog": "cloglog", "exp": "log", "loglog": "loglog",
            "cauchit": "cauchit"}  # fmt: skip

Factor = tuple[int, int, int, int]
"""Kind (0 power, 1 indicator, 2 table), register, place of its number, how many pairs."""
Term = tuple[float, bool, list[Factor]]
"""Coefficient; whether the term is left out where a factor is missing, or else the sum is missing; factors."""


def linear(intercept: float, terms: list[Term], scope: Scope, code: Code) -> int:
    """A register with a sum of products."""
    to, builder, words = scope.builder.register(), scope.builder, list[int]()
    for coefficient, absent, factors in terms:
        words += [builder.number(coefficient), int(absent), len(factors)]
        words += [word for factor in factors for word in factor]
    builder.emit(code, o.LINEAR, to, builder.number(intercept), len(terms), *words)
    return to


def linked(register: int, link: str, scope: Scope, code: Code, parameter: float = 0.0, factor: float = 1.0) -> int:
    """A register with the inverse of a link function, times a factor."""
    to, builder = scope.builder.register(), scope.builder
    builder.emit(code, o.LINK, to, register, LINKS[link], builder.number(parameter), builder.number(factor))
    return to


def regression(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A RegressionModel."""
    tables = list(children(model, "RegressionTable"))
    normalization = choice(model, "normalizationMethod", _NORMALIZATIONS, "none")
    if function_of(model) == "classification":
        return _classification(model, tables, normalization, scope, code, target)
    if len(tables) != 1:
        raise refuse(model, "A regression has one RegressionTable.", seen=f"{len(tables)} of them")
    register = _table(tables[0], scope, code)
    if normalization == "softmax":  # as for two categories, of which the other's predictor is zero
        normalization = "logit"
    if normalization in _INVERSE:
        register = linked(register, _INVERSE[normalization], scope, code)
    elif normalization != "none":
        raise refuse(model, f"The normalization {normalization} is of several categories.")
    return Prediction(Value(register, "double"), additive=_summed(tables[0], scope)[0])


def _summed(table: Element, scope: Scope) -> tuple[Additive | None, bool]:
    """The sum of trees that a table multiplies and adds to, if it reads no more; and whether it reads nothing."""
    terms = [part for part in children(table) if name_of(part) != "Extension"]
    if not terms:
        return None, True
    if len(terms) > 1 or name_of(terms[0]) != "NumericPredictor" or number(terms[0], "exponent", 1.0) != 1.0:
        return None, False
    field = scope.find(required(terms[0], "name"), terms[0])
    return field.additive.times(number(terms[0], "coefficient")) if field.additive is not None else None, False


def _odds(tables: list[Element], labels: list[float], scope: Scope) -> dict[float, Additive]:
    """Of two categories, the sum of trees that each probability rises with: that of one table, the other being
    constant."""
    if len(tables) != 2:
        return {}
    each = [_summed(table, scope) for table in tables]
    for k, (summed, _) in enumerate(each):
        against = summed.times(-1.0) if summed is not None else None
        if summed is not None and against is not None and each[1 - k][1]:
            return {labels[k]: summed, labels[1 - k]: against}
    return {}


def _table(table: Element, scope: Scope, code: Code) -> int:
    builder, terms = scope.builder, list[Term]()
    for part in children(table):
        name = name_of(part)
        if name == "NumericPredictor":
            exponent = builder.number(number(part, "exponent", 1.0))
            field = scope.find(required(part, "name"), part)
            terms.append((number(part, "coefficient"), False, [(0, field.register, exponent, 0)]))
        elif name == "CategoricalPredictor":
            field = scope.find(required(part, "name"), part)
            value = scope.document.texts.constant(required(part, "value"), field.kind, part)
            terms.append((number(part, "coefficient"), True, [(1, field.register, builder.number(value), 0)]))
        elif name == "PredictorTerm":
            one = builder.number(1.0)
            fields = [scope.find(required(held, "field"), held) for held in children(part, "FieldRef")]
            if not fields:
                raise refuse(part, "A PredictorTerm is made of fields.")
            terms.append((number(part, "coefficient"), False, [(0, field.register, one, 0) for field in fields]))
    return linear(number(table, "intercept", 0.0), terms, scope, code)


def _classification(
    model: Element, tables: list[Element], normalization: str, scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    """Probabilities by category, as the specification has it for categorical and ordinal targets."""
    if len(tables) < 2:
        raise refuse(model, "A classification has a RegressionTable per category.", seen=f"{len(tables)}")
    builder, texts = scope.builder, scope.document.texts
    labels = [texts.constant(required(table, "targetCategory"), target.kind, table) for table in tables]
    if len(set(labels)) != len(labels):
        raise refuse(tables[-1], "Two tables are of the same category.")
    to = builder.register(len(tables))
    for k, table in enumerate(tables):
        builder.emit(code, o.COPY, to + k, _table(table, scope, code))
    registers = [to + k for k in range(len(tables))]
    if normalization in ("softmax", "simplemax"):
        builder.emit(code, o.NORMALIZE, to, len(tables), 1 if normalization == "softmax" else 2)
    elif target.optype == "ordinal":
        return _ordinal(model, labels, registers, normalization, scope, code, target)
    elif len(tables) == 2 and normalization != "none":
        first = linked(to, _INVERSE[normalization], scope, code)
        registers = [first, _rest([first], scope, code)]
    elif len(tables) == 2:  # a share that is none is cut off
        first = _cut(to, scope, code)
        registers = [first, _rest([first], scope, code)]
    elif normalization == "none":
        registers = [*registers[:-1], _rest(registers[:-1], scope, code)]
    elif normalization != "none":
        registers = [linked(register, _INVERSE[normalization], scope, code) for register in registers]
        first = builder.register(len(registers))
        for k, register in enumerate(registers):
            builder.emit(code, o.COPY, first + k, register)
        builder.emit(code, o.NORMALIZE, first, len(registers), 2)
        registers = [first + k for k in range(len(registers))]
    probabilities = dict(zip(labels, registers, strict=True))
    odds = _odds(tables, labels, scope) if normalization in ("softmax", "logit") else {}
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities, odds=odds)


def _cut(register: int, scope: Scope, code: Code) -> int:
    """A number as a share: between 0 and 1."""
    to, builder = scope.builder.register(), scope.builder
    zero, one = builder.number(0.0), builder.number(1.0)
    builder.emit(code, o.TARGET, to, register, zero, one, one, zero, 0, builder.missing)
    return to


def _rest(registers: list[int], scope: Scope, code: Code) -> int:
    """What is left of 1."""
    builder, rest = scope.builder, scope.document.constant(1.0, "double").register
    for register in registers:
        to = builder.register()
        builder.emit(code, o.SUBTRACT, to, rest, register, builder.missing)
        rest = to
    return rest


def _ordinal(
    model: Element, labels: list[float], registers: list[int], normalization: str, scope: Scope, code: Code,
    target: TargetField,
) -> Prediction:  # fmt: skip
    """Cumulative probabilities in the order of the target's values, their differences the categories' own."""
    if set(target.values) != set(labels):
        raise refuse(model, "An ordinal target lists its values, one per table.")
    reached = list[tuple[float, int]]()
    for label, register in sorted(zip(labels, registers, strict=True), key=lambda one: target.values.index(one[0])):
        plain = normalization == "none"
        share = _cut(register, scope, code) if plain else linked(register, _INVERSE[normalization], scope, code)
        reached.append((label, share))
    probabilities = cumulative(reached[:-1], target.values[-1], scope, code)
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities)


def cumulative(reached: list[tuple[float, int]], last: float, scope: Scope, code: Code) -> dict[float, int]:
    """Probabilities of categories from those of being at most each."""
    builder, before = scope.builder, scope.document.constant(0.0, "double").register
    probabilities = dict[float, int]()
    for label, register in reached:
        probabilities[label] = builder.register()
        builder.emit(code, o.SUBTRACT, probabilities[label], register, before, builder.missing)
        before = register
    probabilities[last] = _rest([before], scope, code)
    return probabilities
