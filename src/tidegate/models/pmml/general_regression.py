"""GeneralRegressionModel: linear predictors by a predictor-to-parameter matrix, their links, and Cox regression."""

from dataclasses import dataclass, field

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, function_of, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, required
from tidegate.models.pmml.regression import LINKS, Factor, Term, cumulative, linear, linked
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["general_regression"]

_TYPES = (
    "regression", "generalLinear", "multinomialLogistic", "ordinalMultinomial", "generalizedLinear", "CoxRegression",
)  # fmt: skip
_CUMULATIVE = ("logit", "probit", "cloglog", "loglog", "cauchit")


@dataclass(slots=True)
class _Parts:
    """The matrices of a model: factors with contrasts, covariates, cells by parameter, coefficients by category."""

    factors: dict[str, dict[float, list[float]] | None] = field(default_factory=dict)
    categories: dict[str, list[float]] = field(default_factory=dict)
    covariates: set[str] = field(default_factory=set)
    cells: dict[tuple[float | None, str], list[tuple[Element, str]]] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    betas: dict[float | None, dict[str, float]] = field(default_factory=dict)


def general_regression(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A GeneralRegressionModel."""
    kind = choice(model, "modelType", _TYPES)
    parts = _parts(model, scope, target)
    if kind == "CoxRegression":
        return _cox(model, parts, scope, code)
    if kind in ("multinomialLogistic", "ordinalMultinomial"):
        return _multinomial(model, kind, parts, scope, code, target)
    predictor = _predictor(model, parts, None, scope, code, target)
    predictor = _with_given(model, "offset", o.ADD, predictor, scope, code)
    if kind == "generalizedLinear":
        link = choice(model, "linkFunction", tuple(LINKS))
        parameter = "distParameter" if link == "negbin" else "linkParameter"  # of power and oddspower
        needed = link in ("negbin", "power", "oddspower")
        of_link = number(model, parameter, None if needed else 0.0)
        if link == "negbin" and of_link <= 0.0:
            raise refuse(model, "The distParameter of a negative binomial link is above zero.", seen=f"{of_link:g}")
        predictor = _with_given(model, "trials", o.MULTIPLY, linked(predictor, link, scope, code, of_link), scope, code)
        if function_of(model) == "classification":
            return _binary(model, predictor, parts, scope, code, target)
    elif function_of(model) == "classification":
        return _binary(model, predictor, parts, scope, code, target)
    plain = kind in ("regression", "generalLinear")
    return Prediction(Value(predictor, "double"), error=_standard_error(model, parts, scope, code) if plain else None)


def _standard_error(model: Element, parts: _Parts, scope: Scope, code: Code) -> int | None:
    """The standard error of a linear predictor, √(x′Cx) with C the covariances of its parameters, if they are there."""
    held = child(model, "PCovMatrix")
    if held is None:
        return None
    terms, one = list[Term](), {name: _terms({name: 1.0}, parts, scope)[0][2] for name in parts.parameters}
    seen = set[tuple[str, str]]()
    for cell in children(held, "PCovCell"):
        row, column = required(cell, "pRow"), required(cell, "pCol")
        if row not in one or column not in one:
            raise refuse(cell, "A covariance is of two parameters of the ParameterList.", seen=f"{row}, {column}")
        for pair in {(row, column), (column, row)} - seen:  # one half of the matrix is enough
            seen.add(pair)
            terms.append((number(cell, "value"), False, one[row] + one[column]))
    variance, to, builder = linear(0.0, terms, scope, code), scope.builder.register(), scope.builder
    builder.emit(code, o.SQRT, to, variance, builder.fault("covariances that make no variance", held))
    return to


def _with_given(model: Element, what: str, operation: int, value: int, scope: Scope, code: Code) -> int:
    """A value with what the model gives for it, an `offset` or `trials` as a variable or a value; else itself."""
    name = model.get(f"{what}Variable")
    if name is not None:
        given = scope.find(str(name), model).register
    elif model.get(f"{what}Value") is not None:
        given = scope.document.constant(number(model, f"{what}Value"), "double").register
    else:
        return value
    to = scope.builder.register()
    scope.builder.emit(code, operation, to, value, given, scope.builder.missing)
    return to


def _parts(model: Element, scope: Scope, target: TargetField) -> _Parts:
    parts = _Parts()
    held = child(model, "ParameterList")
    for part in children(held, "Parameter") if held is not None else ():
        parts.parameters[required(part, "name")] = number(part, "referencePoint", 0.0)
    held = child(model, "FactorList")
    for part in children(held, "Predictor") if held is not None else ():
        name = required(part, "name")
        parts.factors[name] = _contrast(part, scope, parts)
    held = child(model, "CovariateList")
    for part in children(held, "Predictor") if held is not None else ():
        parts.covariates.add(required(part, "name"))
    held = child(model, "PPMatrix")
    for cell in children(held, "PPCell") if held is not None else ():
        name = required(cell, "predictorName")
        if name not in parts.factors and name not in parts.covariates:
            raise refuse(cell, f"{name} is neither a factor nor a covariate.")
        label = _label(cell, target, scope)
        parts.cells.setdefault((label, required(cell, "parameterName")), []).append((cell, name))
    held = child(model, "ParamMatrix")
    for cell in children(held, "PCell") if held is not None else ():
        label = _label(cell, target, scope)
        name = required(cell, "parameterName")
        if name not in parts.parameters:
            raise refuse(cell, f"{name} is not in the ParameterList.")
        parts.betas.setdefault(label, {})[name] = number(cell, "beta")
    return parts


def _label(cell: Element, target: TargetField, scope: Scope) -> float | None:
    """The target category that a cell is of; None if it is of all."""
    category = cell.get("targetCategory")
    return None if category is None else scope.document.texts.constant(str(category), target.kind, cell)


def _contrast(part: Element, scope: Scope, parts: _Parts) -> dict[float, list[float]] | None:
    """The rows of a factor's contrast matrix by category; None for a factor without one."""
    held = child(part, "Matrix")
    if held is None:
        return None
    name, listed = required(part, "name"), child(part, "Categories")
    field_ = scope.find(name, part)
    if listed is not None:
        values = [scope.document.texts.constant(required(one, "value"), field_.kind, one)
                  for one in children(listed, "Category")]  # fmt: skip
    else:
        values = list(field_.values)
    rows = reading.matrix(held)
    if len(values) != len(rows):
        raise refuse(held, f"The contrasts of {name} are of {len(values)} categories.", seen=f"{len(rows)} rows")
    parts.categories[name] = values
    return dict(zip(values, rows, strict=True))


def _terms(betas: dict[str, float], parts: _Parts, scope: Scope, label: float | None = None) -> list[Term]:
    """The terms of a linear predictor; a parameter's own cells for a category go before those for all."""
    builder, terms = scope.builder, list[Term]()
    for name, beta in betas.items():
        factors = list[Factor]()
        key = (label, name) if (label, name) in parts.cells else (None, name)
        for cell, predictor in parts.cells.get(key, []):
            field_ = scope.find(predictor, cell)
            text = required(cell, "value")
            if predictor in parts.covariates:
                factors.append((0, field_.register, builder.number(number(cell, "value")), 0))
                continue
            contrast = parts.factors[predictor]
            value = scope.document.texts.constant(text, field_.kind, cell)
            if contrast is None:
                factors.append((1, field_.register, builder.number(value), 0))
                continue
            column = _column(cell, value, parts.categories[predictor], contrast)
            table = [item for key, row in contrast.items() for item in (key, row[column])]
            factors.append((2, field_.register, builder.table(table), len(contrast)))
        terms.append((beta, False, factors))
    return terms


def _column(cell: Element, value: float, categories: list[float], contrast: dict[float, list[float]]) -> int:
    column = categories.index(value) if value in categories else -1
    if not 0 <= column < len(next(iter(contrast.values()))):
        raise refuse(cell, "The contrasts have no column for that category.", seen=f'value="{cell.get("value")}"')
    return column


def _predictor(
    model: Element, parts: _Parts, label: float | None, scope: Scope, code: Code, target: TargetField
) -> int:  # fmt: skip
    betas = dict(parts.betas.get(None, {}))
    if label is not None:
        betas |= parts.betas.get(label, {})
    elif not betas and len(parts.betas) == 1:
        betas = next(iter(parts.betas.values()))
    return linear(0.0, _terms(betas, parts, scope, label), scope, code)


def _binary(
    model: Element, predictor: int, parts: _Parts, scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    """A category against the reference category."""
    if len(target.values) != 2:
        raise refuse(model, "A target of two values is needed here.", seen=f"{len(target.values)} values")
    reference = _reference(model, scope, target)
    named = [label for label in parts.betas if label is not None]
    first, second = target.values
    if reference is None:
        reference = first if not named or named[0] != first else second
    other = second if reference == first else first
    rest = scope.builder.register()
    one = scope.document.constant(1.0, "double").register
    scope.builder.emit(code, o.SUBTRACT, rest, one, predictor, scope.builder.missing)
    by = {other: predictor, reference: rest}
    probabilities = {label: by[label] for label in target.values}
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities)


def _reference(model: Element, scope: Scope, target: TargetField) -> float | None:
    text = model.get("targetReferenceCategory")
    return None if text is None else scope.document.texts.constant(str(text), target.kind, model)


def _multinomial(
    model: Element, kind: str, parts: _Parts, scope: Scope, code: Code, target: TargetField
) -> Prediction:  # fmt: skip
    labels = list(target.values)
    named = [label for label in parts.betas if label is not None]
    if len(labels) < 2:
        reference = _reference(model, scope, target)
        labels = list(dict.fromkeys([*named, *([reference] if reference is not None else [])]))
    if len(labels) < 2:
        raise refuse(model, "The target lists its values.", "Add them to the data dictionary.")
    if kind == "ordinalMultinomial":
        link = choice(model, "cumulativeLink", _CUMULATIVE, "logit")
        reached = list[tuple[float, int]]()
        for label in labels[:-1]:
            predictor = _predictor(model, parts, label, scope, code, target)
            predictor = _with_given(model, "offset", o.ADD, predictor, scope, code)
            reached.append((label, linked(predictor, link, scope, code)))
        probabilities = cumulative(reached, labels[-1], scope, code)
        return Prediction(winner(probabilities, target.kind, scope, code), probabilities)
    reference = _reference(model, scope, target)
    if reference is None:
        left = [label for label in labels if label not in named]
        reference = left[0] if len(left) == 1 else labels[-1]
    builder = scope.builder
    to = builder.register(len(labels))
    for k, label in enumerate(labels):
        if label == reference:
            builder.emit(code, o.CONSTANT, to + k, builder.number(0.0))
        else:
            predictor = _predictor(model, parts, label, scope, code, target)
            predictor = _with_given(model, "offset", o.ADD, predictor, scope, code)
            builder.emit(code, o.COPY, to + k, predictor)
    builder.emit(code, o.NORMALIZE, to, len(labels), 1)
    probabilities = {label: to + k for k, label in enumerate(labels)}
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities)


