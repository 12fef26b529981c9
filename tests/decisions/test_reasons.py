"""Reasons are of the models that a decision rests on, whichever was written first."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from tidegate import Decision, Engine, Event, Flow, Store, count, decline, entity, model, review, where
from tidegate.cli import app
from tidegate.decisions.answer import Answers
from tidegate.decisions.input_words import in_words
from tidegate.models.foreign import artefact_of
from tidegate.models.registry import Registry
from tidegate.models.tree_model import TreeModel
from tidegate.runtimes.remake import remake

Card = entity("card")


class Loan(Event):
    """A loan that is asked for."""

    card: Card
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0


class Lent(Flow[Loan]):
    """Two models, and a rule for each; the second speaks of other features."""

    low = model("low@1", of=[Loan.a], otherwise=0.0)
    high = model("high@1", of=[Loan.b, Loan.c], otherwise=0.0)
    by_low = review(low > 0.5, because="The first model says so")
    by_high = review(high > 0.5, because="The second model says so")
    both = decline((low > 0.5) & (high > 0.5), because="Both say so")
    plain = review(Loan.c > 7.0, because="No model says so")
    score = high
    alarm = Loan.c < -7.0


class Calm(Flow[Loan]):
    """A rule that reads no model."""

    low = model("low@1", of=[Loan.a], otherwise=0.0)
    plain = decline(Loan.c < 7.0, because="No model says so")


def stump(folder: Path, name: str, *features: str) -> TreeModel:
    """A model of a tree for each feature: above 1 it adds 1."""
    trees = [
        f"Tree={k}\nnum_leaves=2\nnum_cat=0\nsplit_feature={k}\nsplit_gain=1\nthreshold=1\ndecision_type=2\n"
        "left_child=-1\nright_child=-2\ninternal_count=100\nleaf_value=0 1\nleaf_count=50 50\nis_linear=0\n"
        "shrinkage=1\n\n\n"
        for k in range(len(features))
    ]
    file = folder / f"{name}.txt"
    file.write_text(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={len(features) - 1}\nobjective=regression\nfeature_names={' '.join(features)}\n"
        f"feature_infos={' '.join(['[-1:1]'] * len(features))}\ntree_sizes={' '.join(str(len(t)) for t in trees)}\n\n"
        f"{''.join(trees)}end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n\n"
        "pandas_categorical:null\n"
    )
    return TreeModel.read(file)


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Any]:
    return {"low@1": stump(tmp_path, "low", "a"), "high@1": stump(tmp_path, "high", "b", "c")}


def decided(engine: Engine, id: str, **values: float) -> Decision:
    answer = engine.decide(Loan(id=id, at=datetime(2026, 1, 1, tzinfo=UTC), card="x", **values))
    assert isinstance(answer, Decision)
    return answer


def features(decision: Decision) -> list[str]:
    return [reason.feature for reason in decision.reasons]


def test_reasons_are_of_the_model_whose_rule_decided(models: dict[str, Any]) -> None:
    engine = Engine(Lent, models=models)
    assert features(decided(engine, "1", a=2.0)) == ["a"]
    assert features(decided(engine, "2", b=2.0)) == ["b", "c"]
    both = decided(engine, "3", a=2.0, b=2.0, c=2.0)
    assert both.outcome == "decline" and features(both) == ["a", "b", "c"]


def test_where_no_rule_asked_a_model_they_are_of_the_score(models: dict[str, Any]) -> None:
    engine = Engine(Lent, models=models)
    assert features(decided(engine, "1", c=8.0, b=-1.0)) == ["b", "c"]  # `by_high` and `plain` fire: the second model
    assert features(decided(engine, "2", c=-8.0)) == ["b", "c"]  # an alarm alone


def test_an_approved_decision_has_them_where_everything_is_explained(models: dict[str, Any]) -> None:
    assert features(decided(Engine(Lent, models=models), "1")) == []
    approved = decided(Engine(Lent, models=models, explain=True), "1")
    assert approved.outcome == "approve" and features(approved) == ["b", "c"]


def test_an_approved_decision_is_explained_later(tmp_path: Path) -> None:
    models = Registry(tmp_path / "models")
    for name, features_of in (("low", ["a"]), ("high", ["b", "c"])):
        stump(tmp_path, name, *features_of)
        models.add(artefact_of((tmp_path / f"{name}.txt").read_bytes(), f"{name}@1", file=name)[0])
    with Store.open(tmp_path / "s.db") as store:
        assert features(decided(Engine(Lent, store=store, models=models), "1")) == []
    said = CliRunner().invoke(app, ["explain", "1", "--store", str(tmp_path / "s.db")])
    assert said.exit_code == 0 and "b is 0, which lowers the risk" in said.output, said.output
    told = json.loads(CliRunner().invoke(app, ["explain", "1", "--store", str(tmp_path / "s.db"), "--json"]).output)
    assert [reason["feature"] for reason in told["reasons"]] == ["b", "c"] and not told["decision"].get("reasons")
    said = CliRunner().invoke(app, ["remake", "1", "--store", str(tmp_path / "s.db")])
    assert said.exit_code == 0, said.output


class Noted(Event):
    card: Card
    note: str
    a: float


class Inline(Flow[Noted]):
    """A model of inputs that have no names of their own."""

    risk = model(
        "risk@1", of=[Noted.note, where(Noted.a > 1.0, 5.0, 0.0), count(per=Card, last="1d") * 2], otherwise=0.0
    )
    always = review(Noted.a >= 0.0, because="All")


def test_inputs_without_a_name_and_empty_texts_are_told_in_words(tmp_path: Path) -> None:
    ((names,),) = [[one.names for one in segment.models] for segment in Inline.plan.segments if segment.models]
    forest = stump(tmp_path, "risk", "f0", "f1", "f2").forest
    given = TreeModel(forest, features=names, categories={names[0]: ("", "b ", "c")})
    engine = Engine(Inline, models={"risk@1": given})

    def said(id: str, note: str) -> dict[str, str]:
        answer = engine.decide(Noted(id=id, at=datetime(2026, 1, 1, tzinfo=UTC), card="x", note=note, a=2.0))
        assert isinstance(answer, Decision)
        return {reason.feature: reason.words for reason in answer.reasons}

    assert said("1", "") == {
        names[0]: "note is an empty text, which lowers the risk",
        names[1]: '"5.0 if a > 1.0, else 0.0" is 5, which raises the risk',
        names[2]: "(the number of events per Card in 1d) * 2 is 0, which lowers the risk",
    }
    assert said("2", "b ")[names[0]] == 'note is "b ", which lowers the risk'
    engine.rows.answers = Answers(engine.decider, edition=4)
    assert said("3", "") == {
        names[0]: f"{names[0]} is , which lowers the risk",
        names[1]: f"{names[1]} is 5, which raises the risk",
        names[2]: f"{names[2]} is 4, which raises the risk",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Paid.amount", "amount"),
        ("times_usual", "times_usual"),
        ("where(Paid.amount > money('50.00 EUR'), 'big', 'small')", '"big if amount > 50.00 EUR, else small"'),
        ("Paid.amount / mean(Paid.amount, per=Card, last='30d')", "amount / (the mean of amount per Card in 30d)"),
        ("count(Login, per=(Card, Shop), last='1d', where=~Login.ok)",
         "the number of Login per Card and Shop in 1d where (not ok)"),
        ("mode(Paid.land, per=Card, last='9d').otherwise('none')",
         '"the most frequent land per Card in 9d, or none where it is missing"'),
        ("hour(Paid.at, 'Europe/Berlin')", "hour of at in Europe/Berlin"),
        ("round_(Paid.amount / 7, 2)", "(amount / 7) rounded to 2 digits"),
        ("(Paid.a == 1) & ~Paid.b", "(a is 1) and (not b)"),
        ("Age.Group", "Age.Group"),
        ("a b", "a b"),
        ("", ""),
        ("(" * 500, "(" * 500),
        ("nth_previous(Paid.a, 2, per=Card, last='1d')", "nth_previous(Paid.a, 2, per=Card, last='1d')"),
    ],
)  # fmt: skip
def test_an_expression_in_words(text: str, told: str) -> None:
    assert in_words(text, {"Paid", "Login"}) == told


def test_what_an_edition_before_answered_is_remade_to_the_letter(
    tmp_path: Path, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidegate.runtimes import journal

    made = journal.make_records

    def older(record: bytes) -> bytes:
        parts = msgspec.msgpack.decode(record)
        parts[4] = 3
        return msgspec.msgpack.encode(parts)

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Lent, store=store, models=models)
        newest, engine.rows.answers = engine.rows.answers, Answers(engine.decider, edition=3)
        monkeypatch.setattr(journal, "make_records", lambda *given: [older(record) for record in made(*given)])
        old = decided(engine, "old", b=2.0)
        assert features(old) == ["a"]
        engine.rows.answers = newest
        monkeypatch.undo()
        new = decided(engine, "new", b=2.0)
        assert features(new) == ["b", "c"]
        monkeypatch.setattr("tidegate.runtimes.remake.verified", lambda _, reference, *__: _Loaded(models[reference]))
        remade = {id: remake(store, id) for id in ("old", "new")}
        assert {id: one.difference for id, one in remade.items()} == {"old": "", "new": ""}


def test_a_server_gives_reasons_before_it_is_ready(models: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made up to warm a server is mostly approved; the first that is not must not wait for kernels either."""
    from tidegate.decisions.reasons import Reasons
    from tidegate.runtimes.serve.server import warm

    asked, of = list[int](), Reasons.of

    def counted(self: Reasons, row: int) -> Any:
        found = of(self, row)
        asked.append(len(found))
        return found

    monkeypatch.setattr(Reasons, "of", counted)
    warm(Calm, models, explain=False)
    assert asked and max(asked)


def test_explain_says_so_where_every_reason_speaks_against_the_decision(
    tmp_path: Path, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Calm, store=store, models=models)
        for id, value in (("calm", 0.0), ("wild", 2.0)):
            made = engine.decide(Loan(id=id, at=datetime(2026, 1, 1, tzinfo=UTC), card="c", a=value))
            assert isinstance(made, Decision) and made.outcome == "decline" and made.reasons
    words = ["--store", str(tmp_path / "s.db")]
    said = {id: CliRunner().invoke(app, ["explain", id, *words]).output for id in ("calm", "wild")}
    assert "Each of these lowers the risk" in said["calm"] and "Each of these" not in said["wild"]


class _Loaded:
    def __init__(self, loaded: TreeModel) -> None:
        self._loaded = loaded

    def model(self) -> TreeModel:
        return self._loaded
