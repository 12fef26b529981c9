"""A scorecard as a part of a flow: its points, bins, reasons and chance, what a challenger changes, what is refused."""

import math
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    FlowError,
    Money,
    Scaling,
    Scorecard,
    Store,
    bands,
    bins,
    decline,
    entity,
    eur,
    mean,
    mode,
    scorecard,
    usd,
)  # fmt: skip
from tidegate.decisions.decision import to_json
from tidegate.decisions.difference import apart, changes
from tidegate.decisions.plan import dump, load
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.runtimes.remake import remake

Person = entity("person")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Home(Enum):
    OWN = "own"
    RENT = "rent"
    FREE = "free"


class Application(Event):
    person: Person
    age: int
    home: Home | None
    amount: Money
    employed: bool


PARTS = {
    "age": bins({"< 25": 10, "[25..40)": 22, ">= 40": 35}, because="Age"),
    "home": bins({"own": 30, "rent, free": 12, None: 5}, because="Housing", code="H1"),
    "amount": bins({"< 1000": 20, ">= 1000": 5.5}, because="The amount asked for"),
    "employed": bins({True: 10, False: 0}, because="No employment"),
}
OF = {
    "age": Application.age, "home": Application.home, "amount": Application.amount, "employed": Application.employed,
}  # fmt: skip
SCALE = Scaling(pdo=20, base_points=600, base_odds=50)


def made(parts: dict[str, Any] | None = None, **options: Any) -> Scorecard:
    chosen = PARTS | (parts or {})
    return scorecard(chosen, of=OF, **{"initial": 500, "currency": "EUR", "scaling": SCALE} | options)


class Credit(Flow[Application]):
    points = made()
    bad = points.probability
    low = decline(points < 545, because="Too few points")
    score = points
    level = bands(points, poor=0.0, fair=550.0, good=580.0)


class Stricter(Credit):
    points = made({"home": bins({"own": 31, "rent, free": 12, None: 5}, because="Housing", code="H1")})


def applied(number: int = 0, **fields: Any) -> Application:
    given = {"person": "p", "age": 30, "home": Home.OWN, "amount": eur(500), "employed": True} | fields
    return Application(id=f"a{number}", at=AT + timedelta(minutes=number), **given)


def decided(flow: type[Flow[Any]], *events: Application, **options: Any) -> list[Decision]:
    found = Engine(flow, **options).decide_many(events)
    assert all(isinstance(one, Decision) for one in found)
    return found  # type: ignore[return-value]


def test_points_are_summed_and_every_bin_is_told() -> None:
    one = decided(Credit, applied(age=19, home=Home.RENT, employed=False))[0]
    use = one.scorecards[0]
    assert one.score == use.points == 500 + 10 + 12 + 20 + 0 == 542
    assert (one.outcome, one.level) == ("decline", "poor")
    assert [(b.characteristic, b.value, b.bin, b.points, b.lost) for b in use.bins] == [
        ("age", 19, "< 25", 10.0, 25.0),
        ("home", "rent", "rent, free", 12.0, 18.0),
        ("amount", "500.00 EUR", "< 1000", 20.0, 0.0),
        ("employed", False, "false", 0.0, 10.0),
    ]
    assert [(r.code, r.words, r.lost) for r in use.reasons] == [
        ("age", "Age", 25.0), ("H1", "Housing", 18.0), ("employed", "No employment", 10.0),
    ]  # fmt: skip
    assert use.scorecard == "points"


def test_the_chance_is_the_scales() -> None:
    one = decided(Credit, applied(), explain=True)[0]
    points = one.score
    assert points == 582.0
    assert one.features is not None
    by_hand = 1 / (1 + 50 * 2 ** ((points - 600) / 20))
    assert math.isclose(one.features["bad"], by_hand, rel_tol=1e-12)
    assert math.isclose(one.scorecards[0].probability or 0, by_hand, rel_tol=1e-12)


@pytest.mark.parametrize("many", [1, 2, 7, 64])
def test_one_at_a_time_and_in_batches_it_is_the_same(many: int) -> None:
    rng = np.random.default_rng(many)
    homes = [None, *Home]
    events = [
        applied(
            n, age=int(rng.integers(0, 60)), home=homes[int(rng.integers(4))], amount=eur(int(rng.integers(0, 2000))),
            employed=bool(rng.integers(2)),
        )
        for n in range(many)
    ]  # fmt: skip
    alone = [Engine(Credit).decide(event) for event in events]
    assert decided(Credit, *events) == alone
    evaluator = Evaluator(Credit.definition.scorecards[0].card)
    for event, one in zip(events, alone, strict=True):
        plain = {"age": event.age, "home": event.home, "amount": event.amount, "employed": event.employed}
        assert isinstance(one, Decision)
        assert evaluator.evaluate(plain).points == one.score
    columns = {name: [getattr(event, name) for event in events] for name in OF}
    assert evaluator.points(columns).tolist() == [one.score for one in decided(Credit, *events)]


