"""A decision's reasons: what moved the models that it rests on, in words and units."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tidegate.decisions.cells import shown
from tidegate.decisions.decider import Decider
from tidegate.decisions.input_words import in_words
from tidegate.decisions.plan import ModelPlan
from tidegate.events.durations import spoken as spoken_duration
from tidegate.events.types import Kind, Type
from tidegate.models.explanation import MOST, Words, plain, spoken
from tidegate.models.reason import ModelReason
from tidegate.models.scoring import BoundModel


class Reasons:
    """Gives the reasons of a decider's settled rows.

    Args:
        decider: whose rows they are.
        models: of the flow.
        descriptions: words for a feature of a model, to stand in place of its name.
        edition: of the words (see `decisions.answer.EDITION`).
        currency: that the flow reads amounts in.
    """

    def __init__(
        self,
        decider: Decider,
        models: Sequence[ModelPlan],
        descriptions: Mapping[str, str],
        edition: int,
        currency: str | None,
    ) -> None:
        self._decider, self._plan, self._models, self._edition = decider, decider.plan, models, edition
        descriptions = dict(descriptions)
        if edition > 4:
            events = {kind.event for kind in self._plan.kinds}
            for name in {name for model in models for name in model.names} - descriptions.keys():
                descriptions[name] = in_words(name, events)
        self._told = {
            model.out: (binding, _words_of(binding, model, descriptions, edition, currency))
            for model in models
            if (binding := decider.bindings.get(model.out)) is not None
        }

    def of(self, rows: Sequence[int]) -> list[tuple[ModelReason, ...]]:
        """At most four of each row, by contributions or a model's own reason codes; several models give some each.

        Args:
            rows: which of the batch; a model is asked for all of its rows at once.
        """
        if len(self._models) == 1 and self._models[0].out in self._told:
            binding, words = self._told[self._models[0].out]
            return binding.reasons(self._decider.cells, rows, words)
        found: list[list[tuple[ModelReason, ...]]] = [[] for _ in rows]  # by row, and by model that gives any
        deciding = [self._deciding(row) for row in rows]
        for model in self._models:
            mine = [place for place, models in enumerate(deciding) if model in models]
            if model.out not in self._told or not mine:
                continue
            binding, words = self._told[model.out]
            given = binding.reasons(self._decider.cells, [rows[place] for place in mine], words)
            for place, reasons in zip(mine, given, strict=True):
                if reasons:
                    found[place].append(reasons)
            if self._edition < 4:
                break
        return [_of_each(given) for given in found]

    def _deciding(self, row: int) -> Sequence[ModelPlan]:
        """The models that what was decided rests on.

        They are those of the rules that decided, else those of the alarm, the level and the score, else all.
        """
        if self._edition < 4 or len(self._models) < 2:
            return self._models
        cells, silent = self._decider.cells, self._decider.silenced.get(row, {})
        fired = [rule for rule in self._plan.rules if cells[rule.when, row] == 1 and rule.name not in silent]
        severest = max((rule.outcome for rule in fired), default=0)  # before any limit
        by_rules = [out for rule in fired if rule.outcome == severest > 0 for out in rule.models]
        for outs in (by_rules, self._plan.scoring):
            if outs:
                return [model for model in self._models if model.out in outs]
        return self._models


def _of_each(given: Sequence[tuple[ModelReason, ...]]) -> tuple[ModelReason, ...]:
    """Those of one model, or of several as many of each."""
    each = -(-MOST // max(len(given), 1))
    return given[0] if len(given) == 1 else tuple(reason for reasons in given for reason in reasons[:each])[:MOST]


def _words_of(
    binding: BoundModel, model: ModelPlan, descriptions: Mapping[str, str], edition: int, currency: str | None
) -> Words:
    """How the features of a model are told."""
    return Words(
        binding.explained,
        descriptions,
        lambda place: _teller(model.types[place], edition, currency),
        _quoted if edition > 4 else str,
    )


def _quoted(text: str) -> str:
    return "an empty text" if not text else text if text == text.strip() else f'"{text}"'


def _teller(kind: Type, edition: int, currency: str | None) -> Callable[[float], tuple[Any, str]]:
    """What tells a number of a type: the value with its unit, if it has one, and in words."""

    def natural(value: float) -> Any:
        return shown(kind, int(value), value, {}, currency)

    if kind.kind in (Kind.MONEY, Kind.TIME, Kind.DURATION):
        if edition == 1:
            return lambda value: (natural(value), spoken(value))
        if kind.kind is Kind.DURATION:
            return lambda value: (natural(value), spoken_duration(value))
        return lambda value: (told := natural(value), str(told))
    if kind.kind is Kind.BOOL and edition > 1:
        return lambda value: (value, "yes" if value else "no")
    return plain
