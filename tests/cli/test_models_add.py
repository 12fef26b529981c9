"""`tidegate models add`: files that others saved, stored for flows."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost
from typer.testing import CliRunner

from tests.decisions.dmn.test_pmml import pmml, regression
from tests.models.onnx.made import exported, rows
from tests.models.test_lightgbm_text import TEXT
from tidegate.cli import app
from tidegate.models.registry import Registry

WHY = ("--override", "--why", "Its makers measured it")


def booster() -> xgboost.Booster:
    drawn = np.random.default_rng(1).normal(size=(300, 2))
    data = xgboost.DMatrix(drawn, drawn[:, 0] > drawn[:, 1], feature_names=["amount", "hour"])
    return xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)


def typed(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output


@pytest.mark.parametrize("ending", ["json", "ubj"])
def test_an_xgboost_file_is_stored_and_answers_as_it_did(tmp_path: Path, ending: str) -> None:
    file, made = tmp_path / f"night.{ending}", booster()
    made.save_model(file)
    code, said = typed(
        "models", "add", file, "night@1", *WHY, "--alias", "champion", "--models", tmp_path / "m", "--json"
    )
    assert code == 0, said
    fact = json.loads(said)
    assert (fact["kind"], fact["features"]) == ("xgboost", ["amount", "hour"])
    artefact = Registry(tmp_path / "m").artefact("night@champion")
    assert artefact.digest == fact["digest"] and artefact.content == file.read_bytes()
    some = np.random.default_rng(2).normal(size=(50, 2))
    wanted = made.predict(xgboost.DMatrix(some, feature_names=["amount", "hour"]))
    np.testing.assert_allclose(artefact.trees().predict(some), wanted, rtol=1e-6)


def test_a_lightgbm_text_is_stored(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(TEXT, encoding="utf-8")
    code, said = typed("models", "add", tmp_path / "m.txt", "card@1", "--models", tmp_path / "m")
    assert code == 0 and "LightGBM" in said, said
    assert Registry(tmp_path / "m").versions() == ("card@1",)


def test_a_champion_is_not_moved_by_adding_a_model_whose_reasons_were_not_measured(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(TEXT, encoding="utf-8")
    folder = tmp_path / "m"
    more = ("--alias", "champion", "--models", folder)
    code, said = typed("models", "add", tmp_path / "m.txt", "low@1", *more)
    assert code == 2 and "its reasons were never measured" in " ".join(said.split()), "a new alias is none"
    assert not folder.exists(), "nothing is stored then"
    assert typed("models", "add", tmp_path / "m.txt", "low@1", *more, *WHY)[0] == 0
    for unsaid in ((), ("--override",), ("--why", "because")):
        code, said = typed("models", "add", tmp_path / "m.txt", "low@2", *more, *unsaid)
        assert code == 2 and "were never measured, so it is not promoted" in " ".join(said.split())
    registry = Registry(folder)
    assert (registry.versions(), registry.resolve("low@champion").version) == (("low@1",), "1")
    assert typed("models", "add", tmp_path / "m.txt", "low@1", *more)[0] == 0, "it stands for it already"
    code, said = typed("models", "add", tmp_path / "m.txt", "low@2", "--alias", "live", "--models", folder)
    assert code == 2 and registry.versions() == ("low@1",), "another word is no way round"
    (folder / "aliases" / "low@champion").write_bytes(b"damaged")
    assert typed("models", "add", tmp_path / "m.txt", "low@2", *more)[0] == 2
    code, said = typed("models", "add", tmp_path / "m.txt", "low@2", *more, "--override", "--why", "A pilot")
    assert code == 0 and registry.resolve("low@champion").version == "2", said
    assert typed("models", "add", tmp_path / "m.txt", "low@3", "--models", folder)[0] == 0
    code, said = typed("models", "--models", folder)
    assert 'promote low@3 --override --why "…"' in " ".join(said.split()), said
    assert registry.resolve("low@champion").why.startswith("A pilot (")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.json", b'{"learner": 3}', "not an XGBoost model"),
        ("m.json", b'{"learner": ', "no XGBoost model"),
        ("m.ubj", b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "ends early"),
        ("m.pmml", b"<PMML", "m.pmml"),
        ("m.onnx", b"\x08\x07\x12", "cut short"),
        ("m.txt", b"", "not a LightGBM text model"),
        ("m.onnx", b"junk", "m.onnx is no ONNX model. seen it begins with 'junk'"),
        ("m.pmml", b"junk", "m.pmml is no PMML model"),
        ("usual.csv", b"amount,hour\n1,2\n", "usual.csv is no model"),
        ("m.onnx", b"", "an empty file"),
    ],
)
def test_what_is_no_model_is_refused_and_nothing_is_stored(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, said = typed("models", "add", tmp_path / name, "m@1", "--models", tmp_path / "m")
    assert code == 2 and words in " ".join(said.split()), said
    assert not (tmp_path / "m").exists()


def test_an_xgboost_model_is_written_as_pmml(tmp_path: Path) -> None:
    booster().save_model(tmp_path / "night.json")
    typed("models", "add", tmp_path / "night.json", "night@1", "--models", tmp_path / "m")
    code, said = typed("pmml", "export", "night@1", "-o", tmp_path / "x.pmml", "--models", tmp_path / "m")
    assert code == 0 and "night@1 as PMML" in said, said
    code, said = typed("pmml", "check", tmp_path / "x.pmml")
    assert code == 0 and "MiningModel 'night@1'" in said and "All of it is supported" in said, said


def test_an_onnx_model_is_not_written_as_pmml_and_a_pmml_model_is_as_it_came(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = rows(1, features=3)
    data = exported(LogisticRegression().fit(x, y), x, options={"zipmap": False})
    (tmp_path / "lr.onnx").write_bytes(data)
    options = ("--features", "amount,hour,shop", "--models", tmp_path / "m")
    code, said = typed("models", "add", tmp_path / "lr.onnx", "lr@1", *options)
    assert code == 0 and "--features" not in said, said
    code, said = typed("models", "add", tmp_path / "lr.onnx", "bare@1", *options[2:])
    assert "--features amount,hour" in said and "--typical rows.csv" in said, said
    code, said = typed("pmml", "export", "lr@1", "-o", tmp_path / "x.pmml", "--models", tmp_path / "m")
    assert code == 2 and "ONNX" in said and not (tmp_path / "x.pmml").exists()
    given = pmml(regression("r"))
    (tmp_path / "r.pmml").write_bytes(given)
    code, said = typed("models", "add", tmp_path / "r.pmml", "r@1", "--models", tmp_path / "m")
    assert code == 0, said
    assert typed("pmml", "export", "r@1", "-o", tmp_path / "r2.pmml", "--models", tmp_path / "m")[0] == 0
    assert (tmp_path / "r2.pmml").read_bytes() == given
