"""Values at the edges of a category are taken as LightGBM takes them."""

import lightgbm
import numpy as np
import pytest

from tidegate.models.lightgbm import parse_forest
from tidegate.models.tree_model import TreeModel

FINITE = (
    -2.0,
    -1.0,
    np.nextafter(-1.0, 0.0),
    -0.5,
    -0.0,
    0.0,
    0.999,
    1.0,
    31.0,
    31.9,
    32.0,
    63.0,
    64.0,
    65.0,
    95.0,
    96.0,
)
EDGES = [*FINITE, 1e9, float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize(
    "inside", [[0], [1], [31], [32], [63], [64], [0, 63, 64, 90], list(range(0, 96, 2)), list(range(96))]
)
@pytest.mark.parametrize("decision", [1, 9])
def test_each_edge_of_a_category(inside: list[int], decision: int) -> None:
    words = [0] * (max(inside) // 32 + 1)
    for code in inside:
        words[code // 32] |= 1 << (code % 32)
    trees = []
    for number, bits in enumerate((words, [0xFFFFFFFF] * 3)):
        trees.append(
            f"Tree={number}\nnum_leaves=2\nnum_cat=1\nsplit_feature=0\nthreshold=0\n"
            f"decision_type={decision}\nleft_child=-1\nright_child=-2\nleaf_value={10**number} {2 * 10**number}\n"
            f"leaf_count=1 2\ninternal_count=3\n"
            f"cat_boundaries=0 {len(bits)}\ncat_threshold={' '.join(map(str, bits))}\n"
            "is_linear=0\nshrinkage=1\n\n\n"
        )
    text = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
        "objective=regression\nfeature_names=a\nfeature_infos=[0:1]\n"
        f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}\n\n{''.join(trees)}"
        "end of trees\n\nparameters:\nend of parameters\n"
    )
    rows = np.array(EDGES).reshape(-1, 1)
    theirs = lightgbm.Booster(model_str=text).predict(rows, num_threads=1)
    assert TreeModel(parse_forest(text)).predict(rows).tolist() == list(theirs)
