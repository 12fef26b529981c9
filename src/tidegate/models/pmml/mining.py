"""MiningModel: segments, each a model with a predicate, made into one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.forest import forest
from tidegate.models.pmml.grammar import MODELS, refuse
from tidegate.models.pmml.predicates import holds, predicate_of
from tidegate.models.pmml.prediction import Prediction, TargetField, function_of, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional
from tidegate.models.pmml.scope import Field, Scope, Value
from tidegate.models.pmml.texts import is_text

__all__ = ["CHAINS", "Inner", "mining"]

_ARITHMETIC = ("average", "weightedAverage", "median", "weightedMedian", "max", "sum", "weightedSum")
_VOTES = ("majorityVote", "weightedMajorityVote")
_EARLY = {"x-weightedSum": "weightedSum", "x-weightedMedian": "weightedMedian"}
"""What methods of PMML 4.4 were called before it."""
CHAINS = ("modelChain", "x-multiModelChain", "multiModelChain")
"""Methods by which models run one after the other, those before giving those after what they say."""
_CHOICES = ("selectFirst", "selectAll", *CHAINS)
_MISSING = ("continue", "skipSegment", "returnMissing")
SUM_SINGLE = 9

Inner = Callable[[Element, Scope], tuple[Prediction, Code, dict[str, Field]]]
"""Writes a model inside another: what it says, its operations, and the fields that it adds for those after it."""


def _told(model: Element) -> bool:
    """Whether the output asks for what single segments say."""
    held = child(model, "Output")
    return held is not None and any(part.get("segmentId") is not None for part in children(held, "OutputField"))


@dataclass(slots=True)
class _Segment:
    element: Element
    name: str
    weight: float
    condition: int  # a register, or -1 if it always applies
    prediction: Prediction


def mining(
    model: Element, scope: Scope, code: Code, targets: Sequence[TargetField], inner: Inner, *, single: bool
) -> Prediction:  # fmt: skip
    """A MiningModel. One of several targets says of each what the last of its segments does that applies."""
    held = child(model, "Segmentation")
    if held is None:
        raise refuse(model, "A MiningModel has a Segmentation.", "Models composed of embedded ones are not supported.")
    named = choice(held, "multipleModelMethod", (*_ARITHMETIC, *_VOTES, *_CHOICES, *_EARLY))
    how = _EARLY.get(named, named)
    if len(targets) > 1 and how not in _CHOICES:
        raise refuse(held, f"{how} is of one target.", seen=", ".join(target.name for target in targets))
    if function_of(model) == "regression" and not single and not _told(model):
        summed = forest(held, how, scope, code)
        if summed is not None:
            return summed
    segments = _segments(held, how, scope, code, inner)
    if how == "selectFirst" and len(targets) == 1 and len({is_text(one.prediction.value.kind) for one in segments}) > 1:
        raise refuse(held, "One segment says a category, another a number.", "Give every segment the same target.")
    if how == "selectAll":
        said = _first(segments, scope, code)
    elif how in _CHOICES:
        said = _first(segments if how == "selectFirst" else segments[::-1], scope, code)
    else:
        said = _combined(held, model, how, segments, scope, code, targets[0], single)
    if len(targets) > 1:
        said.targets = {target.name: _of(target, held, segments, scope, code) for target in targets}
    # What a segment says is missing where it does not apply.
    said.segments = {segment.name: _first([segment], scope, code) for segment in segments}
    said.apart = how == "selectAll"
    return said


def _of(target: TargetField, held: Element, segments: list[_Segment], scope: Scope, code: Code) -> Prediction:
    """What is said of one of several targets."""
    own = [
        replace(segment, prediction=segment.prediction.targets[target.name])
        for segment in reversed(segments)
        if target.name in segment.prediction.targets
    ]
    if not own:
        raise refuse(held, f"No segment is of the target {target.name!r}.", "Take it out of the mining schema.")
    return _first(own, scope, code)


def _segments(held: Element, how: str, scope: Scope, code: Code, inner: Inner) -> list[_Segment]:
    found, said = list[_Segment](), dict[str, Field]()
    builder, open_ = scope.builder, -1
    skips = choice(held, "missingPredictionTreatment", _MISSING, "continue") == "skipSegment"
    for place, element in enumerate(children(held, "Segment"), start=1):
        models = [part for part in children(element) if name_of(part) in MODELS]
        if len(models) != 1:
            raise refuse(element, "A segment holds one model.", seen=f"{len(models)} of them")
        items = predicate_of(element, scope)
        condition = -1 if len(items) == 1 and items[0][0] == o.P_TRUE else holds(items, scope, code)
        if how == "selectFirst" and open_ >= 0:
            condition = _open(condition, open_, scope, code)
        prediction, body, fields = inner(models[0], scope)
        if condition >= 0 and how not in CHAINS:
            builder.unless(code, condition, body)
        else:  # in a chain what comes after may read what this one says, if only to find it missing
            code.extend(body)
        if how in (*CHAINS, "selectFirst"):
            said |= {name: _where(field, condition, said.get(name), scope, code) for name, field in fields.items()}
            scope.fields.update(said)
        if how == "selectFirst":
            if skips:
                condition = _answers(condition, prediction, scope, code)
            open_ = _closed(condition, open_, scope, code)
        weight = number(element, "weight", 1.0)
        found.append(_Segment(element, optional(element, "id", str(place)), weight, condition, prediction))
    if not found:
        raise refuse(held, "A segmentation has segments.")
    return found


def _where(field: Field, condition: int, before: Field | None, scope: Scope, code: Code) -> Field:
    """The field where its segment applies; where it does not, what a segment before it says of that name, if any."""
    if condition < 0:
        return field
    otherwise = -1 if before is None or is_text(before.kind) != is_text(field.kind) else before.register
    to = scope.builder.register()
    scope.builder.emit(code, o.CHOOSE, to, 0, 1, condition, field.register, otherwise)
    return replace(field, register=to, additive=None)


def _answers(condition: int, said: Prediction, scope: Scope, code: Code) -> int:
    """Whether a segment applies and says something."""
    known, builder = scope.builder.register(), scope.builder
    builder.emit(code, o.IS_NOT_MISSING, known, said.value.register, builder.missing)
    if condition < 0:
        return known
    to = builder.register()
    builder.emit(code, o.CHOOSE, to, 0, 1, condition, known, condition)
    return to


def _open(condition: int, open_: int, scope: Scope, code: Code) -> int:
    """Whether a segment is the first that applies: where none before it was taken."""
    if condition < 0:
        return open_
    to = scope.builder.register()
    none = scope.document.constant(0.0, "boolean").register
    scope.builder.emit(code, o.CHOOSE, to, 0, 1, open_, condition, none)
    return to


def _closed(condition: int, open_: int, scope: Scope, code: Code) -> int:
    """Whether no segment has been taken, this one included."""
    none, yes = (scope.document.constant(number, "boolean").register for number in (0.0, 1.0))
    if condition < 0:
        return none
    to = scope.builder.register()
    scope.builder.emit(code, o.CHOOSE, to, 0, 1, condition, none, open_ if open_ >= 0 else yes)
    return to


def _first(segments: list[_Segment], scope: Scope, code: Code) -> Prediction:
    """What the first segment that applies says."""
    if segments[0].condition < 0:
        return replace(segments[0].prediction)
    builder = scope.builder

    def chosen(registers: list[int]) -> int:
        pairs, otherwise = list[int](), -1
        for segment, register in zip(segments, registers, strict=True):
            if segment.condition < 0:
                otherwise = register
                break
            pairs += [segment.condition, register if register >= 0 else nothing]
        to = builder.register()
        builder.emit(code, o.CHOOSE, to, 0, len(pairs) // 2, *pairs, otherwise)
        return to

    nothing = scope.document.constant(float("nan"), "double").register
    said = [segment.prediction for segment in segments]
    # In a chain, a number on the way is no answer in place of a category, nor the other way round.
    kind = said[0].value.kind
    values = [one.value.register if is_text(one.value.kind) == is_text(kind) else -1 for one in said]
    first = Prediction(Value(chosen(values), kind))
    for name in ("probabilities", "confidences", "affinities"):
        labels = dict.fromkeys(label for one in said for label in getattr(one, name))
        by = {label: chosen([getattr(one, name).get(label, -1) for one in said]) for label in labels}
        setattr(first, name, by)
    for name in ("entities", "reasons", "points"):
        most = max(len(getattr(one, name)) for one in said)
        ranks = [
            chosen([getattr(one, name)[rank] if rank < len(getattr(one, name)) else -1 for one in said])
            for rank in range(most)
        ]
        setattr(first, name, ranks)
    if any(one.confidence is not None for one in said):
        first.confidence = chosen([-1 if one.confidence is None else one.confidence for one in said])
    first.smaller = said[0].smaller
    return first


def _combined(
    held: Element, model: Element, how: str, segments: list[_Segment], scope: Scope, code: Code, target: TargetField,
    single: bool,
) -> Prediction:  # fmt: skip
    """Averages, medians, sums and votes."""
    builder, function = scope.builder, function_of(model)
    treatment = _MISSING.index(choice(held, "missingPredictionTreatment", _MISSING, "continue"))
    most = builder.number(number(held, "missingThreshold", 1.0))
    votes = how in _VOTES
    clusters = function == "clustering"
    if function == "regression" and votes:
        raise refuse(held, f"{how} is of categories.", seen='functionName="regression"')
    labels = list[float]()
    if function in ("classification", "clustering"):
        said = (label for segment in segments for label in segment.prediction.probabilities)
        entities = (label for segment in segments for label in segment.prediction.affinities if clusters)
        labels = list(dict.fromkeys([*(() if clusters else target.values), *said, *entities]))
        if not labels or (clusters and not votes):
            raise refuse(held, "The segments' categories are not known.", "List the target's values.")
        labels = _sorted(labels, target)
    number_of = {name: k for k, name in enumerate((*_ARITHMETIC, *_VOTES))}[how]
    if single and how == "sum":
        number_of = SUM_SINGLE
    words = list[int]()
    for segment in segments:
        by = segment.prediction.probabilities
        if labels and not votes and not by:
            raise refuse(segment.element, f"{how} needs the probabilities of a segment that gives none.")
        words += [segment.condition, builder.number(segment.weight), segment.prediction.value.register]
        words += [by.get(label, -1) for label in labels]
    width = max(len(labels), 1)
    to = builder.register(width)
    builder.emit(
        code, o.COMBINE, to, number_of, treatment, most, len(segments), len(labels), builder.table(labels or [0.0]),
        *words,
    )  # fmt: skip
    if not labels:
        return Prediction(Value(to, "double"))
    probabilities = {label: to + k for k, label in enumerate(labels)}
    kind = "string" if clusters else target.kind
    value = winner(probabilities, kind, scope, code)
    return Prediction(value, probabilities, entities=[value.register] if clusters else [])


def _sorted(labels: list[float], target: TargetField) -> list[float]:
    """The target's own order, then that of the document."""
    place = {value: k for k, value in enumerate(target.values)}
    return sorted(labels, key=lambda label: place.get(label, len(place)))
