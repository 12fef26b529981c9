"""What those who asked are told of a batch: put into words while the disk is at work, and said once it is done."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from tidegate.decisions.decision import Decision
from tidegate.events.event import Event
from tidegate.evidence.elapsed import elapsed
from tidegate.evidence.record import Entry
from tidegate.runtimes.intake import Answer, Refused
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem, of_refusal

_ENCODE = msgspec.json.Encoder().encode

Told = tuple[bytes, bytes]
"""The JSON of an answer, and its timing as the header `Server-Timing` has it."""


class Reply(Protocol):
    """Where an answer goes: a future, or what writes it to a connection."""

    def done(self) -> bool:
        """Whether nobody waits for it any more."""

    def set_result(self, told: Told, /) -> None:
        """Answer."""

    def set_exception(self, problem: BaseException, /) -> None:
        """Say no."""


class Asked(msgspec.Struct, eq=False):
    """An event that waits for its turn."""

    event: Event
    learn: bool
    began: float
    answer: Reply


class Answering:
    """A batch on its way to the disk. Of its events nothing is held.

    Args:
        batch: who asked.
        began: when its turn did (perf_counter).
        deciding: how long deciding took, in seconds; what follows is keeping.
    """

    __slots__ = ("_asked", "_began", "_deciding", "_learned", "_outcomes", "_ready", "_repeated", "replies")

    def __init__(self, batch: list[Asked], began: float, deciding: float) -> None:
        self.replies = [asked.answer for asked in batch]
        self._asked = [asked.began for asked in batch]
        self._began, self._deciding = began, deciding
        self._ready: list[Told | Problem] = []
        self._outcomes: Counter[str] = Counter()
        self._repeated = self._learned = 0

    def prepare(self, answers: Sequence[Answer], kept: Sequence[Entry]) -> None:
        """Put the answers into words, up to how long keeping them took, which is known only afterwards.

        Args:
            answers: in the batch's order.
            kept: what was given to the store: where all of the batch was, what is told of an event is in it already.
        """
        began, deciding, ready = self._began, self._deciding, self._ready
        said: Sequence[tuple[bytes | None, bytes]] = [(entry.answer, entry.elapsed) for entry in kept]
        if len(said) < len(answers):
            said = [(None, elapsed(deciding * 1e6, (began - asked) * 1e6)) for asked in self._asked]
        header = b"wait;dur=%%.3f, decide;dur=%.3f, keep;dur=" % (deciding * 1e3)
        outcomes = []
        for asked, answer, (body, timing) in zip(self._asked, answers, said, strict=True):
            if type(answer) is Decision and not answer.repeated:
                outcomes.append(answer.outcome)
            elif isinstance(answer, Refused):
                self._repeated += answer.erased
                ready.append(of_refusal(answer))
                continue
            elif answer.repeated:
                self._repeated += 1
            else:
                self._learned += 1
            json = b'%b,"timing":%b,"keep":' % ((body or _ENCODE(answer))[:-1], timing[:-1])
            ready.append((json, header % ((began - asked) * 1e3)))
        self._outcomes.update(outcomes)

    def tell(self, metrics: Metrics, now: float) -> None:
        """Answer: the batch is safe by `now` (perf_counter)."""
        keeping = now - self._began - self._deciding
        end, milliseconds = b"%.1f}}" % (keeping * 1e6), b"%.3f" % (keeping * 1e3)
        for reply, ready in zip(self.replies, self._ready, strict=True):
            if reply.done():
                continue
            if isinstance(ready, Problem):
                reply.set_exception(ready)
            else:
                reply.set_result((ready[0] + end, ready[1] + milliseconds))
        metrics.keeping.add(keeping)
        metrics.seconds.add_all([now - asked for asked in self._asked])
        metrics.outcomes.update(self._outcomes)
        metrics.repeated += self._repeated
        metrics.learned += self._learned
