"""Snapshots come back as they went in, and one that is not whole is never used."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tidegate.errors import SnapshotError
from tidegate.evidence.snapshot import MAGIC, Snapshots, read, write

FLOW = bytes(range(32))
ROOT = b"r" * 32
arrays = hnp.arrays(
    st.sampled_from(["<i8", "<f8", "u1", "?", "<u4", ">i2", "<M8[us]", "<m8[s]", "<U3", "S5", "<c16"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)


def some(seq: int) -> dict[str, np.ndarray]:
    return {"cells": np.arange(seq, seq + 1000), "empty": np.zeros((0, 3)), "part": np.arange(20).reshape(4, 5)[:, ::2]}


@pytest.mark.parametrize("mapped", [False, True])
@given(named=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), arrays, max_size=5))
def test_any_arrays_come_back_bit_for_bit(mapped: bool, named: dict[str, np.ndarray]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one"
        written = write(path, seq=7, flow=FLOW, root=ROOT, arrays=named, about={"clock": 5})
        assert path.stat().st_size == written.size
        back = read(path, flow=[FLOW], mapped=mapped)
        assert (back.seq, back.flow, back.about, list(back.arrays)) == (7, FLOW, {"clock": 5}, list(named))
        for name, array in named.items():
            got = back.arrays[name]
            assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())
            assert got.flags.writeable
        del back


def test_what_was_read_may_be_changed_and_the_file_stays(tmp_path: Path) -> None:
    write(tmp_path / "one", seq=1, flow=FLOW, root=ROOT, arrays=some(1))
    before = (tmp_path / "one").read_bytes()
    for mapped in (False, True):
        read(tmp_path / "one", mapped=mapped).arrays["cells"][:] = 0
    assert (tmp_path / "one").read_bytes() == before


@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(at: float, bit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one"
        write(path, seq=1, flow=FLOW, root=ROOT, arrays=some(1))
        data = bytearray(path.read_bytes())
        data[int(at * len(data))] ^= 1 << bit
        path.write_bytes(data)
        with pytest.raises(SnapshotError, match="one"):
            read(path)


@pytest.mark.parametrize("left", [0, 1, 8, 20, 47, 48, 200, 5000, -1])
def test_a_snapshot_cut_short_is_noticed(tmp_path: Path, left: int) -> None:
    path = tmp_path / "one"
    write(path, seq=1, flow=FLOW, root=ROOT, arrays=some(1))
    path.write_bytes(path.read_bytes()[:left])
    for mapped in (False, True):
        with pytest.raises(SnapshotError, match=r"one .*(damaged|cannot be read|no snapshot)|one is no snapshot"):
            read(path, mapped=mapped)


def test_each_fault_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with pytest.raises(SnapshotError, match="There is no snapshot"):
        read(path)
    write(path, seq=1, flow=FLOW, root=ROOT, arrays=some(1))
    with pytest.raises(SnapshotError, match=r"of a flow with other windows, .*\. Seen: 0001"):
        read(path, flow=[b"x" * 32])
    with pytest.raises(SnapshotError, match="'names' cannot be kept"):
        write(path, seq=1, flow=FLOW, root=ROOT, arrays={"names": np.array(["a", None], dtype=object)})
    with pytest.raises(SnapshotError, match="could not be written"):
        write(tmp_path / "no folder" / "one", seq=1, flow=FLOW, root=ROOT, arrays={})
    header = json.dumps({"format": 9, "other": 1}).encode().ljust(48)
    data = MAGIC + len(header).to_bytes(8, "little") + header
    from hashlib import sha256

    path.write_bytes(data + sha256(data).digest())
    with pytest.raises(SnapshotError, match=r"another version of Tidegate\. Seen: format 9"):
        read(path)


def test_the_last_two_are_kept_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "snapshots")
    assert kept.latest().snapshot is None
    for seq in (5, 10, 15):
        kept.write(seq=seq, flow=FLOW, root=ROOT, arrays=some(seq))
    assert [int(path.stem) for path in kept.files()] == [15, 10]
    found = kept.latest(flow=[FLOW], up_to=15)
    assert found.snapshot is not None and found.snapshot.seq == 15 and found.passed_over == []
    newest = kept.files()[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    found = kept.latest(flow=[FLOW])
    assert found.snapshot is not None and found.snapshot.seq == 10
    assert [newest.name in str(error) for error in found.passed_over] == [True]
    assert np.array_equal(found.snapshot.arrays["cells"], some(10)["cells"])
    kept.files()[1].write_bytes(b"")
    found = kept.latest(flow=[FLOW])
    assert found.snapshot is None and len(found.passed_over) == 2


def test_a_snapshot_ahead_of_its_store_is_passed_over(tmp_path: Path) -> None:
    kept = Snapshots.beside(tmp_path / "s.db")
    kept.write(seq=5, flow=FLOW, root=ROOT, arrays=some(5))
    kept.write(seq=9, flow=FLOW, root=ROOT, arrays=some(9))
    found = kept.latest(flow=[FLOW], up_to=7)
    assert found.snapshot is not None and found.snapshot.seq == 5
    assert "ahead of its store" in str(found.passed_over[0]) and "ends at 7" in str(found.passed_over[0])


def test_a_snapshot_of_another_history_is_passed_over(tmp_path: Path) -> None:
    kept, roots = Snapshots.beside(tmp_path / "s.db"), {5: b"5" * 32, 9: b"9" * 32}
    kept.write(seq=5, flow=FLOW, arrays=some(5), root=roots[5])
    kept.write(seq=9, flow=FLOW, arrays=some(9), root=roots[9])
    found = kept.latest(flow=[FLOW], up_to=9, root_at=roots.get)
    assert found.snapshot is not None and found.snapshot.seq == 9 and found.snapshot.root == roots[9]
    for other in (roots | {9: b"x" * 32}, {5: roots[5]}):
        found = kept.latest(flow=[FLOW], up_to=9, root_at=other.get)
        assert found.snapshot is not None and found.snapshot.seq == 5
        assert "cannot be shown to be of the history" in str(found.passed_over[0])
    kept.write(seq=9, flow=FLOW, root=b"", arrays=some(9))  # as an older version did
    found = kept.latest(flow=[FLOW], up_to=9, root_at=roots.get)
    assert found.snapshot is not None and found.snapshot.seq == 5


def test_an_unfinished_snapshot_is_not_looked_at(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path)
    kept.write(seq=5, flow=FLOW, root=ROOT, arrays=some(5))
    (tmp_path / f"{6:019d}.snapshot.new").write_bytes(b"half")
    found = kept.latest()
    assert found.snapshot is not None and found.snapshot.seq == 5 and not found.passed_over
