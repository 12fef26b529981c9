"""A forest written as PMML 4.4: a sum of trees, and for a probability a logistic regression of the sum after it.

XGBoost computes in floats of 32 bits. Its features are `float` fields, so that a value is rounded before it is compared
and goes XGBoost's way to the bit; sums are doubles in PMML, so they differ from XGBoost's own by what it rounds away.
"""

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.kernels import ZERO
from tidegate.models.lightgbm import Forest, Tree

__all__ = ["forest_pmml"]

RAW = "raw_score"
_SCORE = "score"
_LINKED = {
    "exponential": f'<Apply function="exp"><FieldRef field="{RAW}"/></Apply>',
    "step": f'<Apply function="if"><Apply function="greaterThan"><FieldRef field="{RAW}"/><Constant dataType="double">0'
    '</Constant></Apply><Constant dataType="double">1</Constant><Constant dataType="double">0</Constant></Apply>',
}
"""What the answer is of the sum, where it is neither the sum nor a probability."""


def forest_pmml(forest: Forest, *, name: str = "", categories: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """A LightGBM or XGBoost model as PMML.

    A probability becomes a model of a target of 0 and 1 with the outputs `probability(0)` and `probability(1)`, any
    other answer the output `score`. Numbers are written so that they are read back to the bit.

    What an XGBoost model's sums begin with is a tree of one leaf, the first.

    Args:
        forest: the trees.
        name: what the model is called in the document.
        categories: per categorical feature its texts by code.

    Raises:
        ModelError: the answer is made in a way that PMML has no word for, or an average.
    """
    if forest.link == "signed_square":
        raise ModelError(
            "A model trained with reg_sqrt cannot be written as PMML.", seen=forest.objective, do="Train without it."
        )
    texts = dict(categories or {})
    engine = "XGBoost" if forest.single else "LightGBM"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">',
        f'<Header description={quoteattr(f"{engine}, {forest.objective}")}><Application name="Tidegate"/></Header>',
        *_dictionary(forest, texts),
        *(_chain(forest, name, texts) if forest.link == "logistic" else _plain(forest, name, texts)),
        "</PMML>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _dictionary(forest: Forest, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "<DataDictionary>"
    number = "float" if forest.single else "double"
    for feature in forest.features:
        kind, optype = ("string", "categorical") if feature in texts else (number, "continuous")
        yield f'<DataField name={quoteattr(feature)} optype="{optype}" dataType="{kind}"/>'
    if forest.link == "logistic":
        yield '<DataField name="target" optype="categorical" dataType="integer"><Value value="0"/><Value value="1"/>'
        yield "</DataField>"
    else:
        yield f'<DataField name="{_SCORE}" optype="continuous" dataType="double"/>'
    yield "</DataDictionary>"


def _schema(forest: Forest, target: str = "") -> Iterator[str]:
    yield "<MiningSchema>"
    for feature in forest.features:
        yield f'<MiningField name={quoteattr(feature)} invalidValueTreatment="asIs"/>'
    if target:
        yield f'<MiningField name="{target}" usageType="target"/>'
    yield "</MiningSchema>"


def _chain(forest: Forest, name: str, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f'<MiningModel modelName={quoteattr(name)} functionName="classification">'
    yield from _schema(forest, "target")
    yield '<Segmentation multipleModelMethod="modelChain"><Segment id="1"><True/>'
    yield '<MiningModel functionName="regression">'
    yield from _schema(forest)
    yield f'<Output><OutputField name="{RAW}" feature="predictedValue" optype="continuous" dataType="double"'
    yield ' isFinalResult="false"/></Output>'
    yield from _trees(forest, texts)
    yield "</MiningModel></Segment>"
    yield '<Segment id="2"><True/><RegressionModel functionName="classification" normalizationMethod="logit">'
    yield f'<MiningSchema><MiningField name="{RAW}"/><MiningField name="target" usageType="target"/></MiningSchema>'
    yield "<Output>"
    for label in ("0", "1"):
        yield f'<OutputField name="probability({label})" feature="probability" value="{label}" optype="continuous"'
        yield ' dataType="double"/>'
    yield '</Output><RegressionTable intercept="0" targetCategory="1">'
    yield f'<NumericPredictor name="{RAW}" coefficient="{forest.sigmoid!r}"/></RegressionTable>'
    yield '<RegressionTable intercept="0" targetCategory="0"/></RegressionModel></Segment></Segmentation></MiningModel>'


def _plain(forest: Forest, name: str, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f'<MiningModel modelName={quoteattr(name)} functionName="regression">'
    yield from _schema(forest, _SCORE)
    made = _LINKED.get(forest.link, "")
    feature = f'feature="{"transformedValue" if made else "predictedValue"}"'
    yield f'<Output><OutputField name="{RAW}" feature="predictedValue" optype="continuous" dataType="double"'
    yield ' isFinalResult="false"/>'
    yield f'<OutputField name="{_SCORE}" {feature} optype="continuous" dataType="double">'
    yield f"{made}</OutputField></Output>"
    yield from _trees(forest, texts)
    yield "</MiningModel>"


def _trees(forest: Forest, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f'<Segmentation multipleModelMethod="{"average" if forest.average else "sum"}">'
    if forest.single:
        yield '<Segment id="0"><True/><TreeModel functionName="regression"><MiningSchema/>'
        yield f'<Node id="l0" score="{forest.start!r}"><True/></Node></TreeModel></Segment>'
    for place, tree in enumerate(forest.trees, start=1):
        yield f'<Segment id="{place}"><True/>'
        yield '<TreeModel functionName="regression" missingValueStrategy="defaultChild" splitCharacteristic="binarySplit">'  # noqa: E501
        used = [forest.features[k] for k in sorted({int(k) for k in tree.feature})]
        yield "<MiningSchema>" + "".join(f"<MiningField name={quoteattr(one)}/>" for one in used) + "</MiningSchema>"
        yield from _nodes(tree, forest, texts)
        yield "</TreeModel></Segment>"
    yield "</Segmentation>"


def _nodes(tree: Tree, forest: Forest, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The nodes from the root down; what is closed is put on the stack as text."""
    todo: list[str | tuple[int, str]] = [(0 if len(tree.feature) else ~0, "<True/>")]
    while todo:
        step = todo.pop()
        if isinstance(step, str):
            yield step
            continue
        node, predicate = step
        if node < 0:
            records = _records(tree.leaf_count, ~node)
            yield f'<Node id="{_id(node)}" score="{float(tree.leaf_value[~node])!r}"{records}>{predicate}</Node>'
            continue
        left, right = int(tree.left[node]), int(tree.right[node])
        default = left if _missing_left(tree, node, single=forest.single) else right
        records = _records(tree.split_count, node)
        yield f'<Node id="{_id(node)}"{records} defaultChild="{_id(default)}">{predicate}'
        ways = [_goes(tree, node, forest, texts, left=which) for which in (False, True)]
        todo += ["</Node>", (right, ways[0]), (left, ways[1])]


def _records(counts: NDArray[np.float64], place: int) -> str:
    """How many training rows reached a node, which contributions are made of; nothing if that is not known."""
    return f' recordCount="{float(counts[place])!r}"' if len(counts) else ""


def _id(node: int) -> str:
    return f"l{~node}" if node < 0 else f"s{node}"


def _missing_left(tree: Tree, node: int, *, single: bool) -> bool:
    if tree.set_of[node] >= 0 and not single:
        return False
    if tree.missing[node] == 0:  # a missing value counts as zero
        return bool(float(tree.threshold[node]) >= 0.0)
    return bool(tree.default_left[node])


def _goes(tree: Tree, node: int, forest: Forest, texts: Mapping[str, Sequence[str]], *, left: bool) -> str:
    """When a row goes left, or right: both are unknown of a missing value, since some engines (pmml4s) try the second
    child before they take the default one."""
    feature = forest.features[int(tree.feature[node])]
    field = f"field={quoteattr(feature)}"
    if tree.set_of[node] >= 0:
        words = tree.categories[int(tree.set_of[node])]
        codes = [32 * w + bit for w, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1]
        known, how = texts.get(feature), f'booleanOperator="{"isIn" if left else "isNotIn"}"'
        if known is not None:
            items = " ".join(_quoted(known[code]) for code in codes if code < len(known))
            return f'<SimpleSetPredicate {field} {how}><Array type="string">{items}</Array></SimpleSetPredicate>'
        items = " ".join(str(code) for code in codes)
        return f'<SimpleSetPredicate {field} {how}><Array type="int">{items}</Array></SimpleSetPredicate>'
    if forest.single:  # whose file says "less than" the number that comes next
        limit = float(np.nextafter(np.float32(tree.threshold[node]), np.float32(np.inf)))
        return f'<SimplePredicate {field} operator="{"lessThan" if left else "greaterOrEqual"}" value="{limit!r}"/>'
    limit = float(tree.threshold[node])
    below = f'<SimplePredicate {field} operator="{"lessOrEqual" if left else "greaterThan"}" value="{limit!r}"/>'
    if tree.missing[node] != 1:
        return below
    if not left:
        return "<True/>"
    # Zero is missing here, and goes the default way whatever the threshold.
    if tree.default_left[node]:
        near = (f'<SimplePredicate {field} operator="greaterOrEqual" value="{-ZERO!r}"/>'
                f'<SimplePredicate {field} operator="lessOrEqual" value="{ZERO!r}"/>')  # fmt: skip
        zero = f'<CompoundPredicate booleanOperator="and">{near}</CompoundPredicate>'
        return f'<CompoundPredicate booleanOperator="or">{below}{zero}</CompoundPredicate>'
    far = (f'<SimplePredicate {field} operator="lessThan" value="{-ZERO!r}"/>'
           f'<SimplePredicate {field} operator="greaterThan" value="{ZERO!r}"/>')  # fmt: skip
    away = f'<CompoundPredicate booleanOperator="or">{far}</CompoundPredicate>'
    return f'<CompoundPredicate booleanOperator="and">{below}{away}</CompoundPredicate>'


def _quoted(text: str) -> str:
    """An item of an array of texts."""

    return escape('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
