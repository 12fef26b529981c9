"""Figures about a running stream, in Prometheus' text form."""

from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from tidegate.decisions.decision import Decision
from tidegate.runtimes.engine import Refused
from tidegate.runtimes.serve.metrics import Metrics


class Figures:
    """What a stream counts; the same names as a server's, and its own."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.now: Callable[[], float] = perf_counter
        self.taken = 0

    def batch(
        self, messages: int, answers: Sequence[Any], letters: int, began: float, decided: float, committed: float
    ) -> None:
        """Count a batch that was committed."""
        metrics = self.metrics
        self.taken += messages
        metrics.events.add(messages)
        metrics.keeping.add(committed - decided)
        metrics.seconds.add(committed - began)
        kinds: Counter[str] = Counter()
        for answer in answers:
            if type(answer) is Decision:
                kinds["repeated" if answer.repeated else answer.outcome] += 1
            elif isinstance(answer, Refused):
                metrics.refusals[answer.code] += 1
            else:
                kinds["repeated" if answer.repeated else "learned"] += 1
        metrics.repeated += kinds.pop("repeated", 0)
        metrics.learned += kinds.pop("learned", 0)
        metrics.outcomes.update(kinds)
        metrics.refusals["dead-letter"] += letters
