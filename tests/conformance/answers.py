"""What is right for a case, by the oracle; and whether an engine's answers are that."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import reject

from tests.conformance.generator import Case
from tests.oracle import Oracle, OracleDecision, RefusedError, UndecidedError
from tests.oracle.oracle import Explained
from tests.oracle.real import error
from tests.oracle.table import Said
from tests.oracle.terms import microseconds
from tidegate.decisions.decision import Decision, TableUse
from tidegate.decisions.definition import Definition
from tidegate.decisions.flow import Flow
from tidegate.decisions.rule import Outcome
from tidegate.events.currency import decimals
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.types import Kind, Type
from tidegate.expressions.node import Expr, walk
from tidegate.models.reason import ModelReason
from tidegate.models.score import ModelScore
from tidegate.runtimes.intake import Answer, Learned, Refused

Right = OracleDecision | type[Learned] | type[Refused]


def right_answers(case: Case) -> list[tuple[Right, bool]]:
    """For each step what is right, and whether it repeats an earlier answer; what no oracle can tell is left out."""
    oracle = Oracle(case.spelled, {name: model.forest for name, model in case.models.items()})
    first: dict[str, tuple[Event, Right]] = {}
    found: list[tuple[Right, bool]] = []
    try:
        for step in case.steps:
            event, right = first.get(step.event.id, (None, None))
            if event is None or right is None:
                right = _taken(oracle, case, step)
                if right is not Refused:
                    first[step.event.id] = step.event, right
                found.append((right, False))
            elif event == step.event:
                found.append(_repeated(case, step, right))
            else:
                found.append((Refused, False))
    except UndecidedError:
        reject()
    return found


def _repeated(case: Case, step: Any, right: Right) -> tuple[Right, bool]:
    """What is right for an event that came before, with the same content."""
    if step.learn:
        return Learned, True
    undecided = right is Learned and type(step.event) is case.spelled.definition.event
    return (Refused, False) if undecided else (right, True)


def _taken(oracle: Oracle, case: Case, step: Any) -> Right:
    try:
        if type(step.event) is case.spelled.definition.event and not step.learn:
            return oracle.decide(step.event, step.overdue)
        oracle.learn(step.event)
    except RefusedError:
        return Refused
    return Learned


def check_all(case: Case, found: Sequence[Answer], right: Sequence[tuple[Right, bool]]) -> None:
    """Hold all answers to a case to the oracle's."""
    assert len(found) == len(right)
    for step, one, (other, repeated) in zip(case.steps, found, right, strict=True):
        try:
            if not isinstance(other, OracleDecision):
                assert isinstance(one, other), (one, other)
            else:
                assert isinstance(one, Decision), (one, other)
                check(case.flow, one, other)
            assert isinstance(one, Refused) or one.repeated is repeated, one
        except AssertionError as wrong:
            raise AssertionError(f"{step.event.id}: {wrong}\n{case!r}") from None


def check(of: type[Flow[Any]], found: Decision, right: OracleDecision) -> None:
    """Hold one decision to the oracle's."""
    flow = of.definition
    assert found.id == right.id
    wrong = {
        name: (found.features[name], right.features[name])
        for name, node in flow.features.items()
        if found.features is None or not shows(node.type, found.features[name], right.features[name], flow.currency)
    }
    assert not wrong, f"features (engine, oracle) {wrong}"
    assert sorted({rule.rule for rule in found.rules}) == sorted(right.fired), "rules"
    assert len(found.tables) == len(flow.readings), "tables"
    for use in found.tables:
        differing = [misread(use, said, of) for said in right.tables if said.table == use.table]
        assert "" in differing, f"{use} {differing} {right.tables}"
    assert sorted(found.unknown) == sorted(right.unknown), "unknown"
    assert found.outcome == right.outcome.word, f"engine {found.outcome}, oracle {right.outcome}"
    assert (found.limited is not None) is right.limited, f"limited {found.limited}"
    assert (found.score is None) is (right.score is None), "score"
    assert right.score is None or found.score is None or near(found.score, right.score), "score"
    assert (found.level, found.alarm) == (right.level, right.alarm), "level, alarm"
    assert len(found.snoozed) == len(right.silent), f"snoozed {found.snoozed} {right.silent}"
    for words, ways in zip(sorted(found.snoozed), (right.silent[name] for name in sorted(right.silent)), strict=True):
        assert words in ways, f"{words} {ways}"
    # Where everything is explained, an approved decision has reasons too, which are not looked at here.
    looked_at = bool(right.explained) or found.features is None
    wrong_reasons = unreasonable(found.reasons, right, of) if looked_at else ""
    assert not wrong_reasons, f"reasons {wrong_reasons}: {found.reasons} {right.explained}"
    for use in found.models:
        assert near(use.score, right.models[use.model]), f"{use} {right.models}"


def misread(use: TableUse, right: Said, of: type[Flow[Any]]) -> str:
    """What is wrong with what a decision says of a table."""
    table = next(one for one in of.definition.readings if one.table.digest == use.digest)
    kinds = {column.name: column.type for column in table.table.inputs}
    if not all(shows(kinds[name], use.saw[name], value, of.definition.currency) for name, value in right.given.items()):
        return "its inputs"
    if [row.row for row in use.rows] != [row.name for row in right.rows[:20]] or use.matched != len(right.rows):
        return "its rows"
    wrong = [name for name, value in right.outputs.items() if not _same(use.outputs[name], value)]
    return f"its {', '.join(wrong)}" if wrong else ""


