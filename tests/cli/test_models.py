"""Which model decides is changed when someone says so, listed, and undone."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.cli.conftest import typed
from tests.models.test_lightgbm_text import trained
from tests.models.test_registry import artefact
from tests.runtimes.test_replay_commands import EUROS, FLOW
from tests.runtimes.test_training_set import events
from tidegate.errors import ModelError
from tidegate.models.registry import Registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "risky.py").write_text(FLOW)
    events().write_parquet("paid.parquet")
    return tmp_path


WHY = ("--override", "--why", "Four features, all of them told")


def train(*more: object) -> dict[str, object]:
    done = typed("train", "risky.py", "f.parquet", "--rounds", 10, "--json", *more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_only_the_first_model_becomes_champion_unasked(folder: Path) -> None:
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    assert train(*WHY)["aliases"] == ["risk@champion"]
    assert (train(*WHY)["aliases"], Registry("models").resolve("risk@champion").version) == ([], "1")
    assert train("--alias", "challenger", *WHY)["aliases"] == ["risk@challenger"]
    assert Registry("models").resolve("risk@champion").version == "1"
    assert train("--promote", *WHY)["asked_stands_for"] == "risk@4"
    said = typed("train", "risky.py", "f.parquet", "--rounds", 10)
    assert "precision when the 0.1 % with the highest scores are alerted on" in " ".join(said.stdout.split())
    assert "still stands for risk@4" in said.stdout and "models promote risk@5" in said.stderr

    listed = json.loads(typed("models", "--json").stdout)["models"]
    assert [one["model"] for one in listed] == [f"risk@{n}" for n in range(1, 6)]
    assert listed[3]["aliases"] == ["champion"] and listed[2]["aliases"] == ["challenger"]
    assert listed[0]["features"] == ["amount", "payments_1h", "shop_risk", "Paid.country"]
    assert listed[0]["metrics"]["average_precision"] > 0
    shown = typed("models")
    assert shown.exit_code == 0 and "risk@5" in shown.stdout and "champion" in shown.stdout

    assert "stands for risk@5, no longer for risk@4" in typed("models", "promote", "risk@5", *WHY).stdout
    assert "stands for risk@4" in typed("models", "rollback", "risk").stdout
    assert "stands for risk@1" in typed("models", "rollback", "risk@champion").stdout
    refused = typed("models", "rollback", "risk@champion")
    assert refused.exit_code == 2 and "has stood for no other version" in refused.stderr


def test_no_alias_not_even_a_new_one_stands_for_a_model_whose_reasons_fall_short(folder: Path) -> None:
    """Of four features that are much alike, none is what the score hangs on."""
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    done = typed("train", "risky.py", "f.parquet", "--rounds", 10)
    said = " ".join(done.stderr.split())
    assert done.exit_code == 0 and "Its reasons fall short: deletion 1." in said, said
    assert "models promote risk@1" in said and '--override --why "…"' in said
    for words in (("--alias", "new"), ("--promote",), ("--override",), ("--alias", "new", "--override", "--why", " ")):
        refused = typed("train", "risky.py", "f.parquet", "--rounds", 10, *words)
        assert refused.exit_code == 2 and "fall short, so it is not promoted" in " ".join(refused.stderr.split())
    assert typed("models", "promote", "risk@1", "--to", "newer").exit_code == 2
    registry = Registry("models")
    assert registry.aliases("risk") == {}
    typed("models", "promote", "risk@1", *WHY)
    assert registry.resolve("risk@champion").why.startswith("Four features, all of them told (deletion 1.")


def test_a_model_no_better_than_chance_is_told_and_does_not_decide(folder: Path) -> None:
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    frame = pl.read_parquet("f.parquet")
    coins = np.random.default_rng(1).random(frame.height) < 0.2
    frame.with_columns(pl.Series("fraud", coins)).write_parquet("f.parquet")
    done = typed("train", "risky.py", "f.parquet", "--rounds", 10)
    assert done.exit_code == 0 and "no better than chance" in done.stderr and "a coin has 0.5" in done.stderr
    assert Registry("models").aliases("risk") == {}
    facts = train()
    assert facts["aliases"] == [] and facts["no_better_than_chance"]
    refused = typed("train", "risky.py", "f.parquet", "--rounds", 10, "--promote")
    assert refused.exit_code == 2 and "no better than chance, so it is not promoted" in refused.stderr
    why = ("--override", "--why", "to try the plumbing")
    assert typed("models", "promote", "risk@1", *why).exit_code == 0


def test_a_model_that_is_too_good_is_doubted(folder: Path) -> None:
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    assert "too good" not in typed("train", "risky.py", "f.parquet", "--rounds", 10).stderr
    frame = pl.read_parquet("f.parquet")
    told = pl.when(pl.col("fraud")).then(1e6).otherwise(1.0)
    frame.with_columns(told.alias("amount")).write_parquet("f.parquet")
    done = typed("train", "risky.py", "f.parquet", "--rounds", 10)
    said = " ".join(done.stderr.split())
    assert done.exit_code == 0 and "too good to be likely: average precision 1.0000 and ROC AUC 1.0000" in said
    assert "Look first at amount." in said


def test_what_is_no_training_set_is_told(folder: Path) -> None:
    told = typed("train", "risky.py", "logins.csv")
    assert told.exit_code == 2 and "tidegate features FLOW logins.csv --to features.parquet" in told.stderr


def test_an_alias_of_a_deleted_version_says_so(folder: Path) -> None:
    registry = Registry("models")
    registry.add(artefact("1"), alias="champion", override=True, why="A test's model")
    registry.add(artefact("2", trained(num_leaves=5)))
    registry.point("card-risk@champion", "2")
    shutil.rmtree("models/models/card-risk@2")
    with pytest.raises(ModelError, match=r"card-risk@2 .* card-risk@champion stands for it") as found:
        registry.model("card-risk@champion")
    assert "tidegate models promote card-risk@1" in found.value.do and "Did you mean" not in found.value.do
    assert "card-risk@champion stands for card-risk@2, which is not there" in typed("models").stderr.replace("\n", " ")
    assert registry.roll_back("card-risk@champion").version == "1"
    registry.point("card-risk@champion", "1")
    shutil.rmtree("models/models/card-risk@1")
    with pytest.raises(ModelError, match="no other version"):
        registry.roll_back("card-risk@champion")


def test_a_rollback_goes_to_the_very_model(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.add(artefact("1"), alias="champion", override=True, why="A test's model")
    registry.add(artefact("2", trained(num_leaves=5)))
    registry.point("card-risk@champion", "2")
    for name, content in artefact("1", trained(num_leaves=5)).files().items():
        (tmp_path / "models" / "card-risk@1" / name).write_bytes(content)
    with pytest.raises(ModelError, match="not the one that was meant"):
        registry.roll_back("card-risk@champion")


def test_a_flow_with_another_feature_gets_its_training_set(folder: Path) -> None:
    assert typed("features", "risky.py", "paid.parquet", *EUROS, "--to", "f.parquet").exit_code == 0
    train(*WHY)
    Path("wider.py").write_text(FLOW.replace("shop_risk, Paid.country]", "shop_risk, Paid.country, logins_1h]"))
    for words in (("replay", "wider.py", "paid.parquet", *EUROS), ("check", "wider.py")):
        refused = typed(*words)
        said = " ".join(refused.stderr.split())
        assert refused.exit_code == 2 and "risk@champion is of other features" in said
        assert "train again: tidegate features FLOW FILE" in said
    made = typed("features", "wider.py", "paid.parquet", *EUROS, "--to", "w.parquet")
    assert made.exit_code == 0, made.output
    assert "risk@champion was left out" in made.stderr.replace("\n", " ")
    done = typed("train", "wider.py", "w.parquet", "--rounds", 10, "--promote", *WHY)
    assert done.exit_code == 0, done.output
    assert typed("replay", "wider.py", "paid.parquet", *EUROS).exit_code == 0


def test_a_table_without_a_column_says_how_many_it_has(folder: Path) -> None:
    wide = events(50).with_columns(**{f"x{n}": n for n in range(30)})
    wide.write_parquet("wide.parquet")
    said = " ".join(typed("train", "risky.py", "wide.parquet").stderr.split())
    assert f"and {wide.width - 20} more" in said and "write it again with `tidegate features`" in said


def test_what_there_is_is_told_where_nothing_or_something_else_is_asked_for(folder: Path) -> None:
    assert "tidegate models add, promote, rollback" in typed("models").stderr
    wrong = typed("models", "promot")
    told = " ".join(wrong.stderr.replace("│", " ").split())
    assert wrong.exit_code == 2 and "Did you mean promote? There are: add, promote, rollback." in told
    assert typed("models", "--json").stderr == ""


def test_only_what_is_whole_and_not_champion_is_proposed(folder: Path) -> None:
    registry = Registry("models")
    registry.add(artefact("1"), alias="champion", override=True, why="A test's model")
    assert "models promote" not in typed("models").stderr
    registry.add(artefact("2", trained(num_leaves=5)))
    assert "tidegate models promote card-risk@2" in typed("models").stderr
    Path("models/models/card-risk@2/model.txt").unlink()
    told = typed("models").stderr
    assert "card-risk@2 is damaged" in told and "models promote" not in told


def test_an_alias_that_is_gone_or_damaged_is_told_with_the_command_that_sets_it(folder: Path) -> None:
    from tidegate.runtimes.models import require_models

    registry = Registry("models")
    registry.add(artefact("1"), alias="champion", override=True, why="A test's model")
    alias = Path("models/aliases/card-risk@champion")
    alias.write_bytes(b"{")
    do = "`tidegate models promote card-risk@1`"
    with pytest.raises(ModelError, match="is damaged") as found:
        registry.model("card-risk@champion")
    assert do in found.value.do
    alias.unlink()
    with pytest.raises(ModelError, match="no model card-risk@champion") as found:
        registry.model("card-risk@champion")
    assert do in found.value.do and "Did you mean" not in found.value.do
    with pytest.raises(ModelError, match="no model card-risk@live") as found:
        Registry(folder / "models").model("card-risk@live")
    assert f"promote card-risk@1 --to live --models {folder / 'models'}`" in found.value.do
    asks: Any = SimpleNamespace(models=[SimpleNamespace(artefact=None, reference="card-risk@champion")])
    with pytest.raises(ModelError, match="is not in models") as found:
        require_models(asks, "models")
    assert do in found.value.do and "--without-models" in found.value.do


@pytest.mark.parametrize("content", ["", "0\n", "x" * 64])
def test_a_damaged_digest_is_called_so(folder: Path, content: str) -> None:
    Registry("models").add(artefact("1"))
    Path("models/models/card-risk@1/digest").write_text(content)
    with pytest.raises(ModelError, match="The digest of the stored model"):
        Registry("models").artefact("card-risk@1")
