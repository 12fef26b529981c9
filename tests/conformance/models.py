"""Random forests over the features of a flow: for the oracle as they are, for the engine as LightGBM saves them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.conformance.events import CARDS, Channel, Draw
from tests.conformance.literals import TEXTS
from tests.oracle.forest import AS_NAN, AS_ZERO, NONE, Forest, Leaf, Node, Split
from tidegate.decisions.plan import ModelPlan
from tidegate.events.types import Kind, Type
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.tree_model import TreeModel

_THRESHOLDS = st.one_of(
    st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 1e6]), st.integers(-20, 60).map(lambda n: n / 4)
)
_OBJECTIVES = {"identity": "regression", "logistic": "binary sigmoid:{}", "exponential": "poisson"}
_KNOWN_TEXTS = (*TEXTS, *CARDS, *(channel.value for channel in Channel))


@dataclass(frozen=True)
class Model:
    """One forest, twice: to be looked up by the oracle, and to be walked by the kernels."""

    forest: Forest
    trees: TreeModel


def made_model(draw: Draw, plan: ModelPlan) -> Model:
    """A model that reads just what a flow gives it."""
    categories = tuple(_texts(draw) if kind.is_word else None for kind in plan.types)
    trees = tuple(
        _tree(draw, plan.types, draw(st.integers(0, 3))) for _ in range(draw(st.sampled_from([1, 2, 3, 3, 7])))
    )
    link, sigmoid = draw(st.sampled_from(sorted(_OBJECTIVES))), draw(st.sampled_from([1.0, 0.5]))
    forest = Forest(trees, link, sigmoid, draw(st.booleans()), categories)
    features = tuple(
        ModelFeature(name, "category", texts) if texts else ModelFeature(name)
        for name, texts in zip(plan.names, categories, strict=True)
    )
    name, _, version = plan.reference.partition("@")
    card = Card(name=name, version=version, objective="", features=features)
    return Model(forest, Artefact(card, written(forest, len(features)).encode()).model())


def _texts(draw: Draw) -> tuple[str, ...]:
    return tuple(draw(st.lists(st.sampled_from(_KNOWN_TEXTS), min_size=1, max_size=4, unique=True)))


def _tree(draw: Draw, types: Sequence[Type], depth: int) -> Node:
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return Leaf(draw(st.sampled_from([0.25, -0.5, 1.0, 2.5, -0.1, 0.3])), draw(st.integers(1, 50)))
    feature = draw(st.integers(0, len(types) - 1))
    left, right = _tree(draw, types, depth - 1), _tree(draw, types, depth - 1)
    kind = types[feature]
    if kind.is_word or (kind.kind is Kind.INT and draw(st.integers(0, 3)) == 0):
        return Split(feature, left, right, codes=frozenset(draw(st.sets(st.integers(0, 4), min_size=1))))
    missing, default_left = draw(st.sampled_from([NONE, AS_ZERO, AS_NAN])), draw(st.booleans())
    return Split(feature, left, right, draw(_THRESHOLDS), missing, default_left)


def written(forest: Forest, features: int) -> str:
    """The forest as LightGBM saves it."""
    blocks = [f"Tree={number}\n{_tree_text(tree)}\n\n\n" for number, tree in enumerate(forest.trees)]
    return (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={features - 1}\nobjective={_OBJECTIVES[forest.link].format(forest.sigmoid)}\n"
        f"{'average_output' + chr(10) if forest.average else ''}"
        f"feature_names={' '.join(f'f{number}' for number in range(features))}\n"
        f"feature_infos={' '.join(['[-1:1]'] * features)}\n"
        f"tree_sizes={' '.join(str(len(block)) for block in blocks)}\n\n"
        f"{''.join(blocks)}end of trees\n\nparameters:\nend of parameters\n"
    )


def _tree_text(tree: Node) -> str:
    """Splits are numbered as they are met from the root, leaves too; a child that is a leaf is written `~number`."""
    splits: list[Split] = []
    leaves: list[Leaf] = []
    children: dict[int, tuple[int, int]] = {}

    def number(node: Node) -> int:
        if isinstance(node, Leaf):
            leaves.append(node)
            return ~(len(leaves) - 1)
        splits.append(node)
        own = len(splits) - 1
        children[own] = (number(node.left), number(node.right))
        return own

    number(tree)
    sets = [split.codes for split in splits if split.codes is not None]
    places = itertools.count()
    thresholds = [split.threshold if split.codes is None else next(places) for split in splits]
    ways = [split.default_left << 1 | split.missing << 2 if split.codes is None else 1 for split in splits]
    lines = {
        "num_leaves": [len(leaves)],
        "num_cat": [len(sets)],
        "split_feature": [split.feature for split in splits],
        "threshold": thresholds,
        "decision_type": ways,
        "left_child": [children[place][0] for place in range(len(splits))],
        "right_child": [children[place][1] for place in range(len(splits))],
        "leaf_value": [leaf.value for leaf in leaves],
        "leaf_count": [leaf.rows for leaf in leaves],
        "internal_count": [split.rows for split in splits],
        **({"cat_boundaries": range(len(sets) + 1), "cat_threshold": map(_bits, sets)} if sets else {}),
    }
    text = "\n".join(f"{name}={' '.join(f'{value:.17g}' for value in values)}" for name, values in lines.items())
    return text + "\nis_linear=0\nshrinkage=1"


def _bits(codes: frozenset[int]) -> int:
    return sum(1 << code for code in codes)
