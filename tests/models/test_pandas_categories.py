"""Categories that LightGBM's Python package made of a table's texts mean the same to a flow, from the bare file."""

from typing import Any

import lightgbm
import numpy as np
import pandas
import pytest

from tidegate.errors import ModelError
from tidegate.models.foreign import artefact_of
from tidegate.models.kernels import MISSING
from tidegate.models.lightgbm import parse_forest

TEXTS = ["Zürich", "", "a b", 'q"uote', "x"]


def trained(frame: Any, **given: Any) -> lightgbm.Booster:
    wanted = (np.arange(len(frame)) % 3 == 0) ^ (frame["amount"] > 0) ^ (frame.iloc[:, 1] == frame.iloc[0, 1])
    data = lightgbm.Dataset(frame, wanted.astype(float), **given)
    parameters = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": 1,
        "min_data_in_leaf": 5,
        "max_cat_to_onehot": 1,
    }
    return lightgbm.train(parameters | {"min_data_per_group": 5, "cat_smooth": 1}, data, 8)


def table(texts: list[Any], rows: int = 600, **more: Any) -> Any:
    rng = np.random.default_rng(len(texts))
    chosen = pandas.Categorical(rng.choice(np.array(texts, object), rows), categories=texts, ordered=bool(more))
    country = pandas.Categorical(rng.choice(["FR", "DE", "IT"], rows), categories=["FR", "DE", "IT", "never"])
    return pandas.DataFrame({"amount": rng.normal(size=rows), "word": chosen, "hour": rng.integers(0, 24, rows),
                             "country": country})  # fmt: skip


def test_texts_are_the_codes_that_lightgbm_gave_them() -> None:
    frame = table(TEXTS)
    booster = trained(frame)
    kept, _ = artefact_of(booster.model_to_string().encode(), "m@1", file="m.txt")
    assert {one.name: one.categories for one in kept.card.features} == {
        "amount": (), "word": tuple(TEXTS), "hour": (), "country": ("FR", "DE", "IT", "never")
    }  # fmt: skip
    asked = frame.copy()
    asked["word"] = frame["word"].astype(object)
    asked.loc[::7, "word"] = "never seen"  # of which LightGBM makes a missing value
    asked.loc[::11, "word"] = None
    wanted = booster.predict(asked.astype({"word": "category"}))
    words = sorted({text for text in [*asked["word"], *asked["country"]] if isinstance(text, str)})
    hashes = {text: 1000 + 7 * place for place, text in enumerate([*words, *TEXTS, "never"])}
    cells = np.zeros((5, len(frame)), np.int64)
    cells.view(np.float64)[0] = asked["amount"]
    cells[2] = asked["hour"]
    for row, name in ((1, "word"), (3, "country")):
        cells[row] = [hashes[text] if isinstance(text, str) else MISSING for text in asked[name]]
    model = kept.trees()
    model.bind([0, 1, 2, 3], ["float", "text", "int", "text"], 4, hash_of=hashes.__getitem__).score(
        cells, 0, len(frame)
    )
    assert cells.view(np.float64)[4].tolist() == list(np.asarray(wanted))


def test_a_column_that_never_splits_still_has_its_list() -> None:
    frame = table(TEXTS)
    frame["country"] = pandas.Categorical(["FR"] * len(frame))
    found = parse_forest(trained(frame).model_to_string())
    assert found.categories == {"word": tuple(TEXTS), "country": ("FR",)}


def test_numbers_that_are_their_own_codes_need_no_list() -> None:
    for values in ([0, 1, 2], [False, True]):
        found = parse_forest(trained(table(values)).model_to_string())
        assert dict(found.categories) == {"country": ("FR", "DE", "IT", "never")}


def test_numbers_with_codes_of_their_own_are_refused_by_name() -> None:
    text = trained(table([5, 7, 9])).model_to_string()
    with pytest.raises(ModelError, match=r"risk\.txt was trained on 'word' as categories.*no texts.*5, 7, 9.*astype"):
        parse_forest(text, name="risk.txt")


def test_lists_that_may_be_of_several_features_are_refused() -> None:
    ordered = trained(table(["low", "high"], ordered=True)).model_to_string()
    with pytest.raises(ModelError, match=r"2 columns of categories, and does not say which.*1 features.*country"):
        parse_forest(ordered)
    own_codes = trained(table(TEXTS), categorical_feature=["word", "hour", "country"]).model_to_string()
    with pytest.raises(ModelError, match=r"3 features that may be those: word, hour, country"):
        parse_forest(own_codes)


@pytest.mark.parametrize("line", ["{", '{"a": 1}', "[1]", '[["a"]', "[" * 3000])
def test_a_damaged_line_is_refused(line: str) -> None:
    text = trained(table(TEXTS)).model_to_string()
    kept = text[: text.index("pandas_categorical:")]
    with pytest.raises(ModelError, match="line `pandas_categorical` that is damaged"):
        parse_forest(f"{kept}pandas_categorical:{line}\n")
