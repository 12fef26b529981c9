"""A decision's reasons: what moved the models that it rests on, in words and units."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tidegate.decisions.cells import shown
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import ModelReason
from tidegate.decisions.input_words import in_words
from tidegate.decisions.plan import ModelPlan
from tidegate.events.durations import spoken as spoken_duration
from tidegate.events.types import Kind
from tidegate.models.explanation import MOST, spoken


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
        self._decider, self._plan, self._models = decider, decider.plan, models
        self._descriptions, self._edition, self._currency = dict(descriptions), edition, currency
        if edition > 4:
            events = {kind.event for kind in self._plan.kinds}
            for name in {name for model in models for name in model.names} - set(descriptions):
                self._descriptions[name] = in_words(name, events)

    def of(self, row: int) -> tuple[ModelReason, ...]:
        """At most four reasons, by contributions or a model's own reason codes; of several models each gives its share.

        Args:
            row: which of the batch.
        """
        found = {}
        for model in self._deciding(row):
            binding = self._decider.bindings.get(model.out)
            if binding is None:
                continue
            say = partial(self._said, model) if self._edition > 1 else None
            reasons = binding.reasons(self._decider.cells, row, self._descriptions, say)
            if reasons or self._edition < 4:
                found[model.out] = [
                    ModelReason(r.feature, self._natural(model, r.feature, r.value), r.contribution, r.words, r.method)
                    for r in reasons
                ]
            if self._edition < 4:
                break
        if len(found) > 1:
            each = -(-MOST // len(found))
            return tuple(reason for reasons in found.values() for reason in reasons[:each])[:MOST]
        return tuple(reason for reasons in found.values() for reason in reasons)

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

    def _said(self, model: ModelPlan, place: int, value: Any) -> str:
        """The value in words, with its unit."""
        kind = model.types[place]
        if isinstance(value, str) and self._edition > 4:
            return "an empty text" if not value else value if value == value.strip() else f'"{value}"'
        if value is None or isinstance(value, str):
            return spoken(value)
        if kind.kind is Kind.DURATION:
            return spoken_duration(value)
        if kind.kind is Kind.BOOL:
            return "yes" if value else "no"
        if kind.kind in (Kind.MONEY, Kind.TIME):
            return str(shown(kind, int(value), value, {}, self._currency))
        return spoken(value)

    def _natural(self, model: ModelPlan, feature: str, value: Any) -> Any:
        """The value with its unit, if it has one."""
        if value is None:
            return None
        names = model.names if feature in model.names else [name.rpartition(".")[2] for name in model.names]
        kind = model.types[names.index(feature)]  # a model may call a field without its event
        if kind.kind not in (Kind.MONEY, Kind.TIME, Kind.DURATION):
            return value
        number = float(value)
        return shown(kind, int(number), number, {}, self._currency)
