"""Getting ready: the kernels are compiled once on a machine and kept on disk; later starts only load them."""

from collections.abc import Callable
from importlib import import_module
from time import perf_counter

STEPS: tuple[tuple[str, str], ...] = (
    ("expressions", "tidegate.expressions.kernel"),
    ("rules", "tidegate.decisions.settle"),
    ("tables", "tidegate.decisions.tables.kernel"),
    ("scorecards", "tidegate.decisions.scorecards.kernel"),
    ("models", "tidegate.models.kernels"),
    ("explanations", "tidegate.models.shapley"),
    ("windows", "tidegate.features.windows"),
)
"""What has kernels, in words, and the module that holds them."""
PMML: tuple[tuple[str, str], ...] = (
    ("PMML models", "tidegate.models.pmml.kernels.run"),
    ("PMML models, one row", "tidegate.models.pmml.kernels.single"),
)
"""The same, for those who run models read from PMML."""


def prepare(report: Callable[[str, int, int], None] | None = None, steps: tuple[tuple[str, str], ...] = STEPS) -> float:
    """Compile or load every kernel, so that nothing waits for the compiler afterwards.

    Args:
        report: told before each step: what it is, how many are done, and how many there are.
        steps: which kernels.

    Returns:
        Seconds it took: about one from disk, some twenty the first time on a machine.
    """
    began = perf_counter()
    for done, (words, module) in enumerate(steps):
        if report is not None:
            report(words, done, len(steps))
        found = import_module(module)
        if words == "windows":
            found.Windows((), lateness=0).warm()
    return perf_counter() - began
