"""From settled rows to decisions: the words, the values they rest on, and what the model's score is made of."""

import math
from bisect import bisect_right
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tidegate.decisions.cells import shown
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision, FiredRule, ModelUse, PackageUse, ScorecardUse, TableUse
from tidegate.decisions.encode import text_value, word
from tidegate.decisions.plan import ModelPlan, Plan, RulePlan, SeenPlan
from tidegate.decisions.reasons import Reasons
from tidegate.decisions.rule import Outcome
from tidegate.decisions.settle import loud_rows
from tidegate.decisions.tables.plan import InputPlan, OutputPlan
from tidegate.decisions.tables.trace import MOST_SHOWN, IndexedTable
from tidegate.events.durations import written
from tidegate.events.money import Money
from tidegate.expressions.words import MISSING
from tidegate.models.reason import ModelReason

EDITION = 6
"""The edition of the answers' words. A record names its own, so that an old answer can be made again to the letter.

1: a model's reasons in raw units (minor units, microseconds); amounts in other currencies missing without a word.
2: a model's reasons in their units, and `unread`.
3: why a model that is there had no answer.
4: reasons of the models that what was decided rests on, and not of the first one.
5: inputs without a name of their own in words, and texts that are empty or end in a blank told as such.
6: what a rule saw of an entity list in words: `card is on blocked-cards`.
"""

OUTCOMES = tuple(outcome.word for outcome in Outcome)


def _there(number: float) -> float | None:
    return None if number != number else number


