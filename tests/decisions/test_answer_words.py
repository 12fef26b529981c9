"""The words of an answer: a model's reasons in their units, amounts that the flow cannot read, and old editions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import typed
from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    ListChange,
    Money,
    Store,
    decline,
    entity,
    entity_list,
    eur,
    mean,
    model,
    review,
    since_last,
    total,
    usd,
)
from tidegate.decisions.answer import EDITION, Answers
from tidegate.events.durations import spoken
from tidegate.models.explanation import Words
from tidegate.models.tree_model import TreeModel
from tidegate.runtimes import journal as journal_module
from tidegate.runtimes.records import edition_of
from tidegate.runtimes.remake import remake

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["spent", "usual", "quiet", "online", "when", "tries"]


class Payment(Event):
    card: Card
    amount: Money
    fee: Money | None
    online: bool
    tries: int


class Judged(Flow[Payment]):
    spent = total(Payment.amount, per=Card, last="1d")
    usual = mean(Payment.amount, per=Card, last="1d")
    quiet = since_last(per=Card, last="30d")
    online = Payment.online == True  # noqa: E712
    when = Payment.at
    tries = Payment.tries
    risk = model("risk@champion", of=[spent, usual, quiet, online, when, tries], otherwise=0.5)
    big = decline(Payment.amount > eur(10), because="Big")
    dear = review((Payment.fee > eur(1)).otherwise(False), because="A dear fee")
    always = review(Payment.tries >= 0, because="All of them")


def stumps(folder: Path) -> TreeModel:
    """A model of six trees, one for each feature, so that each has its contribution."""
    trees = [
        f"Tree={k}\nnum_leaves=2\nnum_cat=0\nsplit_feature={k}\nsplit_gain=1\nthreshold={limit}\ndecision_type=2\n"
        "left_child=-1\nright_child=-2\ninternal_count=100\nleaf_value=-1 1\nleaf_count=50 50\nis_linear=0\n"
        "shrinkage=1\n\n\n"
        for k, limit in enumerate([1.5, 1.5, 1.5, 0.5, 1.5, 1.5])
    ]
    file = folder / "model.txt"
    file.write_text(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=5\n"
        f"objective=regression\nfeature_names={' '.join(NAMES)}\nfeature_infos={' '.join(['[-1:1]'] * 6)}\n"
        f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}\n\n{''.join(trees)}end of trees\n\n"
        "feature_importances:\n\nparameters:\n\nend of parameters\n\npandas_categorical:null\n"
    )
    return TreeModel.read(file)


def payment(id: str, seconds: int = 0, amount: Money | None = None, fee: Money | None = None) -> Payment:
    at = START + timedelta(seconds=seconds)
    return Payment(id=id, at=at, card="c", amount=amount or eur("12.50"), fee=fee, online=True, tries=1234)


def decided(engine: Engine, event: Event) -> Decision:
    answer = engine.decide(event)
    assert isinstance(answer, Decision)
    return answer


def words(engine: Engine, most: int) -> dict[str, tuple[Any, str]]:
    """The reasons for a second payment, by feature; a rule of ours lets all of them through."""
    engine.decide(payment("a"))
    decision = decided(engine, payment("b", most))
    return {reason.feature: (reason.value, reason.words) for reason in decision.reasons}


def test_reasons_have_their_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Words.of_rows
    monkeypatch.setattr(Words, "of_rows", lambda *given: whole(*given, most=9))
    found = words(Engine(Judged, models={"risk@champion": stumps(tmp_path)}), 5400)
    assert found == {
        "spent": ("12.50 EUR", "spent is 12.50 EUR, which raises the risk"),
        "usual": ("12.50 EUR", "usual is 12.50 EUR, which raises the risk"),
        "quiet": (5400.0, "quiet is 90 min, which raises the risk"),
        "online": (1.0, "online is yes, which raises the risk"),
        "when": ("2026-01-01T01:30:00Z", "when is 2026-01-01T01:30:00Z, which raises the risk"),
        "tries": (1234.0, "tries is 1,234, which raises the risk"),
    }


@pytest.mark.parametrize(
    ("us", "said"),
    [
        (0, "0 µs"), (999, "999 µs"), (1500, "1.5 ms"), (10**6, "1 s"), (118 * 10**6, "118 s"), (119.5e6, "120 s"),
        (7200 * 10**6, "2 h"), (36 * 3600 * 10**6, "36 h"), (3 * 86400 * 10**6, "3 days"), (-5400 * 10**6, "-90 min"),
        (2000 * 86400 * 10**6, "2,000 days"),
    ],
)  # fmt: skip
def test_durations_as_people_say_them(us: float, said: str) -> None:
    assert spoken(us) == said


@given(st.floats(1, 1e17))
def test_a_duration_said_is_the_duration_to_three_digits(us: float) -> None:
    many, unit = spoken(us).replace(",", "").split(" ")
    size = {"µs": 1, "ms": 1e3, "s": 1e6, "min": 60e6, "h": 3600e6, "days": 86400e6}[unit]
    assert np.isclose(float(many) * size, us, rtol=0.006)


def test_an_amount_in_another_currency_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Judged, store=store)
        dollars = decided(engine, payment("a", amount=usd("20.5"), fee=eur(2)))
        assert dollars.unknown == ("big",) and [rule.rule for rule in dollars.rules] == ["dear", "always"]
        assert dollars.unread == ("amount is 20.50 USD, which cannot be compared with EUR: it counts as missing",)
        both = decided(engine, payment("b", amount=Money.of(2000, "JPY"), fee=usd(9)))
        assert [line.split(",")[0] for line in both.unread] == ["amount is 2000 JPY", "fee is 9.00 USD"]
        assert not decided(engine, payment("c")).unread  # no fee is no foreign fee
        for id in "abc":
            assert remake(store, id).equal


def test_a_field_of_one_currency_needs_no_words() -> None:
    from typing import Annotated

    from tidegate import Field

    class Dollars(Event):
        card: Card
        amount: Annotated[Money, Field(currency="USD")]

    class Fixed(Flow[Dollars]):
        big = decline(Dollars.amount > usd(10), because="Big")

    decision = Engine(Fixed).decide(Dollars(id="a", at=START, card="c", amount=usd(20)))
    assert isinstance(decision, Decision) and not decision.unread and decision.outcome == "decline"


def test_what_the_first_edition_answered_is_remade_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers as they were before words had units, with the record of that time: an array of four."""

    def first(*given: Any) -> list[bytes]:
        records: list[list[Any]] = [msgspec.msgpack.decode(record) for record in made(*given)]
        return [msgspec.msgpack.encode(record[:4]) for record in records]

    made = journal_module.make_records
    loaded = stumps(tmp_path)
    loaded.files = {}
    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Judged, store=store, models={"risk@champion": loaded})
        monkeypatch.setattr(journal_module, "make_records", first)
        newest, engine.rows.answers = engine.rows.answers, Answers(engine.decider, edition=1)
        old = words(engine, 5400)
        assert old["quiet"] == (5400.0, "quiet is 5,400,000,000, which raises the risk")
        foreign = decided(engine, payment("c", 5500, amount=usd(20)))
        assert foreign.unknown and not foreign.unread
        monkeypatch.undo()
        engine.rows.answers = newest
        engine.decide(payment("d", 5600, amount=usd(20)))
        editions = {id: edition_of(store.get(id).record) for id in "abcd"}  # type: ignore[union-attr]
        assert editions == {"a": 1, "b": 1, "c": 1, "d": EDITION}
        monkeypatch.setattr("tidegate.runtimes.remake.verified", lambda *_: _Loaded(loaded))
        assert {id: remake(store, id).difference for id in "abcd"} == dict.fromkeys("abcd", "")