class Loose(Event):
    person: Person
    years: float | None
    where: str | None


class Gappy(Flow[Loose]):
    points = scorecard(
        {"years": bins({"[0..5)": 1, "[5..60]": 2}, because="Years"), "where": bins({"DE": 3, "FR": 4}, because="W")},
        of={"years": Loose.years, "where": Loose.where},
    )
    low = decline(points < 100, because="Low")


@pytest.mark.parametrize(
    ("years", "where", "said"),
    [
        (60.5, "DE", "years is 60.5, and no bin is for that: no points"),
        (None, "DE", "years is missing, and no bin is for that: no points"),
        (-0.1, "IT", "years is -0.1, where is IT, and no bin is for that: no points"),
    ],
)
def test_what_falls_into_no_bin_is_missing_and_says_so(years: Any, where: str, said: str) -> None:
    one = Engine(Gappy).decide(Loose(id="a", at=AT, person="p", years=years, where=where))
    assert isinstance(one, Decision)
    assert one.scorecards[0].said == said
    assert one.scorecards[0].points is None and one.scorecards[0].reasons == ()
    assert one.unknown == ("low",) and one.outcome == "approve"


def test_the_two_zeros_and_the_neighbours_of_an_end_fall_where_they_should() -> None:
    card = Evaluator(Gappy.definition.scorecards[0].card)
    for years, points in ((0.0, 1.0), (-0.0, 1.0), (math.nextafter(5, 0), 1.0), (5.0, 2.0), (60.0, 2.0)):
        assert card.evaluate({"years": years, "where": "DE"}).points == points + 3
    for years in (math.nextafter(0, -1), math.nextafter(60, 61), math.inf, -math.inf, math.nan):
        assert card.evaluate({"years": years, "where": "DE"}).points is None


def test_a_card_reads_windows_and_other_cards() -> None:
    class Deep(Flow[Application]):
        currency = "EUR"
        usual = mean(Application.amount, per=Person, last="1d")
        first = scorecard({"usual": bins({"< 100.5 EUR": 1, ">= 100.5 EUR": 2, None: 7}, because="Usual")}, of=[usual])
        last_home = mode(Application.home, per=Person, last="1d")
        second = scorecard(
            {"first": bins({"<= 1": 10, "> 1": 20}, because="F"), "home": bins({"own": 1, "otherwise": 2, None: 3},
                                                                               because="H")},
            of=[first, last_home],
        )  # fmt: skip
        low = decline(second > 1000, because="Never")

    found = decided(Deep, applied(0, amount=eur(100)), applied(1, amount=eur(101)), applied(2))
    assert [[use.points for use in one.scorecards] for one in found] == [[7.0, 23.0], [1.0, 11.0], [2.0, 21.0]]
    assert [use.bins[0].value for use in (one.scorecards[0] for one in found)] == [None, "100.00 EUR", "100.50 EUR"]
    assert found[2].scorecards[1].bins[1].value == "own"


def test_a_challenger_changes_a_bin_and_only_that_is_told() -> None:
    one, other = decided(Credit, applied())[0], decided(Stricter, applied())[0]
    assert (one.score, other.score) == (582.0, 582.0 + 1)
    told = [str(change) for change in changes(Credit.definition, Stricter.definition)]
    assert told == ["points home baseline: 30 → 31", "points home own: 30 → 31"]


def test_a_rule_that_only_sees_other_points_is_told_apart_by_the_bins() -> None:
    told = [str(change) for change in apart("low", Credit.definition, Stricter.definition)]
    assert [one.split(":")[0] for one in told] == ["points home baseline", "points home own"]


def test_words_are_part_of_the_digest_and_counts_are_not() -> None:
    class Worded(Credit):
        points = made({"age": bins({"< 25": 10, "[25..40)": 22, ">= 40": 35}, because="Youth")})

    assert Worded.definition.digest != Credit.definition.digest


def test_a_decision_is_made_again_from_its_record(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Credit, store=store)
        answers = engine.decide_many([applied(n, age=20 + n, home=None) for n in range(4)])
        for number, answer in enumerate(answers):
            assert isinstance(answer, Decision)
            again = remake(store, f"a{number}")
            assert again.equal and again.answer == to_json(answer)
    assert load(dump(Credit.plan)).scorecards[0].texts == Credit.plan.scorecards[0].texts


