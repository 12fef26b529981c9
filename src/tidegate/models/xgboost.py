"""Read an XGBoost model (`Booster.save_model`, .json or .ubj) without XGBoost.

It becomes the same forest as LightGBM's, of floats of 32 bits (see `Forest.single`). XGBoost sends left what is below a
threshold, our walk what is not above one: the next smaller float is the threshold then. Of a category XGBoost sends
right what is in the set, our walk left: the two ways change places.

Of a model whose training stopped early, the trees up to its best round count, as for XGBoost's own classifier and
regressor; `Booster.predict` takes those after it too, unless told not to.
"""

import math
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError, TidegateError
from tidegate.events.depth import plain_values
from tidegate.models.kernels import log_single
from tidegate.models.lightgbm import Forest, Tree
from tidegate.models.ubjson import read_ubjson

__all__ = ["parse_xgboost"]

_LOGISTIC = {"binary:logistic", "reg:logistic"}
_EXPONENTIAL = {"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"}
_IDENTITY = {
    "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror",
    "reg:quantileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map",
}  # fmt: skip
_STEP = {"binary:hinge"}
_MOST_CATEGORIES = 65_536  # each category of a feature is a row of bits, one bit per way to look at it
_AGAIN = "Save the model again with Booster.save_model, as .json or .ubj."


def parse_xgboost(data: bytes, *, name: str = "model") -> Forest:
    """The model in a file's bytes; `name` is what errors call it. Raises TidegateError if it cannot be used."""
    whole = _read(data, name)
    try:
        learner = whole["learner"]
        major = int(whole["version"][0])
        shape, booster = learner["learner_model_param"], learner["gradient_booster"]
        objective = str(learner["objective"]["name"])
        link = _link(objective, name)
        _refuse(shape, booster, major, name)
        weights = booster.get("weight_drop")
        booster = booster.get("gbtree", booster)  # DART keeps its trees one deeper
        drawn, features = booster["model"]["trees"], _features(learner, int(shape["num_feature"]))
        best = _trees_of_best(learner, booster["model"], len(drawn))
        categories = _categories(booster["model"], features, name)
        base = float(np.float32(str(shape["base_score"]).strip("[]")))
        if weights is not None and len(weights) != len(drawn):
            raise ValueError(f"{len(weights)} weights for {len(drawn)} trees")
        drawn = drawn[:best]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _damaged(name, error) from None
    trees = []
    for k, tree in enumerate(drawn):
        try:
            weight = 1.0 if weights is None else float(weights[k])
            trees.append(_tree(tree, len(features), weight))
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
            raise _damaged(f"Tree {k} of {name}", error) from None
    if not trees:
        raise ModelError(f"{name} has no trees.", do=_AGAIN)
    start = _margin(base, link, name)
    return Forest(features, tuple(trees), objective, link, 1.0, False, single=True, start=start, categories=categories)


def _read(data: bytes, name: str) -> Any:
    if data[:1] == b"{" and data[1:2] in b"iUIlL$#":
        return read_ubjson(data, name)
    try:
        return plain_values(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{name} is no XGBoost model.", seen=str(error)[:200], do=_AGAIN) from None


def _damaged(what: str, error: Exception) -> TidegateError:
    seen = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)[:200]
    return ModelError(f"{what} is not an XGBoost model, or is damaged.", seen=seen, do=_AGAIN)


def _link(objective: str, name: str) -> str:
    for known, link in (
        (_LOGISTIC, "logistic"),
        (_EXPONENTIAL, "exponential"),
        (_IDENTITY, "identity"),
        (_STEP, "step"),
    ):
        if objective in known:
            return link
    every = sorted(_LOGISTIC | _EXPONENTIAL | _IDENTITY | _STEP)
    do = "Train one binary model per class." if objective.startswith("multi:") else f"Use one of {', '.join(every)}."
    raise ModelError(f"{name} was trained for an objective that is not supported.", seen=objective, do=do)