class Listed(Flow[Payment]):
    blocked = entity_list("blocked-cards", Card)
    watched = entity_list("watched", Card).has(Payment.card)
    stolen = decline(blocked.has(Payment.card) & (Payment.tries > 0), because="Stolen")
    known = review(watched, because="Watched")


def test_what_a_rule_saw_of_a_list_is_in_words_and_older_answers_are_remade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = journal_module.make_records

    def older(*given: Any) -> list[bytes]:
        records: list[list[Any]] = [msgspec.msgpack.decode(record) for record in made(*given)]
        return [msgspec.msgpack.encode([*record[:4], 5, *record[5:]]) for record in records]

    with Store.open(tmp_path / "a.db") as store:
        engine = Engine(Listed, store=store)
        for name in ("blocked-cards", "watched"):
            engine.learn(ListChange(id=name, at=START, list=name, key="c", listed=True))
        newest, engine.rows.answers = engine.rows.answers, Answers(engine.decider, edition=5)
        monkeypatch.setattr(journal_module, "make_records", older)
        old = decided(engine, payment("old"))
        monkeypatch.undo()
        engine.rows.answers = newest
        new = decided(engine, payment("new"))
        code = "entity_list('blocked-cards', Card).has(Payment.card)"
        assert [dict(rule.saw) for rule in old.rules] == [{code: True, "Payment.tries": 1234}, {"watched": True}]
        said = [{"card is on blocked-cards": True, "Payment.tries": 1234}, {"watched": True}]
        assert [dict(rule.saw) for rule in new.rules] == said
        assert {id: remake(store, id).difference for id in ("old", "new")} == {"old": "", "new": ""}
        old = store.get("old")
        assert old is not None and edition_of(old.record) == 5


class _Loaded:
    def __init__(self, loaded: TreeModel) -> None:
        self._loaded = loaded

    def model(self) -> TreeModel:
        return self._loaded


FLOW = '''"""A flow."""

from tidegate import Event, Flow, Money, decline, entity, eur

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Money


class Big(Flow[Payment]):
    big = decline(Payment.amount > eur(10), because="Big")
'''


def test_check_and_explain_say_that_currencies_do_not_compare(tmp_path: Path) -> None:
    def tidegate(*words: object) -> str:
        done = typed(*words)
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    (tmp_path / "f.py").write_text(FLOW)
    said = tidegate("check", tmp_path / "f.py")
    assert "Payment.amount takes amounts in any currency." in said and 'Field(currency="EUR")' in said
    (tmp_path / "g.py").write_text(
        FLOW.replace("amount: Money", 'amount: Annotated[Money, Field(currency="EUR")]').replace(
            "from tidegate import ", "from typing import Annotated\nfrom tidegate import Field, "
        )
    )
    assert "any currency" not in tidegate("check", tmp_path / "g.py")
    event = '{"id":"a","at":"2026-01-01T00:00:00Z","card":"c","amount":"20.00 USD"}\n'
    (tmp_path / "p.ndjson").write_text(event)
    tidegate("replay", tmp_path / "f.py", tmp_path / "p.ndjson", "--store", tmp_path / "s.db")
    said = tidegate("explain", "a", "--store", tmp_path / "s.db")
    assert "not read: amount is 20.00 USD, which cannot be compared with EUR: it counts as missing" in said