class Answers:
    """Makes decisions of a decider's settled rows.

    Args:
        decider: whose rows they are.
        explain: give every feature's value, and a model's reasons, in every decision.
        descriptions: words for a feature of a model, to stand in place of its name.
        edition: of the words; another than the newest only to make old answers again.

    Attributes:
        plain: whether the flow is such that `quiet` can tell most rows.
    """

    def __init__(
        self,
        decider: Decider,
        *,
        explain: bool = False,
        descriptions: Mapping[str, str] | None = None,
        edition: int = EDITION,
    ) -> None:
        self.decider, self.plan, self.explain, self.edition = decider, decider.plan, explain, edition
        self.currency = next((f.currency for k in self.plan.kinds for f in k.fields if f.currency), None)
        self.flow = f"{self.plan.flow}@{self.plan.digest[:12]}"
        self.models = [model for segment in self.plan.segments for model in segment.models]
        bound = [(model, decider.bindings.get(model.out)) for model in self.models]
        # of models that are there and answer with numbers: where the first row's lies, and what they are
        self._sure = [
            (model.out * decider.capacity, model.reference, binding.model.digest)
            for model, binding in bound
            if binding is not None and not isinstance(model.default, str)
        ]
        if len(self._sure) < len(bound):
            self._sure = []
        self._reasons = Reasons(decider, self.models, descriptions or {}, edition, self.currency)
        self._wants_texts = explain or bool(decider.tables or decider.scorecards)
        self._all_reasons = explain and edition > 3
        self._severest = sorted(self.plan.rules, key=lambda rule: -rule.outcome)
        self._shows_texts = any(one.type.is_word for rule in self.plan.rules for one in rule.saw)
        self._loud = np.empty(decider.capacity, np.int64)
        self._settled = decider.settled.data.cast("B").cast("q")
        self._levels = (None, *self.plan.levels)
        self._words = decider.said
        self._called = memberships(self.plan) if edition > 5 else {}
        open_amounts = (f for f in self.plan.kinds[0].fields if f.currency and not f.type.currency)
        self._open = [(f.name, f.currency) for f in open_amounts] if edition > 1 else []
        self.plain = not (self._wants_texts or decider.packages or self._open)

    def _unread(self, read: Callable[[str], Any]) -> tuple[str, ...]:
        """What the flow could not read of an event, in words: amounts in another currency than its own."""
        found: tuple[str, ...] = ()
        for name, currency in self._open:
            value = read(name)
            if value is None:
                continue
            amount = value if isinstance(value, Money) else Money(**value)
            if amount.currency != currency:
                found += (f"{name} is {amount}, which cannot be compared with {currency}: it counts as missing",)
        return found

    def quiet(self, ids: Sequence[str]) -> list[Decision | None]:
        """The decisions of the first rows, as far as nothing in them calls for words: a column at a time.

        None where a rule fired or was missing or the alarm went; `decision` makes those. Only for a `plain` flow, and
        where nothing is overdue, limited or silenced.

        Args:
            ids: the events', of as many rows as are asked for.
        """
        decider, plan, n = self.decider, self.plan, len(ids)
        if n == 1:
            return [self.quiet_one(ids[0])]
        floats, flow, approve = decider.floats, self.flow, OUTCOMES[0]
        loud_rows(decider.settled, decider.cells, plan.alarm, n, self._loud)
        loud: list[int] = self._loud[:n].tolist()
        if not self.models and max(plan.score, plan.level) < 0:
            return [None if one else Decision(id, approve, flow=flow) for id, one in zip(ids, loud, strict=True)]
        scores: list[float] = floats[plan.score, :n].tolist() if plan.score >= 0 else [math.nan] * n
        levels = scores  # of which the level is, as a rule
        if plan.level != plan.score:
            levels = floats[plan.level, :n].tolist() if plan.level >= 0 else [math.nan] * n
        words, edges = self._levels, plan.thresholds
        uses = zip(*[self._uses_of(n, model) for model in self.models], strict=True) if self.models else [()] * n
        return [
            None
            if one
            else Decision(
                id,
                approve,
                score if score == score else None,
                words[bisect_right(edges, level)] if level == level else None,
                models=used,
                flow=flow,
            )
            for id, one, score, level, used in zip(ids, loud, scores, levels, uses, strict=True)
        ]

    def quiet_one(self, id: str) -> Decision | None:
        """What `quiet` does, of the first row alone."""
        decider, plan = self.decider, self.plan
        cells, floats, stride, settled = decider.flat, decider.flat_floats, decider.capacity, self._settled
        if plan.rules and (settled[stride] or settled[2 * stride]):
            return None
        if plan.alarm >= 0 and cells[plan.alarm * stride] == 1:
            return None
        score: float | None = None
        level: str | None = None
        models: tuple[ModelUse, ...] = ()
        if plan.score >= 0:
            score = floats[plan.score * stride]
            if score != score:
                score = None
        if plan.level >= 0:
            level = self._band(floats[plan.level * stride])
        if self.models:
            models = self._uses(0)
        return Decision(id, OUTCOMES[0], score, level, models=models, flow=self.flow)

    def reasons(self, rows: Sequence[int]) -> dict[int, tuple[ModelReason, ...]]:
        """The models' reasons of those rows whose decisions give any: for many at once quicker than one by one.

        Args:
            rows: whose decisions will be made.
        """
        if not self.models:
            return {}
        told = [row for row in rows if self._reasoned(self.decider.settled[0, row], self._alarmed(row))]
        return dict(zip(told, self._reasons.of(told), strict=True)) if told else {}

    def _alarmed(self, row: int) -> bool:
        return self.plan.alarm >= 0 and self.decider.flat[self.plan.alarm * self.decider.capacity + row] == 1

    def _reasoned(self, outcome: int, alarm: bool) -> bool:
        """Whether a decision gives the models' reasons."""
        return bool(self.models and (outcome or alarm or self._all_reasons))

    def decision(
        self,
        row: int,
        id: str,
        read: Callable[[str], Any],
        overdue: bool = False,
        reasons: Mapping[int, tuple[ModelReason, ...]] | None = None,
    ) -> Decision:
        """The decision of one row.

        Args:
            row: which of the batch.
            id: the event's.
            read: gives a field of the event by name.
            overdue: that it comes after the flow's deadline, so the declared answer is given.
            reasons: of some rows, as `reasons` gives them; those of others are worked out here.
        """
        decider, plan = self.decider, self.plan
        cells, floats, stride = decider.flat, decider.flat_floats, decider.capacity
        outcome, fired, unknown = decider.settled[:, row].tolist()
        alarm = self._alarmed(row)
        limited = None
        if decider.limited and row in decider.limited:
            cap = plan.caps[decider.limited[row]]
            most = f"at most {cap.count} times {OUTCOMES[cap.outcome]} in {written(cap.last)}"
            limited = f"{most}: {OUTCOMES[cap.then]} instead"
        words: Mapping[int, str] = {}
        if self._wants_texts or (fired and self._shows_texts):
            words = ChainMap(texts_of(plan, 0, read), self._words, decider.words)
        if overdue:
            outcome = plan.deadline_answer
            limited = f"the deadline of {written(plan.deadline)} passed: {OUTCOMES[outcome]} as declared"
        why: tuple[ModelReason, ...] = ()
        if self._reasoned(outcome, alarm):
            why = reasons[row] if reasons and row in reasons else self._reasons.of([row])[0]
        return Decision(
            id=id,
            outcome=OUTCOMES[outcome],
            score=_there(floats[plan.score * stride + row]) if plan.score >= 0 else None,
            level=self._band(floats[plan.level * stride + row]) if plan.level >= 0 else None,
            alarm=alarm,
            rules=self._fired(row, words) if fired else (),
            reasons=why,
            unknown=tuple(r.name for r in plan.rules if cells[r.when * stride + row] == MISSING) if unknown else (),
            unread=self._unread(read) if self._open else (),
            models=self._uses(row) if self.models else (),
            tables=tuple(self._table(table, row, words) for table in decider.tables) if decider.tables else (),
            packages=self._packages(row) if decider.packages else (),
            scorecards=self._scorecards(row, words) if decider.scorecards else (),
            limited=limited,
            snoozed=tuple(decider.silenced[row].values()) if row in decider.silenced else (),
            flow=self.flow,
            features={seen.name: self._value(seen, row, words) for seen in plan.features} if self.explain else None,
        )

    def _band(self, value: float) -> str | None:
        return self._levels[bisect_right(self.plan.thresholds, value)] if value == value else None

    def _value(self, seen: SeenPlan | InputPlan | OutputPlan, row: int, words: Mapping[int, str]) -> Any:
        place = seen.column * self.decider.capacity + row
        return shown(seen.type, self.decider.flat[place], self.decider.flat_floats[place], words, self.currency)

    def _fired(self, row: int, words: Mapping[int, str]) -> tuple[FiredRule, ...]:
        silent = self.decider.silenced.get(row, {})
        cells, stride = self.decider.flat, self.decider.capacity
        fired = [rule for rule in self._severest if cells[rule.when * stride + row] == 1 and rule.name not in silent]
        found: list[FiredRule] = []
        for rule in fired:
            if rule.table >= 0:
                found += self._fired_rows(rule, row, words)
                continue
            saw = {self._called.get(s.name, s.name): self._value(s, row, words) for s in rule.saw}
            found.append(FiredRule(rule.name, OUTCOMES[rule.outcome], rule.because, saw))
        return tuple(found)

    def _fired_rows(self, rule: RulePlan, row: int, words: Mapping[int, str]) -> list[FiredRule]:
        """The rows of a table that decided with a rule's outcome: their words, and the values that their cells saw."""
        table = self.decider.tables[rule.table]
        plan, cells = table.plan, self.decider.cells
        decisive = int(cells[plan.row, row])
        numbers = [-1] if decisive == 0 else table.decisive(cells, row, decisive, int(cells[plan.hits, row]))
        found: list[FiredRule] = []
        for number in numbers:
            if plan.severities[number] != rule.outcome or len(found) == MOST_SHOWN:
                continue
            asked = table.row(number).cells if number >= 0 else {}
            saw = {given.name: self._value(given, row, words) for given in plan.inputs if given.name in asked}
            name = plan.names[number]
            found.append(FiredRule(rule.name, OUTCOMES[rule.outcome], plan.because[number], saw, name))
        return found

    def _table(self, table: IndexedTable, row: int, words: Mapping[int, str]) -> TableUse:
        plan, cells = table.plan, self.decider.cells
        saw = {given.name: self._value(given, row, words) for given in plan.inputs}
        decisive, many = int(cells[plan.row, row]), int(cells[plan.hits, row])
        if table.policy.is_list:
            outputs = self._lists(table, table.decisive(cells, row, decisive, many) or [-1] * (decisive == 0), words)
        else:
            outputs = {one.name: self._value(one, row, words) for one in plan.outputs}
        return table.use(cells, row, decisive, many, saw, outputs)

    def _lists(self, table: IndexedTable, rows: list[int], words: Mapping[int, str]) -> dict[str, Any]:
        """The outputs of each of some rows, as far as they are shown."""
        values, floats = table.plan.values, table.plan.values.view("f8")
        return {
            one.name: [
                shown(one.type, int(values[place, number]), float(floats[place, number]), words, self.currency)
                for number in rows[:MOST_SHOWN]
            ]
            for place, one in enumerate(table.plan.outputs)
        }

    def _uses(self, row: int) -> tuple[ModelUse, ...]:
        scores, stride = self.decider.flat_floats, self.decider.capacity
        if self._sure and not self.decider.unanswered:
            return tuple([ModelUse(name, digest, scores[place + row]) for place, name, digest in self._sure])
        return tuple([self._use(model, scores[model.out * stride + row], row) for model in self.models])

    def _uses_of(self, n: int, model: ModelPlan) -> list[ModelUse]:
        """What a model said of the first rows."""
        scores, scorer = self.decider.floats[model.out, :n].tolist(), self.decider.bindings.get(model.out)
        if scorer is None or self.decider.unanswered.get(model.out) or isinstance(model.default, str):
            return [self._use(model, score, row) for row, score in enumerate(scores)]
        reference, digest = model.reference, scorer.model.digest
        return [ModelUse(reference, digest, score) for score in scores]

    def _use(self, model: ModelPlan, score: float, row: int) -> ModelUse:
        scorer, digest, why = self.decider.bindings.get(model.out), "", None
        if scorer is None:
            why = "the model is not there"
        else:
            digest = scorer.model.digest
            if self.edition > 2 and row in self.decider.unanswered.get(model.out, ()):
                why = scorer.unanswered(self.decider.cells, row)
        if isinstance(model.default, str):
            label = self._words[int(self.decider.cells[model.out, row])]
            return ModelUse(model.reference, digest, None, why, label)
        return ModelUse(model.reference, digest, score, why)

    def _packages(self, row: int) -> tuple[PackageUse, ...]:
        uses = []
        for package in self.decider.packages:
            answer, plan = package.answers[row], package.plan
            outputs = {one.name: value for one, value in zip(plan.outputs, answer.values, strict=True)}
            uses.append(PackageUse(plan.name, plan.digest, outputs, answer.rules, answer.fired, answer.otherwise))
        return tuple(uses)

    def _scorecards(self, row: int, words: Mapping[int, str]) -> tuple[ScorecardUse, ...]:
        cells = self.decider.cells
        return tuple(
            card.use(cells, row, [self._value(given, row, words) for given in card.plan.inputs])
            for card in self.decider.scorecards
        )


def memberships(plan: Plan) -> dict[str, str]:
    """Checks of fields against entity lists that have no name of their own, in words, by what the plan calls them."""
    fields = {one.column: one.name for one in plan.kinds[0].fields}
    lists = {one.out: f"{fields[one.key]} is on {one.name}" for one in plan.lists if one.key in fields}
    seen = (one for rule in plan.rules for one in rule.saw)
    return {one.name: lists[one.column] for one in seen if one.column in lists and not one.name.isidentifier()}


def texts_of(plan: Plan, kind: int, read: Callable[[str], Any]) -> dict[int, str]:
    """An event's texts, and what functions make of them, by their cells: to show them as they were written.

    Args:
        plan: the flow's.
        kind: which of its event types.
        read: gives a field of the event by name.
    """
    own = plan.kinds[kind]
    found = [getattr(value, "value", value) for value in (read(f.name) for f in own.fields if f.type.is_word)]
    found += [text_value(text, read(text.field)) for text in own.texts]
    return {word(text): text for text in found if isinstance(text, str)}
