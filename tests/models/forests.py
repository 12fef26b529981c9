"""Forests made up by hypothesis and written as LightGBM writes them, so that it can be asked about them itself."""

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

EDGE = float(np.float32(1e-35))  # where LightGBM's zero ends
TELLING = [
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-36, -1e-36, EDGE, -EDGE, 1e-30, -1e-30, 7.25, -300.0, 1e300, -1e300,
]  # fmt: skip
CODES = [0, 1, 2, 5, 31, 32, 33, 63, 64, 65, 100, 130]
FEATURES = 6


@dataclass
class Draft:
    """A tree being written."""

    lines: dict[str, list[float | int]] = field(default_factory=dict)
    bounds: list[int] = field(default_factory=lambda: [0])
    words: list[int] = field(default_factory=list)
    leaf_value: list[float] = field(default_factory=list)
    leaf_count: list[int] = field(default_factory=list)


KEYS = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "internal_count")


@st.composite
def trees(draw: st.DrawFn, splits: int = 12) -> str:
    """One tree's text: random shape, ways of missing, exact thresholds, category sets, counts that add up."""
    tree = Draft({key: [] for key in KEYS})

    def grow(left_to_split: int, rows: int) -> int:
        if left_to_split == 0 or rows < 2:
            tree.leaf_value.append(draw(st.floats(-3, 3)))
            tree.leaf_count.append(rows)
            return ~(len(tree.leaf_value) - 1)
        me = len(tree.lines["threshold"])
        for key in KEYS:
            tree.lines[key].append(0)
        feature = draw(st.integers(0, FEATURES - 1))
        if draw(st.integers(0, 3)) == 0:
            codes = draw(st.sets(st.sampled_from(CODES), min_size=1))
            words = [0] * (max(codes) // 32 + 1 + draw(st.integers(0, 1)))
            for code in codes:
                words[code // 32] |= 1 << code % 32
            tree.lines["threshold"][me] = len(tree.bounds) - 1
            tree.words += words
            tree.bounds.append(len(tree.words))
            decision = 1 | draw(st.integers(0, 2)) << 2
        else:
            tree.lines["threshold"][me] = draw(st.sampled_from([*TELLING, *map(float, CODES), math.inf]))
            decision = draw(st.integers(0, 1)) << 1 | draw(st.integers(0, 2)) << 2
        left_rows = draw(st.integers(1, rows - 1))
        left_splits = draw(st.integers(0, left_to_split - 1))
        tree.lines["split_feature"][me], tree.lines["decision_type"][me] = feature, decision
        tree.lines["internal_count"][me] = rows
        tree.lines["left_child"][me] = grow(left_splits, left_rows)
        tree.lines["right_child"][me] = grow(left_to_split - 1 - left_splits, rows - left_rows)
        return me

    grow(draw(st.integers(0, splits)), draw(st.integers(2, 1000)))
    lines = [f"num_leaves={len(tree.leaf_value)}", f"num_cat={len(tree.bounds) - 1}"]
    lines += [f"{key}={' '.join(f'{value:.17g}' for value in tree.lines[key])}" for key in KEYS]
    lines.append(f"leaf_value={' '.join(f'{value:.17g}' for value in tree.leaf_value)}")
    lines.append(f"leaf_count={' '.join(map(str, tree.leaf_count))}")
    if tree.words:
        lines.append(f"cat_boundaries={' '.join(map(str, tree.bounds))}")
        lines.append(f"cat_threshold={' '.join(map(str, tree.words))}")
    return "\n".join([*lines, "is_linear=0", "shrinkage=1"])


OBJECTIVES = ["binary sigmoid:1", "binary sigmoid:0.7", "regression", "regression sqrt", "cross_entropy", "poisson"]


@st.composite
def forest_texts(draw: st.DrawFn, splits: int = 12) -> str:
    """A model's text."""
    bodies = draw(st.lists(trees(splits), min_size=1, max_size=11))
    blocks = [f"Tree={k}\n{body}\n\n\n" for k, body in enumerate(bodies)]
    average = "average_output\n" if draw(st.booleans()) else ""
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={FEATURES - 1}\nobjective={draw(st.sampled_from(OBJECTIVES))}\n{average}"
        f"feature_names={' '.join(f'f{k}' for k in range(FEATURES))}\n"
        f"feature_infos={' '.join(['[-1:1]'] * FEATURES)}\n"
        f"tree_sizes={' '.join(str(len(block)) for block in blocks)}\n\n"
        f"{''.join(blocks)}end of trees\n\nfeature_importances:\n\nparameters:\n\nend of parameters\n\n"
        "pandas_categorical:null\n"
    )


CELLS = st.one_of(
    st.sampled_from([*TELLING, math.nan, math.inf, -math.inf, -0.5, 2.7, 1e10, 2147483648.0, *map(float, CODES)]),
    st.floats(),
)


def matrices(rows: int = 40) -> st.SearchStrategy[NDArray[np.float64]]:
    """Rows of values that hit thresholds, categories and every kind of nothing."""
    row = st.lists(CELLS, min_size=FEATURES, max_size=FEATURES)
    return st.lists(row, min_size=1, max_size=rows).map(lambda table: np.array(table, dtype=np.float64))
