"""Our walk of an XGBoost model gives its own margins to the bit, its answers to 1e-6, and its contributions."""

import json
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tidegate.errors import TidegateError
from tidegate.models.foreign import artefact_of
from tidegate.models.tree_model import TreeModel
from tidegate.models.xgboost import parse_xgboost

Matrix = NDArray[np.float64]
TYPES = ["float", "float", "c", "float", "float", "c"]
TINY = float(np.finfo(np.float32).tiny)  # a smaller float of 32 bits keeps fewer of its bits


def table(seed: int, rows: int = 400) -> tuple[Matrix, Matrix]:
    """Ordinary numbers, ties, tiny ones, codes of categories, and a tenth missing; amounts above zero as labels."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(TYPES)))
    x[:, 1] = np.round(x[:, 1], 1)
    x[:, 3] *= 1e-37
    x[:, 2], x[:, 5] = rng.integers(0, 70, rows), rng.integers(0, 4, rows)
    y = (x[:, 0] * x[:, 1] + (x[:, 2] % 3 == 1) - (x[:, 5] == 2) + x[:, 3] * 1e37 > 0).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y


def fit(parameters: dict[str, Any], seed: int, trees: int = 12) -> xgboost.Booster:
    x, y = table(seed)
    data = xgboost.DMatrix(x, y + (parameters["objective"] in ("reg:gamma", "survival:cox")), feature_types=TYPES)
    if parameters["objective"].startswith("rank:"):
        data.set_group([50] * 8)
    if parameters["objective"] == "survival:aft":
        data.set_float_info("label_lower_bound", y + 1)
        data.set_float_info("label_upper_bound", y + 2)
    return xgboost.train({"nthread": 1, "max_depth": 4, **parameters}, data, trees)


def fresh(seed: int) -> Matrix:
    """Rows that training did not see: categories beyond, fractions of them, and values on every threshold's side."""
    x, _ = table(seed + 1)
    x[:40, 2], x[40:60, 2], x[60:70, 5] = 99.0, 7.5, 1e6
    x[70:90, 0] = [0.0, -0.0, 1e-40, -1e-40, 3.4e38, -3.4e38, 1e-30, 0.1, 0.2, 0.3] * 2
    return x


def agree(booster: xgboost.Booster, rows: Matrix, kind: str) -> None:
    model = TreeModel(parse_xgboost(bytes(booster.save_raw(kind))))
    data = xgboost.DMatrix(rows, feature_types=TYPES)
    assert (model.raw(rows) == booster.predict(data, output_margin=True)).all()
    np.testing.assert_allclose(model.predict(rows), booster.predict(data), rtol=1e-6, atol=TINY)
    parts = model.contributions(rows)
    theirs = booster.predict(data, pred_contribs=True)
    scale = float(np.abs(theirs).sum(axis=1).max())  # sums in floats of 32 bits, which lose what is small beside it
    np.testing.assert_allclose(parts, theirs, rtol=0, atol=1e-5 * max(1.0, scale))
    np.testing.assert_allclose(parts.sum(axis=1), model.raw(rows), rtol=0, atol=1e-6 * max(1.0, scale))


@pytest.mark.parametrize("kind", ["json", "ubj"])
@pytest.mark.parametrize(
    "more", [{}, {"num_parallel_tree": 3, "subsample": 0.5}, {"booster": "dart", "rate_drop": 0.4}]
)
def test_of_a_model_that_stopped_early_the_best_rounds_count(more: dict[str, Any], kind: str) -> None:
    parts = [xgboost.DMatrix(x, y, feature_types=TYPES) for x, y in (table(1), table(2))]
    given = {"objective": "binary:logistic", "nthread": 1, "max_depth": 4, **more}
    booster = xgboost.train(given, parts[0], 200, evals=[(parts[1], "v")], early_stopping_rounds=5, verbose_eval=False)
    best = booster.best_iteration + 1
    assert best < booster.num_boosted_rounds()
    rows = fresh(3)
    data = xgboost.DMatrix(rows, feature_types=TYPES)
    model = TreeModel(parse_xgboost(bytes(booster.save_raw(kind))))
    assert (model.raw(rows) == booster.predict(data, output_margin=True, iteration_range=(0, best))).all()
    assert (model.raw(rows) != booster.predict(data, output_margin=True)).any()


