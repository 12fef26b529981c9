"""Stored models: whole or not at all, verified when read, found by version or alias."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.registry import Registry, load, load_artefact, write

from .test_lightgbm_text import TEXT, trained

FEATURES = (ModelFeature("amount"), ModelFeature("times_usual"), ModelFeature("country", "category", ("BE", "NL")))


def artefact(version: str = "1", text: str = TEXT, **more: object) -> Artefact:
    return Artefact(
        Card(name="card-risk", version=version, objective="binary", features=FEATURES, **more), text.encode()
    )  # type: ignore[arg-type]


def test_what_was_stored_is_what_is_read(tmp_path: Path) -> None:
    made = artefact(metrics={"average_precision": 0.7}, flow="abc")
    path = write(made, tmp_path)
    assert path.name == "card-risk@1"
    model = load(path, digest=made.digest)
    assert model.digest == made.digest and len(model.digest) == 64
    assert model.features == ("amount", "times_usual", "country")
    assert model.categories == {"country": ("BE", "NL")}
    rows = np.random.default_rng(1).normal(size=(5, 3))
    assert (model.predict(rows) == made.model().predict(rows)).all()
    assert load_artefact(path).card.metrics == {"average_precision": 0.7}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card-risk@1"], "no draft is left"


def test_the_same_again_is_no_error_but_another_is(tmp_path: Path) -> None:
    write(artefact(), tmp_path)
    write(artefact(), tmp_path)
    with pytest.raises(ModelError, match="exists already with other content"):
        write(artefact(text=trained(num_leaves=5)), tmp_path)


@pytest.mark.parametrize("name", ["card.json", "model.txt", "digest"])
@pytest.mark.parametrize("damage", ["cut", "change", "remove"])
def test_damage_is_refused_by_name(tmp_path: Path, name: str, damage: str) -> None:
    path = write(artefact(), tmp_path)
    content = (path / name).read_bytes()
    if damage == "remove":
        (path / name).unlink()
    else:
        (path / name).write_bytes(content[: len(content) // 2] if damage == "cut" else b"7" + content[1:-1] + b"7")
    with pytest.raises(ModelError, match="card-risk@1"):
        load(path)


def test_a_card_of_other_features_is_refused(tmp_path: Path) -> None:
    made = artefact()
    with pytest.raises(ModelError, match="3 features"):
        write(Artefact(msgspec.structs.replace(made.card, features=FEATURES[:2]), TEXT.encode()), tmp_path)
    assert not (tmp_path / "card-risk@1").exists()


def test_aliases(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first, second = artefact("1"), artefact("2", trained(num_leaves=5))
    registry.add(first, alias="champion", override=True, why="A test's model")
    registry.add(second)
    assert registry.resolve("card-risk@champion").digest == first.digest
    assert registry.model("card-risk@2").digest == second.digest
    registry.point("card-risk@champion", "2")
    assert registry.artefact("card-risk@champion").digest == second.digest
    assert registry.references() == ("card-risk@1", "card-risk@2", "card-risk@champion")
    with pytest.raises(ModelError, match="Did you mean card-risk@champion"):
        registry.model("card-risk@champoin")
    with pytest.raises(ModelError, match="card-risk@3"):
        registry.point("card-risk@champion", "3")
    with pytest.raises(ModelError, match="stored version"):
        registry.point("card-risk@1", "2")
    with pytest.raises(ModelError, match="alias already"):
        registry.add(artefact("champion"))


def test_an_alias_holds_on_to_the_very_model(tmp_path: Path) -> None:
    """Replacing a version under an alias, file by file and with a digest that fits, is seen."""
    registry = Registry(tmp_path)
    registry.add(artefact(), alias="champion", override=True, why="A test's model")
    other = artefact(text=trained(num_leaves=5))
    for name, content in other.files().items():
        (tmp_path / "models" / "card-risk@1" / name).write_bytes(content)
    assert registry.model("card-risk@1").digest == other.digest
    with pytest.raises(ModelError, match="not the one that was meant"):
        registry.model("card-risk@champion")
    (tmp_path / "aliases" / "card-risk@champion").write_bytes(b"{")
    with pytest.raises(ModelError, match="alias card-risk@champion is damaged"):
        registry.model("card-risk@champion")


@pytest.mark.parametrize("reference", ["card-risk", "@1", "card-risk@", "../x@1", "a@../b", "A@1", "a b@1"])
def test_names_are_names(tmp_path: Path, reference: str) -> None:
    with pytest.raises(ModelError, match="NAME@VERSION"):
        Registry(tmp_path).model(reference)