def _same(found: Any, value: Any) -> bool:
    """Whether an output is shown as it is; of a list, the first twenty."""
    if isinstance(value, list):
        return len(found) == len(value[:20]) and all(map(_same, found, value))
    return near(found, value) if isinstance(value, float) and found is not None else bool(found == value)


def deciding(right: OracleDecision, flow: Definition) -> list[str]:
    """The models that a decision rests on: of the rules that decided, else of alarm, level and score, else all."""

    def models_of(*roots: Expr | None) -> set[str]:
        nodes = (node for root in roots if root is not None for node in walk(root))
        return {node.reference for node in nodes if isinstance(node, ModelScore)}

    rules = [flow.rules[name] for name in right.fired]
    severest = max((rule.outcome for rule in rules), default=Outcome.APPROVE)
    by_rules: set[str] = set()
    if severest is not Outcome.APPROVE:
        by_rules = models_of(*(rule.when for rule in rules if rule.outcome is severest))
    chosen = by_rules or models_of(flow.alarm, flow.level.of if flow.level else None, flow.score)
    return [node.reference for node in flow.models if not chosen or node.reference in chosen]


def unreasonable(found: Sequence[ModelReason], right: OracleDecision, of: type[Flow[Any]]) -> str:
    """What is wrong with a decision's reasons: the heaviest contributions, at most four, none of less than 2 %.

    They are those of the models that it rests on, in the order in which these are asked; of several each has its share.
    """
    rests_on = deciding(right, of.definition)
    asked = [one for segment in of.plan.segments for one in segment.models if one.reference in right.explained]
    due = [(one.names, right.explained[one.reference]) for one in asked if one.reference in rests_on]
    due = [(names, one) for names, one in due if any(one.contributions)]
    most = 4 if len(due) < 2 else -(-4 // len(due))
    rest = list(found)
    for place, (names, one) in enumerate(due):
        heavy = sum(abs(float(part)) >= 0.02 * float(sum(map(abs, one.contributions))) for part in one.contributions)
        many = min(most, heavy, 4 - (len(found) - len(rest)))
        part, rest = (rest, []) if place == len(due) - 1 else (rest[:many], rest[many:])
        wrong = _unlike(part, names, one, most if len(due) < 2 else many, of.definition.currency)
        if wrong:
            return wrong
    return "none are due" if rest else ""


def _unlike(
    found: Sequence[ModelReason], names: Sequence[str], right: Explained, most: int, currency: str | None
) -> str:
    """What is wrong with the reasons that one model gave, `most` of them."""
    exact = dict(zip(names, right.contributions, strict=True))
    room = 1e-12 * right.scale
    least = 0.02 * float(sum(map(abs, exact.values())))
    for reason in found:
        if reason.feature not in names:
            return f"{reason.feature} is no feature of the model"
        place = list(names).index(reason.feature)
        if abs(reason.contribution - float(exact[reason.feature])) > room:
            return f"the contribution of {reason.feature} is {float(exact[reason.feature])}"
        if not given_as(reason.value, right.types[place], right.given[place], currency):
            return f"{reason.feature} was {right.given[place]}"
        if ("raises" if exact[reason.feature] > 0 else "lowers") not in reason.words:
            return f"the words of {reason.feature}"
    weights = [abs(reason.contribution) for reason in found]
    if weights != sorted(weights, reverse=True) or len({reason.feature for reason in found}) < len(found):
        return "the order"
    if len(found) > most or any(weight < least - room for weight in weights):
        return "more than there are"
    named = {reason.feature for reason in found}
    left = max((abs(float(part)) for name, part in exact.items() if name not in named), default=0.0)
    if left > (weights[-1] if found and len(found) == most else least) + room:
        return "a heavier one is left out"
    return ""


def given_as(found: Any, kind: Type, value: Any, currency: str | None) -> bool:
    """Whether a reason names the value that a model was given; of a text that it does not know it says missing."""
    if kind.is_word:
        return found is None or bool(found == value)
    if value is None or found is None:
        return value is None and found is None
    if kind.kind in (Kind.MONEY, Kind.TIME, Kind.DURATION):
        return shows(kind, found, value, currency)
    return near(float(found), value)


def near(found: float, value: Any, scale: float = 1.0) -> bool:
    """Whether floats are equal as far as they have to be."""
    return abs(found - float(value) / scale) <= max(1e-12 * abs(float(value)), error(value)) / scale


def shows(kind: Type, found: Any, value: Any, currency: str | None) -> bool:
    """Whether the engine shows what the oracle says."""
    if value is None or found is None:
        return value is None and found is None
    if kind.kind is Kind.MONEY:
        code = kind.currency or currency or ""
        if not kind.approx:
            return bool(found == str(Money(value, code)))
        amount, _, shown = found.partition(" ")
        units = float(Decimal(amount).scaleb(decimals(code)))
        return shown == code and abs(units - value) <= 0.5 + max(1e-12 * abs(value), error(value))
    if kind.kind is Kind.DURATION:
        return near(found, value, 1e6)
    if kind.kind is Kind.TIME:
        return microseconds(datetime.fromisoformat(found)) == value
    if kind.is_float:
        return near(found, value)
    return type(found) is type(value) and bool(found == value)