@pytest.mark.parametrize("best", ["-1", "9", "x"])
def test_a_best_round_that_is_none_is_refused(best: str) -> None:
    booster = fit({"objective": "binary:logistic"}, 1, trees=3)
    booster.set_attr(best_iteration=best)
    with pytest.raises(TidegateError, match="is damaged"):
        parse_xgboost(bytes(booster.save_raw("json")))


OBJECTIVES: list[dict[str, Any]] = [
    {"objective": "binary:logistic"},
    {"objective": "binary:logistic", "base_score": 0.03, "max_cat_to_onehot": 1},
    {"objective": "binary:logistic", "max_cat_to_onehot": 100},
    {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.4},
    {"objective": "binary:logistic", "num_parallel_tree": 3, "subsample": 0.5},
    {"objective": "binary:logistic", "grow_policy": "lossguide", "max_leaves": 40, "max_depth": 0},
    {"objective": "binary:logitraw"},
    {"objective": "binary:hinge"},
    {"objective": "reg:logistic"},
    {"objective": "reg:squarederror", "tree_method": "hist"},
    {"objective": "reg:absoluteerror"},
    {"objective": "reg:squaredlogerror"},
    {"objective": "reg:pseudohubererror"},
    {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
    {"objective": "reg:gamma"},
    {"objective": "reg:tweedie"},
    {"objective": "count:poisson"},
    {"objective": "survival:cox"},
    {"objective": "survival:aft"},
    {"objective": "rank:pairwise"},
    {"objective": "rank:ndcg"},
    {"objective": "rank:map"},
]


@pytest.mark.parametrize("kind", ["json", "ubj"])
@pytest.mark.parametrize("parameters", OBJECTIVES, ids=lambda p: " ".join(f"{k}={v}" for k, v in p.items()))
def test_objectives(parameters: dict[str, Any], kind: str) -> None:
    agree(fit(parameters, 3), fresh(3), kind)


@given(
    st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 20), st.floats(0.05, 1.0), st.sampled_from([1, 5, 100]),
    st.floats(0.01, 0.99), st.sampled_from(["json", "ubj"]),
)  # fmt: skip
@example(0, 1, 1, 0.5, 1, 0.39838063195477896, "json")  # the logarithm of whose odds is not the nearest float
@example(0, 1, 1, 0.5, 1, 0.3187598554279337, "json")
def test_any_model(seed: int, depth: int, trees: int, rate: float, onehot: int, base: float, kind: str) -> None:
    parameters = {"max_depth": depth, "eta": rate, "max_cat_to_onehot": onehot, "base_score": base, "gamma": 0.0}
    agree(fit({"objective": "binary:logistic", **parameters}, seed, trees), fresh(seed), kind)


MODEL = bytes(fit({"objective": "binary:logistic"}, 1, 3).save_raw("json"))
BINARY = bytes(fit({"objective": "binary:logistic"}, 1, 3).save_raw("ubj"))


@pytest.mark.parametrize("content", [MODEL, BINARY], ids=["json", "ubj"])
def test_cut_short_anywhere_is_refused(content: bytes) -> None:
    for end in range(0, len(content) - 1, 97):
        with pytest.raises(TidegateError, match=r"m\.json"):
            parse_xgboost(content[:end], name="m.json")


@given(st.data())
def test_changed_bytes_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([MODEL, BINARY])))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        model = TreeModel(parse_xgboost(bytes(content)))
    except TidegateError:
        return
    model.predict(np.zeros((2, len(model.features))))


def changed(path: str, value: Any) -> bytes:
    whole = json.loads(MODEL)
    *parents, last = path.split("/")
    place = whole
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return json.dumps(whole).encode()


