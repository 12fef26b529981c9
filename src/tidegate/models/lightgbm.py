"""Read a LightGBM text model (`Booster.save_model`, `Booster.model_to_string`) without LightGBM.

The file is checked before anything is believed: a model that is missing, cut short, garbled, or of a kind that the
kernels do not walk is refused by name, never half read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.pandas_categories import pandas_categories

__all__ = ["Forest", "Tree", "parse_forest", "read_forest"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_IDENTITY = {
    "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", "custom", "none",
}  # fmt: skip
_EXPONENTIAL = {"poisson", "gamma", "tweedie"}
_LOGISTIC = {"binary", "cross_entropy", "xentropy"}
_SAVE_AGAIN = "Save the model again with Booster.save_model and use that file."


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as LightGBM numbers it: a child >= 0 is a split, a child < 0 is the leaf `~child`.

    `missing` per split: 0 none (NaN reads as zero), 1 zero (zero and NaN follow the default), 2 NaN follows it.
    `categories[k]` is the bitset, 32 categories a word, of the k-th categorical split; `set_of` names it, or is -1.
    `leaf_count` and `split_count` are the training rows that reached each place; empty if the file does not say.
    """

    feature: Ints
    threshold: Floats
    missing: Ints
    default_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    set_of: Ints
    categories: tuple[Ints, ...]
    leaf_value: Floats
    leaf_count: Floats
    split_count: Floats


@dataclass(frozen=True, slots=True)
class Forest:
    """A boosted model: the trees in the order in which they are summed, and how the sum becomes the answer.

    `link` is "identity", "logistic" (1 / (1 + exp(-sigmoid x))), "exponential" or "signed_square"; of a `single` one
    also "step" (1 above zero, else 0).
    `average` says that the sum is divided by the number of trees (random forests).
    `single` says that values, sums and links are floats of 32 bits, that no value near zero is taken for zero, and that
    a missing category follows `default_left`, as XGBoost has it; `start` is what its sums begin with.
    `categories` are the texts of categorical features by code, where the file has them.
    """

    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    objective: str
    link: str
    sigmoid: float
    average: bool
    single: bool = False
    start: float = 0.0
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_forest(path: str | Path) -> Forest:
    """The model in a file. Raises ModelError, naming the file, if it cannot be used."""
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ModelError(
            f"The model file {file} does not exist.", do="Give the path of a file written by Booster.save_model."
        ) from None
    except UnicodeDecodeError as error:
        raise ModelError(
            f"The model file {file} is not a LightGBM text model.", seen=f"bytes that are no text at {error.start}",
            do=_SAVE_AGAIN,
        ) from None  # fmt: skip
    except OSError as error:
        raise ModelError(
            f"The model file {file} cannot be read.",
            seen=error.strerror or str(error),
            do="Make it a readable file, then start again.",
        ) from None
    return parse_forest(text, name=str(file))


