"""The first half of the demo: a simulated past, what the flow knows at its end, and a model trained on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files_merge import Batch
from tidegate.connectors.store import Store
from tidegate.decisions.decider import Decider
from tidegate.decisions.state import state_digest
from tidegate.evidence.snapshot import Snapshots
from tidegate.features.plan import MISSING
from tidegate.models.artefact import Artefact
from tidegate.models.registry import Registry
from tidegate.models.training import train
from tidegate.runtimes.replay import Replay
from tidegate.solutions.card_fraud import CardFraud, batch
from tidegate.solutions.world import World

DAY = 86_400 * 10**6
Slice = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Size:
    """How large the demo is: people, days of history (`warm` of them too early to learn from), and days to run live."""

    customers: int
    merchants: int
    history: int
    warm: int
    live: int
    trees: int
    fraud_rate: float = 0.007
    seed: int = 11

    def world(self) -> World:
        """The world of the whole demo, the same every time."""
        days = self.history + self.live
        return World(
            seed=self.seed,
            customers=self.customers,
            merchants=self.merchants,
            days=days,
            start="2025-09-01",
            fraud_rate=self.fraud_rate,
        )


FULL = Size(customers=3_000, merchants=600, history=60, warm=10, live=14, trees=120)
SMALL = Size(customers=400, merchants=200, history=24, warm=3, live=3, trees=40, fraud_rate=0.04)


class History:
    """The flow over the simulated past: what its windows then know, and the features of every payment as of its time.

    Args:
        size: of the demo.
    """

    def __init__(self, size: Size) -> None:
        self.size = size
        self.replay = Replay(CardFraud, label="fraud", watch=self._note)
        self._model = next(model for segment in self.replay.plan.segments for model in segment.models)
        self._features: list[NDArray[np.float64]] = []
        self.payments = self.events = 0

    def live_through(self, slices: Iterator[Slice], parts: int, told: Callable[[float], None]) -> None:
        """Take the days of history from the world, each in so many parts; `told` is given the days that have passed."""
        for done, part in enumerate(islice(slices, self.size.history * parts), 1):
            events, order = batch(part, labels=True)
            self.replay.take(Batch(tuple(events), order))
            self.events += len(order)
            self.payments += part["payment"].height
            told(done / parts)

    def _note(self, decider: Decider, n: int, decisions: NDArray[np.bool_] | None) -> None:
        """Keep what the model would have been given."""
        rows: Any = slice(0, n) if decisions is None else np.flatnonzero(decisions)
        many = n if decisions is None else len(rows)
        noted = np.empty((len(self._model.inputs), many))
        for place, (column, kind) in enumerate(zip(self._model.inputs, self._model.types, strict=True)):
            if kind.is_float:
                noted[place] = decider.floats[column][rows]
            else:
                cells = decider.cells[column][rows]
                noted[place] = np.where(cells == MISSING, np.nan, cells)
        self._features.append(noted)

    @property
    def names(self) -> tuple[str, ...]:
        """What the model reads."""
        return self._model.names

    def table(self) -> pl.DataFrame:
        """Features, time and label of every payment whose past is long enough."""
        done = self.replay.result()
        values = np.concatenate(self._features, axis=1)
        columns: dict[str, Any] = dict(zip(self._model.names, values, strict=True))
        label = done.label if done.label is not None else np.zeros(len(done.at), np.int8)
        whole = pl.DataFrame(columns | {"at": done.at, "fraud": label == 1})
        return whole.filter(pl.col("at") >= int(done.at.min()) + self.size.warm * DAY)

    def fit(self) -> Artefact:
        """A model of the risk, judged on the last days of the history.

        One thread: on two cores that are also busy otherwise, two threads took three times as long as one.
        """
        made = train(
            self.table(), self._model.names, "fraud", "at",
            name="card-risk", flow=self.replay.plan.digest, rounds=self.size.trees,
            patience=20, refit=False, threads=1,
            parameters={
                "learning_rate": 0.1, "num_leaves": 15, "max_bin": 63, "min_data_in_leaf": 50, "lambda_l2": 5.0,
            },
        )  # fmt: skip
        return made.artefact

    def hand_over(self, folder: Path, artefact: Artefact) -> Store:
        """A store whose first snapshot holds what the windows know, and the model in a registry, both in the folder."""
        Registry(folder / "models").add(artefact, alias="champion")
        store = Store.open(folder / "tidegate.db")
        arrays, about = self.replay.decider.snapshot()
        state, head = state_digest(self.replay.plan), store.head()
        about |= {"newest": self.replay.decider.windows.clock}
        Snapshots.beside(store.place).write(seq=head.size, flow=state, arrays=arrays, about=about, root=head.root)
        return store
