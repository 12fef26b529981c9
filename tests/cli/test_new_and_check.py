"""`tidegate new` makes a flow that runs; `tidegate check` says what a flow is; help is quick."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.connectors.store import Store
from tidegate.runtimes.engine import Engine
from tidegate.solutions.card_fraud import CardFraud

from .conftest import Demo, typed


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    result = typed("new", "card-watch", "--in", folder, "--rows", 800)
    assert result.exit_code == 0, result.output
    assert "tidegate check card_watch.py" in result.stderr
    assert "tidegate serve card_watch.py --without-models\n" in result.stderr, "without it the server does not start"
    return folder / "card-watch"


def test_what_new_makes_can_be_checked(made: Path) -> None:
    result = typed("check", made / "card_watch.py", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["flow"] == "CardWatch"
    assert told["models"] == [
        {"reference": "card-watch-risk@champion", "features": 9, "otherwise": 0.0, "digest": None}
    ]
    assert {rule["outcome"] for rule in told["rules"]} == {"approve", "review", "decline"}


def test_its_model_is_given_amounts_as_money_so_that_reasons_are_in_the_currency(made: Path) -> None:
    from tidegate.events.types import Kind
    from tidegate.runtimes.load import load_flow

    (asked,) = load_flow(made / "card_watch.py").definition.models
    assert asked.args[0].type.kind is Kind.MONEY and asked.args[0].type.currency == "EUR"


def test_what_serves_is_said_while_there_is_no_model(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    for words in (("check", "card_watch.py"), ("replay", "card_watch.py", "payments.csv")):
        result = typed(*words)
        assert result.exit_code == 0, result.output
        assert "tidegate serve card_watch.py --without-models\n" in result.stderr, words


def test_its_sample_keeps_its_contract(made: Path) -> None:
    from tidegate.connectors.files import read
    from tidegate.runtimes.load import load_flow

    flow = load_flow(made / "card_watch.py")
    chunks = list(read(made / "payments.csv", flow.definition.event))
    assert sum(chunk.frame.height for chunk in chunks) > 500
    assert not any(chunk.refused for chunk in chunks)


def test_new_does_not_write_over_anything(made: Path) -> None:
    result = typed("new", "card-watch", "--in", made.parent)
    assert result.exit_code == 2
    assert "exists already" in result.stderr


@pytest.mark.parametrize("name", ["9lives", "a b", "../up", ""])
def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    result = typed("new", name, "--in", tmp_path)
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_check_says_what_a_flow_is(demo: Demo) -> None:
    result = typed("check", "card_fraud", "--models", demo.folder / "models")
    assert result.exit_code == 0 and "--without-models" not in result.stderr
    for words in (
        "CardFraud",
        "decides on Payment v1",
        "learns from Login v1",
        "per entity",
        "bytes",
        "at most 500",
        "found version 1",
        "financial",
    ):
        assert words in result.stdout, words


def test_check_names_a_flow_and_its_models_as_records_do(demo: Demo, tmp_path: Path) -> None:
    named = {}
    for models in (demo.folder / "models", tmp_path / "none"):
        told = json.loads(typed("check", "card_fraud", "--models", models, "--json").stdout)["program"]
        with Store.open(tmp_path / f"{models.name}.db") as kept:
            engine = Engine(CardFraud, models=models if models.is_dir() else None, store=kept)
            assert told == engine.program.hex()
        said = typed("check", "card_fraud", "--models", models).stdout
        assert f"{CardFraud.definition.digest[:12]}, in records {told[:12]} (flow and models)" in said
        named[told] = models
    assert len(named) == 2


def test_check_refuses_a_model_of_another_feature_list(demo: Demo, tmp_path: Path) -> None:
    flow = tmp_path / "fewer.py"
    flow.write_text(
        "from tidegate import Flow, model, review, units\n"
        "from tidegate.solutions.card_fraud import Payment\n\n\n"
        "class Fewer(Flow[Payment]):\n"
        "    amount = units(Payment.amount)\n"
        '    risk = model("card-risk@champion", of=[amount], otherwise=0.0)\n'
        '    odd = review(risk > 0.5, because="It is odd")\n',
        encoding="utf-8",
    )
    result = typed("check", flow, "--models", demo.folder / "models")
    assert result.exit_code == 2
    assert "card-risk" in result.stderr


@pytest.mark.parametrize("file", ["model.txt", "card.json"])
def test_check_refuses_a_model_that_was_cut_short(demo: Demo, tmp_path: Path, file: str) -> None:
    shutil.copytree(demo.folder / "models", tmp_path / "models")
    path = tmp_path / "models" / "models" / "card-risk@1" / file
    path.write_bytes(path.read_bytes()[:-40])
    result = typed("check", "card_fraud", "--models", tmp_path / "models")
    assert result.exit_code == 2
    assert "card-risk@1" in result.stderr


def test_check_prints_json_schema() -> None:
    told = json.loads(typed("check", "card_fraud", "--schema").stdout)
    assert set(told) == {"Payment", "Login", "ConfirmedFraud"}
    assert told["Payment"]["properties"]["card"]["x-personal-data"] == "financial"


def test_help_is_quick() -> None:
    """Help imports nothing that is slow to import."""
    code = (
        "import sys; from tidegate.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "slow = ('numba', 'numpy', 'polars', 'lightgbm', 'matplotlib', 'sqlite3', 'uvicorn', 'alembic', 'sqlalchemy')\n"
        "print([m for m in slow if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout[-200:]
    for command in ("new", "check", "decisions", "explain", "remake", "verify", "demo"):
        assert command in done.stdout


def test_version() -> None:
    result = typed("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("tidegate ")


def test_check_tells_totals_that_may_come_to_where_whole_numbers_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("flow.py").write_text(
        """from typing import Annotated
from tidegate import Event, Field, Flow, Money, entity, review, total
Card = entity("card")
class Payment(Event):
    card: Card
    amount: Money
    points: int
    boxes: Annotated[int, Field(ge=0, le=10_000)]
class Watch(Flow[Payment]):
    "Look at points."
    points_1d = total(Payment.points, per=Card, last="1d")
    boxes_1d = total(Payment.boxes, per=Card, last="1d")
    spent_1d = total(Payment.amount, per=Card, last="1d")
    currency = "EUR"
    many = review(points_1d > 0, because="Points")
"""
    )
    told = json.loads(typed("check", "flow.py", "--json").stdout)
    assert told["ending_totals"] == {"total(Payment.points, per=Card, last='1d')": 512}
    assert "missing where it comes to 2^62, which 512 events of the largest size do" in " ".join(
        typed("check", "flow.py").stdout.split()
    )
