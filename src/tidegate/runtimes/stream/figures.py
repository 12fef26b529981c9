"""Figures about a running stream, in Prometheus' text form."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter, time
from typing import Any

from tidegate.decisions.decision import Decision
from tidegate.runtimes.engine import Refused
from tidegate.runtimes.letter_headers import CODES
from tidegate.runtimes.serve.metrics import Metrics


class Figures:
    """What a stream counts; the same names as a server's, and its own."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.now: Callable[[], float] = perf_counter
        self.taken = 0
        # From the start: of a series that begins with its first letter Prometheus sees no increase.
        self.letters: Counter[str] = Counter(dict.fromkeys(CODES, 0))
        self.metrics.counts["dead_letters"] = ("Messages that could not be taken, by reason.", "code", self.letters)
        self._deciding = self.metrics.add("decide_seconds", "From a batch's being taken to its being decided.")
        self._age = self.metrics.add("age_seconds", "From its timestamp to its commit, of a batch's first message.")

    def batch(
        self, messages: Sequence[Any], answers: Sequence[Any], letters: Mapping[str, int], began: float, decided: float
    ) -> None:
        """Count a batch that was committed just now.

        Args:
            messages: that were taken.
            answers: of the engine.
            letters: how many became dead letters, by reason.
            began, decided: when deciding began and when it ended, as `now` gives it.
        """
        metrics, committed = self.metrics, self.now()
        self.taken += len(messages)
        self.letters.update(letters)
        metrics.events.add(len(messages))
        self._deciding.add(decided - began)
        metrics.keeping.add(committed - decided)
        metrics.seconds.add(committed - began)
        kind, at = messages[0].timestamp()
        if kind:
            self._age.add(max(0.0, time() - at / 1000))
        kinds: Counter[str] = Counter()
        for answer in answers:
            if type(answer) is Decision:
                kinds["repeated" if answer.repeated else answer.outcome] += 1
            elif isinstance(answer, Refused):
                if answer.erased:
                    metrics.repeated += 1
                else:
                    metrics.refusals[answer.code] += 1
            else:
                kinds["repeated" if answer.repeated else "learned"] += 1
        metrics.repeated += kinds.pop("repeated", 0)
        metrics.learned += kinds.pop("learned", 0)
        metrics.outcomes.update(kinds)