def _refuse(shape: Any, booster: Any, major: int, name: str) -> None:
    """Raise ModelError for a kind of model that the kernels do not walk."""
    if major < 1:
        raise ModelError(f"{name} is of a version that is not supported.", seen=f"XGBoost {major}", do=_AGAIN)
    if booster["name"] not in ("gbtree", "dart"):
        raise ModelError(f"{name} is not made of trees.", seen=str(booster["name"]), do='Train with booster="gbtree".')
    if int(shape.get("num_class", 0)) > 1 or int(shape.get("num_target", 1)) > 1:
        raise ModelError(
            f"{name} must give one number per row.",
            seen=f"num_class={shape.get('num_class')} num_target={shape.get('num_target', 1)}",
            do="Train one binary or regression model per class or target.",
        )


def _trees_of_best(learner: Any, model: Any, many: int) -> int:
    """How many trees come up to the round that was best, if the file names one; else all."""
    best = learner.get("attributes", {}).get("best_iteration")
    if best is None:
        return many
    starts = model.get("iteration_indptr")
    end = int(best) + 1
    trees = int(starts[end]) if starts else end * max(1, int(model["gbtree_model_param"]["num_parallel_tree"]))
    if not 0 < trees <= many:
        raise ValueError(f"a best round {best} in a model of {many} trees")
    return trees


def _features(learner: Any, count: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in learner.get("feature_names", ())) or tuple(f"f{k}" for k in range(count))
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"{len(names)} names, {len(set(names))} of them different, for {count} features")
    return names


def _categories(model: Any, features: tuple[str, ...], name: str) -> dict[str, tuple[str, ...]]:
    """The texts of categorical features by code, as XGBoost 3.1 and later keep them; of whole numbers none are needed.

    Raises:
        ModelError: whole numbers are categories by another code than themselves.
        ValueError: the block does not fit together.
    """
    found = {}
    for feature, one in zip(features, (model.get("cats") or {}).get("enc") or (), strict=False):
        values = [int(value) for value in one.get("values", ())]
        if "offsets" in one:
            ends = [int(end) for end in one["offsets"]]
            texts = bytes(value & 0xFF for value in values)
            if ends and (ends[0] != 0 or ends[-1] != len(texts) or ends != sorted(ends)):
                raise ValueError(f"categories of {feature!r} that do not fit together")
            if len(ends) > _MOST_CATEGORIES:
                raise ValueError(f"{len(ends):,} categories, where at most {_MOST_CATEGORIES:,} are supported")
            if not texts.isascii():  # XGBoost counts characters where it cuts bytes, so these are not whole
                raise ModelError(
                    f"XGBoost kept the categories of {feature!r} in {name} cut, as it does texts beyond ASCII.",
                    seen=repr(texts[:40].decode("utf-8", "replace")), do="Train with texts in ASCII, or with codes.",
                )  # fmt: skip
            if len(ends) > 1:
                found[feature] = tuple(texts[a:b].decode("ascii") for a, b in pairwise(ends))
        elif values != list(range(len(values))):
            raise ModelError(
                f"{name} was trained on {feature!r} as categories that are whole numbers, and keeps a code for each.",
                seen=", ".join(map(str, values[:10])), do="Train with texts, or with the numbers 0, 1, 2, …",
            )  # fmt: skip
    return found


def _margin(base: float, link: str, name: str) -> float:
    """What sums begin with: the base score before the link, as a float of 32 bits."""
    if link == "logistic" and 0.0 < base < 1.0:
        one = np.float32(1.0)
        return -float(log_single(one / np.float32(base) - one))
    if link == "exponential" and base > 0.0:
        return float(log_single(np.float32(base)))
    if link in ("logistic", "exponential") or not math.isfinite(base):
        raise ModelError(f"{name} has a base score that its objective does not allow.", seen=f"{base:g}", do=_AGAIN)
    return base


def _column(tree: Any, key: str, length: int, kind: type) -> NDArray[Any]:
    values = np.asarray(tree[key])
    if values.shape != (length,) or (length and values.dtype.kind not in "iufb"):
        raise ValueError(f"{key!r} has the shape {values.shape} where {length} numbers are due")
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{key!r} holds a NaN")
    return values.astype(kind)


