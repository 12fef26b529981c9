"""A model file that cannot be used is refused: by name, with what was seen and what to do."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import ModelError
from tidegate.models.lightgbm import parse_forest, read_forest
from tidegate.models.tree_model import TreeModel


def trained(**parameters: object) -> str:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 1 if parameters.get("num_class") else 0)
    data = lightgbm.Dataset(x, y, feature_name=["amount", "times_usual", "countries"])
    options = {"objective": "binary", "verbosity": -1, "num_leaves": 7, "num_threads": 1, **parameters}
    return lightgbm.train(options, data, 4).model_to_string()


TEXT = trained()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.txt does not exist"):
        read_forest(tmp_path / "absent.txt")


def test_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_forest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n", b"hello", b"\xff\xfe\x00", b"{}", b"PK\x03\x04", b"tree", b"tree\n"])
def test_garbage_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "risk.txt").write_bytes(content)
    with pytest.raises(ModelError, match=r"risk\.txt") as caught:
        read_forest(tmp_path / "risk.txt")
    assert caught.value.seen and caught.value.do


@given(st.integers(0, TEXT.index("end of trees") + len("end of tree")))
def test_a_file_cut_short_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ModelError):
        parse_forest(TEXT[:length])


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="ascii"))
def test_a_changed_character_never_does_worse_than_be_refused(place: int, character: str) -> None:
    try:
        model = TreeModel(parse_forest(TEXT[:place] + character + TEXT[place + 1 :]))
    except ModelError:
        return
    model.predict(np.zeros((2, len(model.features))))


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"objective": "multiclass", "num_class": 3}, "num_class"),
        ({"linear_tree": True}, "linear"),
        ({"objective": "cross_entropy_lambda"}, "cross_entropy_lambda"),
    ],
)
def test_other_kinds_of_models_are_refused(parameters: dict[str, object], word: str) -> None:
    with pytest.raises(ModelError, match=word):
        parse_forest(trained(**parameters), name="risk.txt")


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("version=v4", "version=v9", "v9"),
        ("num_leaves=", "num_leaves=9", "values where"),
        ("left_child=", "left_child=9", "Tree 0"),
        ("threshold=", "threshold=nan ", "Tree 0"),
        ("feature_names=amount ", "feature_names=", "2 names"),
        ("tree_sizes=", "tree_sizes=1 ", "5 trees"),
        ("leaf_value=", "leaf_value=x", "Tree 0"),
        ("sigmoid:1", "sigmoid:one", "sigmoid"),
    ],
)
def test_damage_is_told(old: str, new: str, word: str) -> None:
    assert old in TEXT
    with pytest.raises(ModelError, match=word):
        parse_forest(TEXT.replace(old, new, 1))


def test_a_loop_of_splits_is_refused() -> None:
    """A walk over it would never end."""
    body = (
        "num_leaves=3\nnum_cat=0\nsplit_feature=0 0\nthreshold=1 2\ndecision_type=2 2\n"
        "left_child=-1 1\nright_child=-2 -3"
    )
    text = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=binary sigmoid:1\n"
        f"feature_names=a\ntree_sizes=1\n\nTree=0\n{body}\nleaf_value=1 2 3\n\nend of trees\n"
    )
    with pytest.raises(ModelError, match="does not reach"):
        parse_forest(text)


def test_the_list_of_features_must_be_the_models() -> None:
    model = TreeModel(parse_forest(TEXT))
    model.require(["amount", "times_usual", "countries"])
    with pytest.raises(ModelError, match=r"Feature 2 .* 'times_usual'.*Did you mean \"times_usual\""):
        model.require(["amount", "time_usual", "countries"])
    with pytest.raises(ModelError, match="Feature 1"):
        model.require(["times_usual", "amount", "countries"])
    with pytest.raises(ModelError, match="also reads 'countries'"):
        model.require(["amount", "times_usual"])
    with pytest.raises(ModelError, match="does not read 'more'"):
        model.require(["amount", "times_usual", "countries", "more"])
    with pytest.raises(ModelError, match="3 columns"):
        model.predict(np.zeros((1, 2)))
