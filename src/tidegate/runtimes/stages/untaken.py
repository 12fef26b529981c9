"""The places of what was not taken, repeats and refusals, as runs: a topic that is read again is to leave them out.

Runs are of the rows that came to one shard: a run from 100 to 900 says that all of them between these offsets were not
taken, whatever went to other shards. Of a batch that was sent twice each shard has one, not one for each of its events.
"""

from array import array
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from tidegate.runtimes.stages.rows import Words

_NONE, _ANY = -1, 2**63 - 1
"""The newest offset that was taken: where none was, and where it is not known."""


class Runs:
    """Offsets of one partition that were not taken: first and last of each run, in order, 16 bytes in all.

    Args:
        taken: an offset behind which nothing was taken: what follows a run beyond it is part of the run.
    """

    def __init__(self, taken: int, firsts: Words | None = None, lasts: Words | None = None) -> None:
        self.taken = taken
        self.firsts = array("q", b"" if firsts is None else firsts.tobytes())
        self.lasts = array("q", b"" if lasts is None else lasts.tobytes())

    def __contains__(self, offset: int) -> bool:
        run = bisect_right(self.firsts, offset) - 1
        return run >= 0 and offset <= self.lasts[run]

    def add(self, offset: int) -> None:
        """It was not taken."""
        firsts, lasts = self.firsts, self.lasts
        after = bisect_right(firsts, offset)
        run = after - 1
        if run >= 0 and offset <= lasts[run]:
            return
        joins = run >= 0 and (lasts[run] == offset - 1 or self.taken < lasts[run])
        joined = after < len(firsts) and (firsts[after] == offset + 1 or self.taken < offset)
        if joins and joined:
            lasts[run] = lasts.pop(after)
            firsts.pop(after)
        elif joins:
            lasts[run] = offset
        elif joined:
            firsts[after] = offset
        else:
            firsts.insert(after, offset)
            lasts.insert(after, offset)

    def cut(self, offset: int) -> None:
        """It was taken."""
        firsts, lasts = self.firsts, self.lasts
        run = bisect_right(firsts, offset) - 1
        if run >= 0 and offset <= lasts[run]:
            last = lasts[run]
            lasts[run] = offset - 1
            if offset < last:
                firsts.insert(run + 1, offset + 1)
                lasts.insert(run + 1, last)
            if firsts[run] == offset:
                firsts.pop(run)
                lasts.pop(run)
        self.taken = max(self.taken, offset)


class Untaken:
    """What one shard did not take, by topic and partition."""

    def __init__(self) -> None:
        self._runs: dict[int, Runs] = {}
        self._taken = _NONE

    def has(self, source: int, offset: int) -> bool:
        """Whether what came from there was not taken."""
        runs = self._runs.get(source)
        return runs is not None and offset in runs

    def note(self, sources: Words, offsets: Words, untaken: NDArray[np.bool_]) -> dict[int, list[int]]:
        """Some rows came, of which these were not taken. Gives what `learn` has to be told, to know the same runs."""
        if not len(sources):
            return {}
        order = np.lexsort((offsets, sources))
        sources, offsets, untaken = sources[order], offsets[order], untaken[order]
        # of what was taken the last before each place that was not, and the newest: the others say no more than these
        telling = untaken | np.append((sources[1:] != sources[:-1]) | untaken[1:], True)
        marks = np.where(untaken, offsets, ~offsets)
        told = {}
        starts = np.flatnonzero(np.append(True, sources[1:] != sources[:-1]))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(sources)], strict=True):
            source, own = int(sources[start]), slice(start, end)
            lasts = self._of(source).lasts
            telling[own] |= offsets[own] <= (lasts[-1] if lasts else -1)  # it can lie in a run that is there
            told[source] = marks[own][telling[own]].tolist()
        self.learn(told)
        return told

    def learn(self, told: dict[int, list[int]]) -> None:
        """Know what `note` said: offsets in order, those that were taken inverted."""
        for source, marks in told.items():
            runs = self._of(source)
            for mark in marks:
                if mark < 0:
                    runs.cut(~mark)
                else:
                    runs.add(mark)

    def learn_places(self, places: dict[int, list[int]]) -> None:
        """Know what an earlier version said, which did not tell what was taken: from then on runs are of neighbours."""
        self._taken = _ANY
        for runs in self._runs.values():
            runs.taken = _ANY
        self.learn(places)

    def _of(self, source: int) -> Runs:
        if source not in self._runs:
            self._runs[source] = Runs(self._taken)
        return self._runs[source]

    def dump(self) -> dict[str, np.ndarray]:
        """As arrays: the runs by source, and the newest that was taken of each."""
        taken = [(-1, self._taken), *((source, runs.taken) for source, runs in self._runs.items())]
        arrays = {f"runs {source}": np.array([runs.firsts, runs.lasts]) for source, runs in self._runs.items()}
        return {"places": np.array(taken, np.int64)} | {name: runs for name, runs in arrays.items() if runs.size}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what `dump` gave, or an earlier version: places one by one."""
        if "places" not in arrays:
            named = {name: places for name, places in arrays.items() if name.startswith("untaken ")}
            self.learn_places({int(name.split()[1]): places.tolist() for name, places in named.items()})
            return
        for source, taken in arrays["places"].tolist():
            if source < 0:
                self._taken = taken
            else:
                self._runs[source] = Runs(taken, *arrays.get(f"runs {source}", ()))