def test_reasons_are_few_ranked_and_of_one_code_together() -> None:
    parts = {f"c{n}": bins({"< 0": 100, ">= 0": 100 - n}, because=f"R{n}", code="x" if n in (1, 6) else "")
             for n in range(7)}  # fmt: skip
    card = scorecard(parts, of=[Loose.years] * 7)
    found = card.evaluate({f"c{n}": 1.0 for n in range(7)}).reasons
    assert [(r.code, r.lost) for r in found] == [("x", 7.0), ("c5", 5.0), ("c4", 4.0), ("c3", 3.0)]
    assert found[0].words == "R6"  # of the bin that lost most under this code
    two = scorecard(parts, of=[Loose.years] * 7, reasons=2).evaluate({f"c{n}": 1.0 for n in range(7)})
    assert [r.code for r in two.reasons] == ["x", "c5"]


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({}, [3.0]), ({"baseline": "max"}, [3.0]), ({"baseline": "min"}, []), ({"higher": "worse"}, [1.0]),
        ({"higher": "worse", "baseline": "max"}, []),
    ],
)  # fmt: skip
def test_losses_are_counted_from_the_baseline(options: dict[str, Any], lost: list[float]) -> None:
    card = scorecard({"years": bins({"< 1": 5, "[1..2)": 2, ">= 2": 1}, because="Y")}, of=[Loose.years], **options)
    assert [r.lost for r in card.evaluate({"years": 1.5}).reasons] == lost


def test_a_given_baseline_counts_before_the_method() -> None:
    card = scorecard({"years": bins({"< 1": 5, ">= 1": 2}, because="Y", baseline=2.5)}, of=[Loose.years])
    assert [r.lost for r in card.evaluate({"years": 1.5}).reasons] == [0.5]


WRONG: list[tuple[Any, str]] = [
    (lambda: made({"age": bins({"< 25": 1, "> 25": 2}, because="A")}), "age, > 25: no bin holds for 25"),
    (lambda: made({"age": bins({"< 25": 1, ">= 24": 2}, because="A")}), "the bins < 25 and >= 24 hold for the same"),
    (lambda: made({"age": bins({"-": 1}, because="A")}), "age, -: A bin holds for something"),
    (lambda: made({"age": bins({"< x": 1}, because="A")}), "age, < x: This is not a whole number"),
    (lambda: made({"age": bins({"< 5": "many"}, because="A")}), "age, < 5: points is a number. Seen: many"),
    (lambda: made({"age": bins({"< 5": math.nan}, because="A")}), "points is a number. Seen: nan"),
    (lambda: made({"home": bins({"owns": 1}, because="A")}), "not one of the values there are. Seen: 'owns'"),
    (lambda: made({"amount": bins({"< 5 EUR": 1, ">= 5 USD": 2}, because="A")}), "Two currencies in one column"),
    (lambda: made({"amount": bins({"< 5": 1}, because="A")}, currency=None), "This amount has no currency"),
    (lambda: made({"age": bins({"otherwise": 1}, because="A"), "home": bins({"missing": 1, None: 2}, because="A")}),
     "hold for a missing value"),
    (lambda: made({"other": bins({"< 5": 1}, because="A")}), "reads 'other', and is not given it"),
    (lambda: scorecard({"a": bins({"< 1": 1}, because="x")}, of={"a": Loose.years, "b": Loose.years}),
     "has no characteristic 'b'"),
    (lambda: scorecard({"a": bins({"< 1": 1}, because="x")}, of=[]), "has 1 characteristics. Seen: 0 in of="),
    (lambda: scorecard({"a": {"< 1": 1}}, of=[Loose.years]), "is not made by bins"),  # type: ignore[dict-item]
    (lambda: scorecard({}, of=[]), "has no characteristics"),
    (lambda: bins({}, because="A"), "bins takes points by cell"),
    (lambda: bins({"< 5": 1}, because=" "), "says why points are lost, in words"),
    (lambda: made(scaling=None).probability, "stand for no odds"),
    (lambda: made(baseline="best"), "baseline is one of max, min, mean"),
    (lambda: made(baseline="mean"), "they are not counted here"),
    (lambda: made(reasons=-1), "reasons is how many are given"),
    (lambda: made(higher="up"), "More points are better, or worse"),
    (lambda: made(higher="worse"), "Where more points are worse, pdo is below zero"),
    (lambda: Scaling(0, 600, 50), "No points double no odds"),
    (lambda: Scaling(20, 600, -1), "Odds are above zero"),
    (lambda: Scaling(20, math.inf, 1), "base_points is a number"),
    (lambda: made().evaluate({"aged": 3}), "has no characteristic 'aged'"),
    (lambda: made().evaluate({"age": "x"}), "reads age as int. Seen: 'x' (str)"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_mistakes_are_told_with_their_place(case: int) -> None:
    make, said = WRONG[case]
    with pytest.raises(FlowError) as caught:
        make()
    assert said in str(caught.value)


def test_money_of_another_currency_is_refused_when_the_class_is_made() -> None:
    parts = {"amount": bins({"< 5 USD": 1, ">= 5 USD": 2}, because="A")}
    with pytest.raises(FlowError, match="another currency"):

        class Wrong(Flow[Application]):
            currency = "EUR"
            points = scorecard(parts, of=[Application.amount])

    class Right(Flow[Application]):
        points = scorecard(parts, of=[Application.amount])

    assert Right.definition.currency == "USD"
    one = decided(Right, applied(amount=usd(3)), applied(1, amount=eur(3)))
    assert [d.scorecards[0].points for d in one] == [1.0, None]