TREE = "learner/gradient_booster/model/trees/0"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("learner/objective/name", "multi:softprob", "objective that is not supported"),
        ("learner/gradient_booster/name", "gblinear", "not made of trees"),
        ("learner/learner_model_param/num_class", "3", "one number per row"),
        ("learner/learner_model_param/base_score", "[2E0]", "base score"),
        ("version", [0, 9, 0], "version that is not supported"),
        ("learner/feature_names", ["a", "a"], "is damaged"),
        (f"{TREE}/left_children", [0] * 3, "Tree 0"),
        (f"{TREE}/split_indices", [], "Tree 0"),
        (f"{TREE}/categories", [10**9] * 500, "Tree 0"),
    ],
)
def test_what_cannot_be_walked_is_refused_by_name(path: str, value: Any, words: str) -> None:
    with pytest.raises(TidegateError, match=words):
        parse_xgboost(changed(path, value))


def test_a_tree_that_goes_in_circles_is_refused() -> None:
    whole = json.loads(MODEL)
    tree = whole["learner"]["gradient_booster"]["model"]["trees"][0]
    split = next(k for k in range(1, len(tree["left_children"])) if tree["left_children"][k] >= 0)
    tree["left_children"][split] = 0
    with pytest.raises(TidegateError, match="two parents"):
        parse_xgboost(json.dumps(whole).encode())


def with_texts(values: list[object], seed: int = 0) -> tuple[xgboost.Booster, Any]:
    """A model of a number and of a category, and its table."""
    import pandas

    rng = np.random.default_rng(seed)
    chosen = pandas.Categorical(rng.choice(np.array(values, object), 600), categories=values)
    frame = pandas.DataFrame({"amount": rng.normal(size=600), "country": chosen})
    wanted = (frame["country"] == values[0]) & (frame["amount"] > 0) | (frame["country"] == values[2])
    data = xgboost.DMatrix(frame, wanted, enable_categorical=True)
    return xgboost.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, data, 6), frame


@pytest.mark.parametrize("kind", ["json", "ubj"])
def test_categories_that_are_texts_are_read_from_the_file(kind: str) -> None:
    booster, frame = with_texts(["FR", "Cote d'Ivoire", "DE", "US"])
    content = bytes(booster.save_raw(kind))
    kept, _ = artefact_of(content, "m@1", file="m")
    assert kept.card.features[1].categories == ("FR", "Cote d'Ivoire", "DE", "US")
    model = kept.trees()
    codes = np.column_stack([frame["amount"], frame["country"].cat.codes.to_numpy().astype(np.float64)])
    wanted = booster.predict(xgboost.DMatrix(frame, enable_categorical=True))
    np.testing.assert_allclose(model.predict(codes), wanted, rtol=1e-6)
    hashes = {text: 1000 + 7 * k for k, text in enumerate(frame["country"].cat.categories)}
    cells = np.zeros((3, len(frame)), np.int64)
    cells.view(np.float64)[0] = frame["amount"]
    cells[1] = [hashes[text] for text in frame["country"]]
    model.bind([0, 1], ["float", "text"], 2, hash_of=hashes.__getitem__).score(cells, 0, len(frame))
    np.testing.assert_array_equal(cells.view(np.float64)[2], model.predict(codes))


def test_categories_that_are_whole_numbers_with_codes_of_their_own_are_refused_by_name() -> None:
    booster, _ = with_texts([5, 7, 9])
    with pytest.raises(TidegateError, match=r"'country' as categories that are whole numbers.*5, 7, 9"):
        parse_xgboost(bytes(booster.save_raw("json")))


def test_categories_that_do_not_fit_together_are_refused() -> None:
    whole = json.loads(bytes(with_texts(["FR", "IT", "DE"])[0].save_raw("json")))
    whole["learner"]["gradient_booster"]["model"]["cats"]["enc"][1]["offsets"][-1] += 1
    with pytest.raises(TidegateError, match="do not fit together"):
        parse_xgboost(json.dumps(whole).encode())


def test_categories_beyond_ascii_which_xgboost_keeps_cut_are_refused_by_name() -> None:
    booster, _ = with_texts(["FR", "é中", "DE"])
    with pytest.raises(TidegateError, match=r"categories of 'country' in model cut"):
        parse_xgboost(bytes(booster.save_raw("json")))
