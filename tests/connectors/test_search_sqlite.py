"""The index without a server finds what the plain reading of a query finds."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actions.drawn import QUERY, documents
from tests.actions.oracle import found, numbers, texts
from tidegate.actions.document import Document, time_of
from tidegate.actions.query import All, fields, parse
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.errors import StoreError, TidegateError


def known(made: list[Document]) -> set[str]:
    return {name for one in made for name in (*one.words, *one.numbers)} | {
        "id", "kind", "outcome", "level", "flow", "rule", "alarm", "score",
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(documents(), st.lists(QUERY, min_size=1, max_size=6), st.integers(1, 5), st.data())
def test_it_finds_what_is_meant(made: list[Document], queries: list, limit: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, AlertsFile(Path(folder) / "a") as file:
        index = SqliteIndex(file)
        cut = data.draw(st.integers(0, len(made)))
        assert index.send(made[:cut]) == [] == index.send(made)  # some of them twice
        for query in queries:
            if set(fields(query)) - known(made):
                with pytest.raises(TidegateError, match="No decision in the index has a field"):
                    index.search(query)
                continue
            wanted, got, after = found(query, made), [], ""
            while True:
                page = index.search(query, limit=limit, after=after)
                assert page.total == len(wanted) and len(page.documents) <= limit
                got += [one.id for one in page.documents]
                after = page.after
                if not after:
                    break
            assert got == wanted


@settings(max_examples=50, deadline=None)
@given(documents())
def test_facets_count(made: list[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder, AlertsFile(Path(folder) / "a") as file:
        index = SqliteIndex(file)
        index.send(made)
        for field in known(made):
            counts = dict(index.search(All(()), facets=[field]).facets[field])
            plain: dict[str, int] = {}
            for one in made:
                for value in [*texts(one, field), *(f"{number:.15g}" for number in numbers(one, field))]:
                    plain[value] = plain.get(value, 0) + 1
            assert counts == plain


def one(seq: int, **more: object) -> Document:
    return Document(seq=seq, id=f"e{seq}", at=time_of(seq), us=seq, kind="P", outcome="approve", text=f"e{seq}", **more)


def test_documents_that_the_store_lost_are_forgotten(tmp_path: Path) -> None:
    with AlertsFile(tmp_path / "a") as file:
        index = SqliteIndex(file)
        index.send([one(1), one(2), one(3)])
        index.forget_after(1)
        assert [hit.id for hit in index.search(parse("")).documents] == ["e1"]
        assert not index.search(parse("e3")).total
        index.send([one(2, words={"city": "Rome"})])
        assert [hit.id for hit in index.search(parse("city:rome")).documents] == ["e2"]
        assert index.search(parse("e2")).total == 1


def test_the_nearest_field_is_named(tmp_path: Path) -> None:
    with AlertsFile(tmp_path / "a") as file:
        index = SqliteIndex(file)
        index.send([one(1, numbers={"amount": 3.0})])
        with pytest.raises(TidegateError, match="Did you mean amount"):
            index.search(parse("amuont>3"))
        with pytest.raises(TidegateError, match="where a page ends"):
            index.search(parse(""), after="x")


def test_two_processes_may_have_the_file(tmp_path: Path) -> None:
    with AlertsFile(tmp_path / "a") as file, AlertsFile(tmp_path / "a") as other:
        first, second = SqliteIndex(file), SqliteIndex(other)
        first.send([one(1, words={"city": "Rome"})])
        second.send([one(1, words={"city": "Rome"}), one(2, words={"city": "Oslo", "land": "NO"})])
        first.send([one(3, words={"land": "IT"})])
        assert [hit.id for hit in first.search(parse("land:*")).documents] == ["e3", "e2"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match="no file of alerts"):
        AlertsFile(tmp_path / "a")


def test_it_is_known_that_a_field_has_more_values_than_are_counted(tmp_path: Path) -> None:
    with AlertsFile(tmp_path / "a") as file:
        index = SqliteIndex(file)
        for seq in range(1, 23):
            index.send([
                Document(
                    seq=seq, id=f"e{seq}", at=time_of(seq), us=seq, kind="P", outcome="approve", text="",
                    words={"card": f"c{min(seq, 20)}", "shop": f"s{seq}"}, numbers={"amount": float(seq)},
                )
            ])  # fmt: skip
        page = index.search(All(()), facets=["card", "shop", "amount"])
        assert [len(page.facets[name]) for name in ("card", "shop", "amount")] == [20, 20, 20]
        assert page.cut == ["shop", "amount"] and page.facets["card"][0] == ("c20", 3)
