"""jpmml-evaluator, asked in a Java machine of its own: one in this process would be Drools', and change its imports."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def evaluator(file: Path) -> Callable[[dict[str, Any]], Any]:
    """What jpmml-evaluator says of a row by the model in a file."""
    from jpmml_evaluator import make_evaluator
    from jpmml_evaluator.py4j import Py4JBackend

    evaluate: Callable[[dict[str, Any]], Any] = make_evaluator(str(file), backend=Py4JBackend()).evaluate
    return evaluate
