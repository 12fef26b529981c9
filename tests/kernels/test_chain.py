"""Steps that are taken in their order, whether a kernel takes them, Python, or first the one and then the other."""

import threading
import weakref

import numpy as np
import pytest
from numpy.typing import NDArray

from tidegate.kernels.chain import STEP, Chain, Native, Step, grid_at, row_at
from tidegate.kernels.compiled import compiled


@compiled(STEP)
def _note(table: int, n: int) -> int:
    """Note a number and the rows; stops where it is asked to."""
    given = row_at(table, 6)
    notes = grid_at(given[0], given[1], given[2])
    place = notes[0, 0]
    notes[0, 0] += 1
    notes[1, place], notes[2, place] = given[3], n
    if given[5]:
        raise MemoryError("no more")
    return given[4]


class Notes:
    """What was done, in order."""

    def __init__(self) -> None:
        self.cells: NDArray[np.int64] = np.zeros((3, 32), np.int64)

    def native(self, number: int, *, stops: bool = False, raises: bool = False) -> Native:
        return Native.of(_note, self.cells, number, int(stops), int(raises))

    def python(self, number: int) -> Step:
        return Step(take=lambda n: self._write(number, n))

    def ended(self, number: int) -> Step:
        return Step(self.native(number, stops=True), lambda n: self._write(-number, n))

    def _write(self, number: int, n: int) -> None:
        place = int(self.cells[0, 0])
        self.cells[0, 0] += 1
        self.cells[1:, place] = number, n

    @property
    def found(self) -> list[tuple[int, int]]:
        rows: list[list[int]] = self.cells[1:, : int(self.cells[0, 0])].T.tolist()
        return [(number, n) for number, n in rows]


def test_steps_are_taken_in_their_order() -> None:
    notes = Notes()
    steps = [
        notes.python(1), Step(notes.native(2)), Step(notes.native(3)), notes.ended(4), notes.python(5), notes.ended(6)
    ]  # fmt: skip
    chain = Chain(steps, 32)
    chain.run(7)
    assert notes.found == [(number, 7) for number in (1, 2, 3, 4, -4, 5, 6, -6)]
    chain.run(0)
    assert len(notes.found) == 16


def test_no_steps_are_a_chain_too() -> None:
    Chain([], 3).run(3)


def test_what_a_kernel_or_python_raises_ends_the_chain() -> None:
    notes = Notes()
    broken = Chain([Step(notes.native(1)), Step(notes.native(2, raises=True)), Step(notes.native(3))], 9)
    with pytest.raises(MemoryError, match="no more"):
        broken.run(1)
    assert [number for number, _ in notes.found] == [1, 2]
    lost = Chain([Step(take=lambda n: 1 // (n - n)), Step(notes.native(3))], 9)
    with pytest.raises(ZeroDivisionError):
        lost.run(1)
    assert len(notes.found) == 2


def test_a_kernel_that_stops_without_anyone_to_end_it_is_told() -> None:
    with pytest.raises(AssertionError, match="of 9 rows"):
        Chain([Step(Notes().native(1, stops=True))], 9).run(9)


@pytest.mark.parametrize("found", [1, 2, -1, -(2**63)])
def test_a_kernel_stops_with_any_number_but_0(found: int) -> None:
    notes = Notes()
    stopping = Native.of(_note, notes.cells, 1, found, 0)
    Chain([Step(stopping, lambda n: notes._write(-1, n)), notes.python(2)], 3).run(3)
    assert notes.found == [(1, 3), (-1, 3), (2, 3)]


def test_what_a_table_holds_addresses_of_stays_as_long_as_the_kernel() -> None:
    given, table, other = np.zeros((3, 32), np.int64), np.zeros(6, np.int64), np.zeros(1, np.int64)
    kept = [weakref.ref(given), weakref.ref(table), weakref.ref(other)]
    natives = [Native.of(_note, given, 1, 0, 0), Native(_note, table, other)]
    del given, table, other
    assert all(one() is not None for one in kept)
    natives.clear()
    assert all(one() is None for one in kept)


def test_chains_of_several_threads_stay_apart() -> None:
    many = [Notes() for _ in range(4)]

    def work(notes: Notes) -> None:
        chain = Chain([Step(notes.native(1)), notes.ended(2), Step(notes.native(3))], 4)
        for n in range(5):
            chain.run(n)

    threads = [threading.Thread(target=work, args=(notes,)) for notes in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for notes in many:
        assert notes.found == [(number, n) for n in range(5) for number in (1, 2, -2, 3)]


def test_more_rows_than_there_is_room_for_are_refused() -> None:
    notes = Notes()
    chain = Chain([Step(notes.native(1))], 8)
    for n in (9, -1):
        with pytest.raises(ValueError, match="8 given"):
            chain.run(n)
    assert notes.found == []


@compiled("int64(int64)")
def _other(table: int) -> int:
    return table


def test_what_a_kernel_could_not_read_is_refused() -> None:
    cells = np.zeros((4, 8), np.int64)
    for wrong in (cells[:, ::2], cells.T, cells.astype(np.int32), cells.astype("S8")):
        with pytest.raises(TypeError, match="lie one after another"):
            Native.of(_note, wrong, 1, 0, 0)
    with pytest.raises(TypeError, match="not int64"):
        Native.of(_other, cells)
