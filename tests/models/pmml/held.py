"""What a model says of rows, held to what jpmml-evaluator says of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.jpmml import evaluator
from tidegate.models.pmml.model import read_pmml

Asked = Callable[[str, bytes], Any]


def asked_in(folder: Path) -> Asked:
    """A way to ask jpmml-evaluator, which reads a file of the folder."""

    def asked(name: str, data: bytes) -> Any:
        file = Path(folder / f"{''.join(one if one.isalnum() else '_' for one in name)}.pmml")
        file.write_bytes(data)
        return evaluator(file)

    return asked


def compared(data: bytes, rows: Sequence[Mapping[str, Any]], ask: Callable[[dict[str, Any]], Any]) -> tuple[int, int]:
    """How many values were the same, and of how many rows it says nothing, as we then do."""
    model, same_values, refused = read_pmml(data), 0, 0
    for row in rows:
        seen = model.answer(row)
        try:
            wanted = ask(dict(row))
        except Exception:  # it raises where we answer with nothing, or with why not
            refused += 1
            assert seen.invalid or None in seen.values.values(), (row, seen)
            continue
        for key, value in seen.values.items():
            due = wanted.get(key)
            same = value == due or (isinstance(due, float) and value == pytest.approx(due, rel=1e-12, abs=1e-14))
            assert same, (row, key, seen, dict(wanted))
            same_values += 1
    return same_values, refused