def _tree(tree: Any, n_features: int, weight: float) -> Tree:
    count = int(tree["tree_param"]["num_nodes"])
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise ValueError("leaves of several numbers")
    left, right = _column(tree, "left_children", count, np.int64), _column(tree, "right_children", count, np.int64)
    order = _reached(left, right, count)
    splits, leaves = [node for node in order if left[node] >= 0], [node for node in order if left[node] < 0]
    place = {node: k for k, node in enumerate(splits)} | {node: ~k for k, node in enumerate(leaves)}
    numbers = _column(tree, "split_conditions", count, np.float32)
    cover = _column(tree, "sum_hessian", count, np.float64)
    feature = _column(tree, "split_indices", count, np.int64)[splits]
    if len(splits) and not 0 <= feature.min() <= feature.max() < n_features:
        raise ValueError(f"a split on feature {feature.max()} where there are {n_features}")
    kinds = tree.get("split_type")
    chosen = np.zeros(count, np.int64) if kinds is None else _column(tree, "split_type", count, np.int64)
    sets = _sets(tree) if chosen.any() else {}
    swapped = {node: words for node, words in sets.items() if chosen[node]}
    if {node for node in splits if chosen[node]} - swapped.keys():
        raise ValueError("a categorical split without categories")
    ways = [(right[n], left[n]) if n in swapped else (left[n], right[n]) for n in splits]
    goes_left = _column(tree, "default_left", count, np.int64)
    sized = [n for n in splits if n in swapped]
    values = numbers[leaves] * np.float32(weight) if weight != 1.0 else numbers[leaves]
    return Tree(
        feature=feature,
        threshold=np.nextafter(numbers[splits], np.float32(-np.inf)).astype(np.float64),
        missing=np.full(len(splits), 2, np.int64),
        default_left=np.array([bool(goes_left[n]) != (n in swapped) for n in splits], np.bool_),
        left=np.array([place[int(a)] for a, _ in ways], np.int64),
        right=np.array([place[int(b)] for _, b in ways], np.int64),
        set_of=np.array([sized.index(n) if n in swapped else -1 for n in splits], np.int64),
        categories=tuple(swapped[n] for n in sized),
        leaf_value=values.astype(np.float64),
        leaf_count=cover[leaves],
        split_count=cover[splits],
    )


def _reached(left: NDArray[np.int64], right: NDArray[np.int64], count: int) -> list[int]:
    """The nodes from the root down, each met once. Raises ValueError for what is no tree; a walk might never end."""
    order, met = [0], {0}
    for node in order:  # grows as it is read
        if node >= count:
            raise ValueError("a child that does not exist")
        pair = int(left[node]), int(right[node])
        if max(pair) < 0:
            continue
        for child in pair:
            if not 0 <= child < count:
                raise ValueError("a child that does not exist")
            if child in met:
                raise ValueError("a child with two parents")
            met.add(child)
            order.append(child)
    return order


def _sets(tree: Any) -> dict[int, NDArray[np.int64]]:
    """By node, its categories as words of 32 bits."""
    nodes, starts, sizes = (
        [int(value) for value in tree[key]] for key in ("categories_nodes", "categories_segments", "categories_sizes")
    )
    codes = _column(tree, "categories", len(tree["categories"]), np.int64)
    found = {}
    for node, start, size in zip(nodes, starts, sizes, strict=True):
        mine = codes[start : start + size]
        if start < 0 or size < 1 or len(mine) != size or mine.min() < 0:
            raise ValueError("category sets that do not fit together")
        if mine.max() >= _MOST_CATEGORIES:
            raise ValueError(f"category {mine.max():,}, where at most {_MOST_CATEGORIES:,} are supported")
        words = np.zeros(int(mine.max()) // 32 + 1, np.int64)
        np.bitwise_or.at(words, mine // 32, np.left_shift(1, mine % 32))
        found[node] = words
    return found