def _cox(model: Element, parts: _Parts, scope: Scope, code: Code) -> Prediction:
    """The cumulative hazard: that of the baseline at the row's time, times the exponential of its risk."""
    builder = scope.builder
    betas = parts.betas.get(None, {})
    if not betas and len(parts.betas) == 1:
        betas = next(iter(parts.betas.values()))
    at_reference = -sum(beta * parts.parameters[name] for name, beta in betas.items())
    risk = linear(at_reference, _terms(betas, parts, scope), scope, code)
    held = child(model, "BaseCumHazardTables")
    if held is None:
        raise refuse(model, "A Cox regression has BaseCumHazardTables.")
    time = scope.find(required(model, "endTimeVariable"), model).register
    strata = list(children(held, "BaselineStratum"))
    name, stratum, kind = model.get("baselineStrataVariable"), -1, ""
    if name is not None:
        found = scope.find(str(name), model)
        stratum, kind = found.register, found.kind
    elif strata:
        raise refuse(held, "Strata need a baselineStrataVariable.")
    owners = strata if stratum >= 0 else [held]
    heads, cells = list[float](), list[float]()
    for owner in owners:
        lines = sorted((number(cell, "time"), number(cell, "cumHazard")) for cell in children(owner, "BaselineCell"))
        value = scope.document.texts.constant(required(owner, "value"), kind, owner) if stratum >= 0 else 0.0
        heads += [value, number(owner, "maxTime"), float(4 * len(owners) + len(cells)), float(len(lines))]
        cells += [item for line in lines for item in line]
    lost = builder.fault("a time or a stratum that the baseline hazards do not cover", held)
    to = builder.register()
    builder.emit(code, o.HAZARD, to, risk, time, stratum, len(owners), builder.table([*heads, *cells]), lost)
    return Prediction(Value(to, "double"))