def parse_forest(text: str, *, name: str = "model") -> Forest:
    """The model in a text; `name` is what errors call it. Raises ModelError if it cannot be used."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "tree":
        seen = repr(lines[0][:40]) if lines and lines[0] else "nothing" if not text else "an empty first line"
        raise ModelError(
            f"{name} is not a LightGBM text model: its first line is not `tree`.", seen=seen, do=_SAVE_AGAIN
        )
    try:
        end = next(i for i, line in enumerate(lines) if line.strip() == "end of trees")
    except StopIteration:
        raise ModelError(
            f"{name} is cut short: the line `end of trees` is missing.", seen=f"{len(lines)} lines", do=_SAVE_AGAIN
        ) from None
    starts = [i for i in range(end) if lines[i].startswith("Tree=")]
    header = _pairs(lines[1 : starts[0] if starts else end])
    features, objective, link, sigmoid = _header(header, name)
    announced = len(header.get("tree_sizes", "").split())
    if announced != len(starts) or not starts:
        raise ModelError(
            f"{name} announces {announced} trees.", seen=f"{len(starts)} trees", do=_SAVE_AGAIN
        )  # fmt: skip
    trees = []
    for k, (start, stop) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
        try:
            trees.append(_tree(_pairs(lines[start:stop]), len(features)))
        except (ValueError, KeyError, IndexError, OverflowError) as error:
            what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
            raise ModelError(f"Tree {k} of {name} is damaged.", seen=what, do=_SAVE_AGAIN) from None
        except NotImplementedError as error:
            raise ModelError(
                f"Tree {k} of {name} is of a kind that is not supported.", seen=str(error),
                do="Train with linear_tree=False.",
            ) from None  # fmt: skip
    infos = header.get("feature_infos", "").split()
    categories = pandas_categories(lines[end:], features, infos, name=name)
    return Forest(
        features, tuple(trees), objective, link, sigmoid, "average_output" in header, categories=categories
    )  # fmt: skip


def _pairs(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _header(header: dict[str, str], name: str) -> tuple[tuple[str, ...], str, str, float]:
    version = header.get("version", "none")
    if version not in ("v3", "v4"):
        raise ModelError(
            f"{name} has a format version that is not supported.", seen=version, do="Save it with LightGBM 3 or 4."
        )
    for key in ("num_class", "num_tree_per_iteration"):
        if header.get(key) != "1":
            raise ModelError(
                f"{name} must give one number per row, so `{key}` must be 1.", seen=header.get(key, "no such line"),
                do="Train one binary or regression model per class.",
            )  # fmt: skip
    features = tuple(header.get("feature_names", "").split())
    last = header.get("max_feature_idx", "")
    if not last.isdigit() or int(last) + 1 != len(features) or len(set(features)) != len(features):
        raise ModelError(
            f"{name} lists its features wrongly: max_feature_idx is {last or 'missing'}.",
            seen=f"{len(features)} names, {len(set(features))} of them different", do=_SAVE_AGAIN,
        )  # fmt: skip
    words = header.get("objective", "custom").split() or ["custom"]
    objective, options = words[0], words[1:]
    sigmoid, link = 1.0, "identity"
    if objective in _LOGISTIC:
        link = "logistic"
        given = [word.removeprefix("sigmoid:") for word in options if word.startswith("sigmoid:")]
        try:
            sigmoid = float(given[0]) if given else 1.0
        except ValueError:
            raise ModelError(f"{name} has a sigmoid that is no number.", seen=given[0], do=_SAVE_AGAIN) from None
    elif objective in _EXPONENTIAL:
        link = "exponential"
    elif objective in _IDENTITY:
        link = "signed_square" if "sqrt" in options else "identity"
    else:
        raise ModelError(
            f"{name} was trained for an objective that is not supported.", seen=objective,
            do=f"Use one of {', '.join(sorted(_LOGISTIC | _EXPONENTIAL | _IDENTITY))}.",
        )  # fmt: skip
    return features, objective, link, sigmoid


def _numbers(tree: dict[str, str], key: str, length: int) -> Floats:
    values = np.array([float(word) for word in tree[key].split()], dtype=np.float64)
    if len(values) != length:
        raise ValueError(f"`{key}` has {len(values)} values where {length} are due")
    if np.isnan(values).any():
        raise ValueError(f"`{key}` holds a NaN")
    return values


def _integers(tree: dict[str, str], key: str, length: int) -> Ints:
    values = np.array([int(word) for word in tree[key].split()], dtype=np.int64)
    if len(values) != length:
        raise ValueError(f"`{key}` has {len(values)} values where {length} are due")
    return values


def _tree(tree: dict[str, str], n_features: int) -> Tree:
    if tree.get("is_linear", "0") != "0":
        raise NotImplementedError("a tree with linear models in its leaves")
    leaves, sets = int(tree["num_leaves"]), int(tree["num_cat"])
    if leaves < 1 or sets < 0:
        raise ValueError(f"num_leaves={leaves} num_cat={sets}")
    splits = leaves - 1
    if splits == 0:  # such a tree has no other lines worth reading: it adds a constant
        nothing, none = np.zeros(0, np.int64), np.zeros(0)
        value = _numbers(tree, "leaf_value", 1)
        one = np.ones(1)
        return Tree(nothing, none, nothing, nothing.astype(bool), nothing, nothing, nothing, (), value, one, none)
    feature = _integers(tree, "split_feature", splits)
    if feature.min() < 0 or feature.max() >= n_features:
        raise ValueError(f"a split on feature {feature.max()} where there are {n_features}")
    decision = _integers(tree, "decision_type", splits)
    threshold = _numbers(tree, "threshold", splits)
    left, right = _integers(tree, "left_child", splits), _integers(tree, "right_child", splits)
    _check_shape(left, right, splits)
    missing = (decision >> 2) & 3
    if missing.max() > 2 or decision.min() < 0:
        raise ValueError(f"decision_type {decision.max()} is unknown")
    categorical = (decision & 1) == 1
    set_of = np.where(categorical, threshold, -1.0).astype(np.int64)
    categories: list[Ints] = []
    if categorical.any():
        bounds = _integers(tree, "cat_boundaries", sets + 1)
        words = np.array([int(word) for word in tree["cat_threshold"].split()], dtype=np.int64)
        rising = bounds[0] == 0 and bool((np.diff(bounds) >= 0).all()) and bounds[-1] == len(words)
        if not rising or words.min(initial=0) < 0 or words.max(initial=0) >= 1 << 32 or set_of.max() >= sets:
            raise ValueError("category sets that do not fit together")
        categories = [words[a:b] for a, b in pairwise(bounds)]
    known = "leaf_count" in tree and "internal_count" in tree
    return Tree(
        feature=feature,
        threshold=threshold,
        missing=missing,
        default_left=(decision & 2) == 2,
        left=left,
        right=right,
        set_of=set_of,
        categories=tuple(categories),
        leaf_value=_numbers(tree, "leaf_value", leaves),
        leaf_count=_numbers(tree, "leaf_count", leaves) if known else np.zeros(0),
        split_count=_numbers(tree, "internal_count", splits) if known else np.zeros(0),
    )


def _check_shape(left: Ints, right: Ints, splits: int) -> None:
    """Every split and leaf is reached exactly once from the root; a walk over anything else might never end."""
    children = np.concatenate([left, right])
    if children.min() < -(splits + 1) or children.max() >= splits:
        raise ValueError("a child that does not exist")
    if len(np.unique(children)) != 2 * splits or (children == 0).any():
        raise ValueError("a child with two parents")
    reached, todo = 0, [0]
    while todo:
        node = todo.pop()
        reached += 1
        todo += [int(child) for child in (left[node], right[node]) if child >= 0]
    if reached != splits:
        raise ValueError("splits that the root does not reach")
