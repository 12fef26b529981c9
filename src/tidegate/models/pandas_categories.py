"""The categories that a LightGBM file keeps of pandas: what the codes in its trees stand for.

LightGBM's Python package replaces a column of categories by their places in the column's list of categories, and writes
the lists, in the order of the columns, on the file's last line. Which features they are of it does not write: they are
those that it lists as `categorical_feature`, unless some are ordered, which it takes for numbers, or others are codes
of the author's own. Then the lists cannot be told apart, and the file is refused.
"""

import json
import re
from collections.abc import Mapping, Sequence

from tidegate.errors import ModelError
from tidegate.events.depth import require_shallow

__all__ = ["pandas_categories"]

_LINE = "pandas_categorical:"
_LISTED = re.compile(r"\[categorical_feature: ([0-9,]*)\]")
_TEXTS = 'Train on texts (column.astype(str).astype("category")) that are no ordered categories, or on codes that the '
_DO = _TEXTS + "flow makes itself."


def pandas_categories(
    lines: Sequence[str], features: Sequence[str], infos: Sequence[str], *, name: str
) -> Mapping[str, tuple[str, ...]]:  # fmt: skip
    """The texts of each feature that was a column of texts as categories, by code.

    Categories that are the numbers 0, 1, … or false and true are their own codes, and need no list.

    Args:
        lines: those after the trees.
        infos: what the file's `feature_infos` say of each feature.
        name: what errors call the file.

    Raises:
        ModelError: the line is damaged, it cannot be told which features the lists are of, or a list is of values that
            a flow has no texts for.
    """
    lists = _lists(lines, name)
    if not lists:
        return {}
    listed = next((said[1] for line in lines if (said := _LISTED.fullmatch(line.strip()))), "")
    places = {int(place) for place in listed.split(",") if place}
    places |= {place for place, info in enumerate(infos) if ":" in info and not info.startswith("[")}
    if len(places) != len(lists) or max(places, default=0) >= len(features):
        known = ", ".join(features[place] for place in sorted(places) if place < len(features))
        raise ModelError(
            f"{name} was trained on a table of pandas with {len(lists)} columns of categories, and does not say which.",
            seen=f"{len(places)} features that may be those: {known or 'none'}", do=_DO,
        )  # fmt: skip
    found = dict[str, tuple[str, ...]]()
    for place, values in zip(sorted(places), lists, strict=True):
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) == len(values):
            found[features[place]] = texts
        elif values != list(range(len(values))):
            raise ModelError(
                f"{name} was trained on {features[place]!r} as categories of pandas that are no texts.",
                seen=", ".join(repr(value) for value in values[:8]), do=_DO,
            )  # fmt: skip
    return found


def _lists(lines: Sequence[str], name: str) -> list[list[str | float | bool | None]]:
    """The lists of categories, one per column of categories."""
    line = next((line for line in reversed(lines) if line.startswith(_LINE)), _LINE + "null")
    try:
        require_shallow(line)
        lists = json.loads(line.removeprefix(_LINE)) or []
    except (ValueError, RecursionError):
        lists = None
    if not isinstance(lists, list) or not all(isinstance(one, list) for one in lists):
        raise ModelError(
            f"{name} has a line `pandas_categorical` that is damaged.", seen=line[:80],
            do="Save the model again with Booster.save_model and use that file.",
        )  # fmt: skip
    return lists
