"""A change that brings a model as a file: what was signed carries its bytes, is compared, released and taken back."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.conftest import typed as run
from tests.runtimes.test_model_files import lightgbm_file, onnx_file, pmml_file
from tidegate import Engine
from tidegate.releases.bundle import read_bundle
from tidegate.releases.register import Register
from tidegate.runtimes.serve.released import Released

OLD = '''
from tidegate import Event, Flow, decline, entity, model

Card = entity("card")


class Spent(Event):
    """A payment."""

    card: Card
    amount: float
    hour: float


class Night(Flow[Spent]):
    """Stop thieves at night."""

    signed_by = ("business",)
    {line}
    stop = decline({when}, because="As thieves spend")
'''
FILES = {"night.pmml": pmml_file, "night.txt": lightgbm_file, "night.onnx": onnx_file}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.py").write_text(OLD.format(line="", when="Spent.amount > 900"))
    for name, role, by in (("ana", "business", ""), ("cleo", "AI", "ana")):
        assert run("people", "add", name, "--role", role, *(("--as", by) if by else ())).exit_code == 0
    rows = {"id": [f"s{k}" for k in range(40)], "card": ["c"] * 40, "amount": [30.0 * k for k in range(40)]}
    rows |= {"hour": [float(k % 24) for k in range(40)]}
    at = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 2, 15), "1h", time_zone="UTC", eager=True)
    pl.DataFrame(rows).with_columns(at=at).write_parquet("past.parquet")
    return tmp_path


def said(*words: object) -> Any:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


def let_out(place: str, *more: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said("propose", place, *more, "--as", "cleo", "--why", "because", "--json"))
    signed = run("sign", found["id"], "--as", "ana")
    assert signed.exit_code == 0 and ("--override --why" in signed.output) == bool(found["reasons_lacking"])
    if found["reasons_lacking"]:
        for short in ((), ("--override",), ("--why", "A pilot"), ("--override", "--why", " ")):
            told = refused("release", found["id"], "--as", "ana", *short)
            assert "fall short or were never measured" in told and "--override --why" in told
        said("release", found["id"], "--as", "ana", "--override", "--why", "A pilot, watched daily")
        assert "A pilot, watched daily" in said("history", "--json")
    else:
        said("release", found["id"], "--as", "ana")
    return found


def live(folder: Path) -> Any:
    made = Released(folder / "releases.db", "Night", None, folder / "tidegate.db", explain=False).flow()
    assert made is not None
    return made


def answers(flow: Any) -> list[Any]:
    engine = Engine(flow)
    found = []
    for k in (1, 20, 39):
        event = {"id": f"e{k}", "at": "2026-01-03T01:00:00Z", "card": "c", "amount": 30.0 * k, "hour": 3.0}
        answer = json.loads(engine.decide_json(json.dumps(event).encode()))
        found.append((answer["outcome"], [one["score"] for one in answer.get("models", [])]))
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_model_s_file_is_released_and_taken_back_with_its_flow(name: str, folder: Path) -> None:
    let_out("old.py")
    before = answers(live(folder))
    (folder / "new").mkdir()
    FILES[name](folder / "new")
    content = (folder / "new" / name).read_bytes()
    line = f'risk = model("{name}", of=[Spent.amount, Spent.hour], otherwise=0.0)'
    (folder / "new" / "flow.py").write_text(OLD.format(line=line, when="risk > 0.3"))
    event = {"id": "a", "at": "2026-01-03T01:00:00Z", "card": "c", "amount": 1.0, "hour": 9.0}
    cases = [{"name": "day", "events": [event], "outcome": "approve"}]
    (folder / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    made = let_out("new/flow.py", "past.parquet", "--suite", "cases.jsonl")
    assert made["suite"]["cases"] == 1 and not made["suite"].get("failed")
    assert made["summary"] != "not compared with anything"
    (reference,) = made["reasons_lacking"]
    assert reference.startswith(name)
    with Register.open(folder / "releases.db", read_only=True) as register:
        bundle = read_bundle(register.store.get_artefact(bytes.fromhex(made["bundle"]))[1])
    assert bundle.files[name] == content
    right = answers(live(folder))
    assert all(scores for _, scores in right) and right != before
    for path in sorted((folder / "new").iterdir()):  # what is live is what was signed, whatever becomes of the files
        path.unlink() if path.is_file() else None
    assert answers(live(folder)) == right
    said("rollback", "Night", "--as", "ana", "--why", "Too many")
    assert answers(live(folder)) == before
    said("rollback", "Night", "--as", "ana", "--why", "It was right", "--to", made["id"])
    assert answers(live(folder)) == right


@pytest.mark.parametrize(("name", "why"), [("night.pmml", "neither is measured"), ("night.txt", "never measured")])
def test_a_proposal_says_which_models_reasons_nobody_measured(name: str, why: str, folder: Path) -> None:
    FILES[name](folder)
    line = f'risk = model("{name}", of=[Spent.amount, Spent.hour], otherwise=0.0)'
    (folder / "flow.py").write_text(OLD.format(line=line, when="risk > 0.3"))
    told = said("propose", "flow.py", "--as", "cleo", "--why", "because")
    assert f"{name}@" in told and why in told and "its release needs --override and --why" in told
    assert why in " ".join(said("check", "flow.py").split())
    (one,) = json.loads(said("check", "flow.py", "--json"))["models"]
    assert why in one["reasons_lacking"][0]


def test_what_is_lacking_of_a_stored_model_is_asked_once(folder: Path) -> None:
    """A flow that names a version goes round no alias; one that names an alias rests on who set it, and said why."""
    lightgbm_file(folder)
    said("models", "add", "night.txt", "night@1", "--alias", "champion", "--override", "--why", "Its makers did")
    for reference, short in (("night@1", ["night@1"]), ("night@champion", [])):
        line = f'risk = model("{reference}", of=[Spent.amount, Spent.hour], otherwise=0.0)'
        (folder / "flow.py").write_text(OLD.format(line=line, when="risk > 0.3"))
        made = json.loads(said("propose", "flow.py", "--as", "cleo", "--why", "because", "--json"))
        assert list(made["reasons_lacking"]) == short


@pytest.mark.parametrize(
    ("name", "why"), [("night.pmml", "reason codes of its own points"), ("night.onnx", "typical row")]
)
def test_a_model_whose_reasons_cannot_be_measured_is_promoted_only_with_a_word(
    name: str, why: str, folder: Path
) -> None:  # fmt: skip
    FILES[name](folder)
    assert why in refused("models", "add", name, "night@1", "--alias", "champion")
    said("models", "add", name, "night@1", "--alias", "champion", "--override", "--why", "Its makers measured it")
    assert why in refused("models", "add", name, "night@2", "--alias", "champion")
    said("models", "add", name, "night@2")
    told = refused("models", "promote", "night@2")
    assert why in told and "--override --why" in told
    said("models", "promote", "night@2", "--override", "--why", "The card was validated by hand")
    said("models", "rollback", "night")
