"""The second half of the demo: the days that follow, live through a durable store, and what is shown of them."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tidegate.cli.terminal import COLOURS, when
from tidegate.decisions.answer import OUTCOMES
from tidegate.decisions.decision import Decision
from tidegate.events.times import microseconds_of
from tidegate.models.reason import ModelReason
from tidegate.reports import Example, FiredRule, ModelFacts, ReplayFigures
from tidegate.runtimes.engine import Engine
from tidegate.solutions.card_fraud import Payment, bodies, said

if TYPE_CHECKING:
    from rich.console import RenderableType

TOGETHER = 64
"""Events that share a commit, as requests do that arrive together."""

_SHOWN = 8


@dataclass
class Seen:
    """What has been seen so far: one entry per decision in every list."""

    at: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    alarm: list[bool] = field(default_factory=list)
    fraud: list[bool] = field(default_factory=list)
    amount: list[int] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    fired: dict[str, list[int]] = field(default_factory=dict)
    events: int = 0


class LiveRun:
    """Runs the live days through an engine and remembers what it shows and reports.

    Args:
        engine: on its durable store.
        days: how many days are to be run.
        parts: in how many slices a day comes.
    """

    def __init__(self, engine: Engine, days: int, parts: int) -> None:
        self.engine, self.days, self.parts = engine, days, parts
        self.seen = Seen(fired={rule.name: [] for rule in engine.plan.rules})
        self.counts: Counter[str] = Counter()
        self.alarms: deque[tuple[Payment, Decision, bool]] = deque(maxlen=_SHOWN)
        self.best: list[tuple[float, Payment, Decision, bool]] = []
        self.missed: tuple[Payment, Decision] | None = None
        self.stages = {"read JSON": 0.0, "decide and learn": 0.0, "write and sync": 0.0}
        self.busy = 0.0
        self.slices = 0
        self._truth: dict[str, bool] = {}

    def run(self, slices: Iterator[dict[str, pl.DataFrame]]) -> Iterator[None]:
        """Decide everything; yields between batches, for the display to be drawn."""
        readers = {name: reader.read for name, reader in self.engine.readers.items()}
        for part in slices:
            payments = part["payment"]
            self._truth = dict(
                zip([f"p{number}" for number in payments["id"].to_list()], payments["fraud"].to_list(), strict=True)
            )
            sent = list(bodies(part))
            for start in range(0, len(sent), TOGETHER):
                self._some(sent[start : start + TOGETHER], readers)
                yield
            self.slices += 1

    def _some(self, sent: list[tuple[str, bytes]], readers: dict[str, Any]) -> None:
        began = perf_counter()
        events = [readers[name](line) for name, line in sent]
        read = perf_counter()
        answers = self.engine.process(events)
        took = perf_counter() - began
        self.busy += took
        self.stages["read JSON"] += read - began
        self.stages["decide and learn"] += self.engine.timing["decide"] / 1e6
        self.stages["write and sync"] += self.engine.timing["keep"] / 1e6
        self.seen.events += len(events)
        for event, answer in zip(events, answers, strict=True):
            if isinstance(answer, Decision):
                self._note(event, answer, took * 1e6)

    def _note(self, event: Payment, decision: Decision, latency: float) -> None:
        seen, row, fraud = self.seen, len(self.seen.at), self._truth.get(event.id, False)
        seen.at.append(microseconds_of(event.at))
        seen.outcome.append(OUTCOMES.index(decision.outcome))
        seen.score.append(decision.score if decision.score is not None else float("nan"))
        seen.alarm.append(decision.alarm)
        seen.fraud.append(fraud)
        seen.amount.append(event.amount.units)
        seen.latency.append(latency)
        for rule in decision.rules:
            seen.fired[rule.rule].append(row)
        self.counts[decision.outcome] += 1
        if decision.alarm:
            self.alarms.appendleft((event, decision, fraud))
            if len(decision.rules) > 1 or len(self.best) < 3:
                self.best = sorted(
                    [*self.best, (decision.score or 0.0, event, decision, fraud)], key=lambda one: -one[0]
                )[:3]
        elif (
            fraud
            and decision.outcome == "approve"
            and (self.missed is None or event.amount.units > self.missed[0].amount.units)
        ):
            self.missed = (event, decision)

    @property
    def rate(self) -> float:
        """Events a second while the engine was at work; the simulator and the drawing are left out."""
        return self.seen.events / self.busy if self.busy else 0.0

    def saved(self) -> tuple[float, float]:
        """The shares of frauds, by number and by value, that were declined or sent to review."""
        fraud = np.array(self.seen.fraud, bool)
        caught = fraud & (np.array(self.seen.outcome, np.int8) > 0)
        amount = np.array(self.seen.amount, np.int64)
        many, value = int(fraud.sum()), int(amount[fraud].sum())
        return (int(caught.sum()) / many if many else 0.0), (int(amount[caught].sum()) / value if value else 0.0)

    def display(self) -> "RenderableType":
        """What is happening, as a panel to be drawn again and again."""
        from rich.console import Group
        from rich.panel import Panel
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        seen = self.seen
        decided = len(seen.at)
        head = Table.grid(padding=(0, 2), expand=True)
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        share = self.slices / (self.days * self.parts)
        now = when(seen.at[-1])[:16] if seen.at else ""
        head.add_row(
            Text(now + " UTC", "bold"),
            ProgressBar(total=1.0, completed=share, complete_style="cyan", finished_style="cyan"),
        )
        figures = Table.grid(padding=(0, 3))
        times = np.array(seen.latency) / 1e3 if decided else np.zeros(1)
        found, value = self.saved()
        figures.add_row(
            _figure(f"{self.rate:,.0f}/s", "events"),
            _figure(f"{np.percentile(times, 50):.1f} ms", "p50, on disk"),
            _figure(f"{np.percentile(times, 99):.1f} ms", "p99, on disk"),
            _figure(f"{found:.0%}", "frauds stopped"),
            _figure(f"{value:.0%}", "of their value"),
        )
        outcomes = Table.grid(padding=(0, 2))
        for name in OUTCOMES:
            many = self.counts[name]
            part = many / decided if decided else 0.0
            outcomes.add_row(
                Text(name, COLOURS[name]),
                Text(f"{many:,}", justify="right"),
                Text(f"{part:.2%}", "dim"),
                _bar(part, COLOURS[name]),
            )
        return Panel(
            Group(head, Text(), figures, Text(), outcomes, Text(), self._alarms()),
            title="[bold]tidegate[/]  card payments, live", border_style="cyan", padding=(1, 2),
        )  # fmt: skip

    def _alarms(self) -> "RenderableType":
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=True)
        for name, style in (
            ("alarms", "bold"),
            ("at", "dim"),
            ("amount", ""),
            ("score", "red"),
            ("why", ""),
            ("it was", ""),
        ):
            table.add_column(
                name,
                style=style,
                no_wrap=True,
                ratio=1 if name == "why" else None,
                justify="right" if name == "amount" else "left",
            )
        for event, decision, fraud in self.alarms:
            words = (
                ", ".join(said(reason) for reason in decision.reasons[:2] if reason.contribution > 0)
                or decision.rules[0].because
            )
            table.add_row(
                event.id, when(microseconds_of(event.at))[5:16], str(event.amount), f"{decision.score:.3f}",
                Text(words, overflow="ellipsis"),
                Text("fraud", "red") if fraud else Text("honest", "green"),
            )  # fmt: skip
        for _ in range(_SHOWN - len(self.alarms)):
            table.add_row()
        return table

    def figures(self, seconds_made_at: int, version: str) -> ReplayFigures:
        """What the report is made of."""
        seen, plan = self.seen, self.engine.plan
        examples = [_example(event, decision, fraud) for _, event, decision, fraud in self.best]
        examples += [_example(*self.missed, True)] if self.missed else []
        return ReplayFigures(
            flow=plan.flow,
            digest=plan.digest,
            about=self.engine.definition.purpose,
            source=f"{self.days} simulated days, live through a durable store",
            at=np.array(seen.at, np.int64),
            outcome=np.array(seen.outcome, np.int8),
            score=np.array(seen.score, np.float64),
            alarm=np.array(seen.alarm, np.bool_),
            label=np.array(seen.fraud, np.int8),
            amount=np.array(seen.amount, np.int64),
            currency="EUR",
            outcomes=OUTCOMES,
            fired=tuple(
                FiredRule(
                    name=rule.name, outcome=OUTCOMES[rule.outcome], because=rule.because,
                    rows=np.array(seen.fired[rule.name], np.int64),
                )
                for rule in plan.rules
            ),
            latency_us=np.array(seen.latency),
            stages=self.stages,
            rows_read=seen.events,
            events_per_second=self.rate,
            models=tuple(_facts(name, model) for name, model in self.engine.models.items()),
            examples=tuple(examples),
            made_at=seconds_made_at,
            version=version,
        )  # fmt: skip


def _figure(value: str, words: str) -> "RenderableType":
    from rich.text import Text

    return Text.assemble((value, "bold"), "\n", (words, "dim"))


def _bar(share: float, colour: str) -> "RenderableType":
    from rich.text import Text

    # A square root, or the few that matter would not be seen beside the many that do not.
    return Text("█" * max(1 if share else 0, round(30 * share**0.5)), colour, no_wrap=True, overflow="crop")


def _facts(name: str, model: Any) -> ModelFacts:
    import msgspec

    return ModelFacts(name=name, digest=model.digest, metrics=msgspec.json.decode(model.files["card.json"])["metrics"])


def _sentence(reason: ModelReason) -> str:
    if said(reason) == reason.words:
        return reason.words
    return f"{said(reason)}, which {'raises' if reason.contribution > 0 else 'lowers'} the risk"


def _example(event: Payment, decision: Decision, fraud: bool) -> Example:
    words = [rule.because for rule in decision.rules] + [_sentence(reason) for reason in decision.reasons]
    return Example(
        id=decision.id, at=microseconds_of(event.at), outcome=decision.outcome, score=decision.score or 0.0,
        amount=event.amount.units, label=int(fraud), reasons=tuple(words) or ("No rule fired.",),
    )  # fmt: skip
