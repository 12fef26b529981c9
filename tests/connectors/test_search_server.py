"""Elasticsearch and OpenSearch, both real: what is found, what is sent twice, what is rejected, and being killed."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actions.drawn import QUERY, documents
from tests.actions.oracle import found
from tests.connectors.test_search_sqlite import known
from tests.runtimes.test_delivery import decide, ids
from tests.servers.search import Node, OpenSearch
from tidegate import Store
from tidegate.actions.document import Document, time_of
from tidegate.actions.query import fields, parse
from tidegate.actions.sink import Gone, UnavailableError
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_server import SearchServer
from tidegate.connectors.told import Told
from tidegate.errors import TidegateError
from tidegate.runtimes.delivery import Delivery
from tidegate.runtimes.sinks import search_server

JUNE, JULY = 1_780_272_000_000_000, 1_782_864_000_000_000


# Elasticsearch's node from Maven comes without its module of data streams.
@pytest.fixture(params=["opensearch/NAME", "opensearch/NAME?stream=1", "elasticsearch/NAME"])
def index(request: pytest.FixtureRequest, own: str) -> Iterator[SearchServer]:
    product, _, rest = request.param.partition("/")
    node: Node = request.getfixturevalue(product)
    made = search_server(f"{node.address}/{rest.replace('NAME', own)}")
    yield made
    made.close()


def ask(index: SearchServer, method: str, path: str, body: bytes | None = None) -> None:
    answer = index._client.ask(method, path, body=body)
    assert answer.status < 300, answer


def there(index: SearchServer) -> list[str]:
    """The ids of all documents; one that is there twice is twice in it."""
    ask(index, "POST", f"/{index._pattern}/_refresh")
    return sorted(hit.id for hit in index.search(parse(""), limit=1000).documents)


def one(seq: int, at: int = JUNE, **more: object) -> Document:
    return Document(seq=seq, id=f"e{seq}", at=time_of(at), us=at, kind="P", outcome="approve", text=f"e{seq}", **more)


NUMBER = iter(range(1_000_000))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.lists(QUERY, min_size=4, max_size=12), st.integers(1, 5), st.data())
def test_it_finds_what_is_meant(
    index: SearchServer, made: list[Document], queries: list, limit: int, data: st.DataObject
) -> None:
    index = SearchServer(index._client, f"{index._index}-{next(NUMBER)}", stream=index._stream)
    cut = data.draw(st.integers(0, len(made)))
    assert index.send(made[:cut]) == []
    index._doubtful = True  # as after a restart
    assert index.send(made) == []
    if made:
        assert there(index) == sorted(one.id for one in made)
    for query in queries:
        if set(fields(query)) - known(made):
            with pytest.raises(TidegateError, match="No decision in the index has a field"):
                index.search(query)
            continue
        wanted, got, after = found(query, made), [], ""
        while True:
            page = index.search(query, limit=limit, after=after, facets=["rule", "alarm"])
            assert page.total == len(wanted) and len(page.documents) <= limit
            got += [one.id for one in page.documents]
            after = page.after
            if not after:
                break
        assert got == wanted
        chosen = [one for one in made if one.id in wanted]
        assert sum(dict(page.facets["rule"]).values()) == sum(len(one.rule) for one in chosen)
        alarms = Counter("true" if one.alarm else "false" for one in chosen)
        assert dict(page.facets["alarm"]) == alarms


def test_a_value_is_counted_that_is_frequent_in_no_month_alone(index: SearchServer) -> None:
    cards = [(at, f"c{number}-{at}") for at in (JUNE, JULY) for number in range(50) for _ in range(3)]
    cards += [(at, "both") for at in (JUNE, JULY) for _ in range(2)]
    index.send([one(seq, at, words={"card": card}) for seq, (at, card) in enumerate(cards, 1)])
    there(index)
    page = index.search(parse(""), limit=1, facets=["card", "outcome"])
    assert page.facets["card"][0] == ("both", 4) and len(page.facets["card"]) == 20
    assert page.cut == ["card"]  # of 101


def test_what_is_sent_again_after_a_rollover_is_there_once(index: SearchServer) -> None:
    index.send([one(1), one(2, JULY)])
    if index._stream:
        ask(index, "POST", f"/{index._index}/_rollover")
    again = SearchServer(index._client, index._index, stream=index._stream)
    assert again.send([one(1), one(2, JULY), one(3, JULY)]) == []
    assert there(index) == ["e1", "e2", "e3"]


def test_what_is_to_be_forgotten_is_gone_wherever_it_lies(index: SearchServer) -> None:
    index.send([one(1), one(2, JULY)])
    if index._stream:
        ask(index, "POST", f"/{index._index}/_rollover")
    index.send([one(3, JULY)])
    for _ in range(2):  # and once more, as after an answer that was lost
        index.forget([Gone(1, "e1", JUNE), Gone(2, "e2", JULY), Gone(9, "never", JULY)])
        assert there(index) == ["e3"]


def test_one_that_does_not_fit_is_rejected_and_the_others_are_there(index: SearchServer) -> None:
    index.send([one(1)])
    where = f"/{index._index}/_mapping" if index._stream else f"/{index._index}-2026.06/_mapping"
    ask(index, "PUT", where, b'{"properties":{"words":{"properties":{"when":{"type":"date"}}}}}')
    rejected = index.send([one(2, words={"when": "2026-01-01"}), one(3, words={"when": "never"}), one(4)])
    assert [fault.id for fault in rejected] == ["e3"] and "400" in rejected[0].reason and "when" in rejected[0].reason
    assert there(index) == ["e1", "e2", "e4"]


def test_while_an_index_cannot_be_written_nothing_is_rejected(index: SearchServer) -> None:
    index.send([one(1)])
    settings = f"/{index._index if index._stream else index._index + '-2*'}/_settings"
    ask(index, "PUT", settings, b'{"index.blocks.read_only_allow_delete":true}')  # as when the disk is full
    with pytest.raises(UnavailableError, match="did not take all documents"):
        index.send([one(2)])
    ask(index, "PUT", settings, b'{"index.blocks.read_only_allow_delete":null}')
    assert index.send([one(2)]) == [] and there(index) == ["e1", "e2"]


@pytest.mark.parametrize("version", [b'"version":7,', b'"version":0,', b""])
def test_a_template_of_someone_elses_is_left_alone(index: SearchServer, version: bytes) -> None:
    path = f"/_index_template/{index._index}"
    theirs = b'{"index_patterns":["%b*"],%b"template":{}}' % (index._index.encode(), version)
    if index._stream:
        theirs = theirs.replace(b'"template"', b'"data_stream":{},"template"')
    ask(index, "PUT", path, theirs)
    index.send([one(1)])
    found = index._client.ask("GET", path).body["index_templates"][0]["index_template"]
    assert "_meta" not in found and "mappings" not in found["template"]


def test_a_name_that_is_none_is_told_and_not_taken_for_an_empty_index(index: SearchServer) -> None:
    index.send([one(1)])
    ask(index, "POST", f"/{index._pattern}/_refresh")
    misspelled = SearchServer(index._client, index._index[:-1], stream=index._stream)
    with pytest.raises(TidegateError, match=f"no index of decisions {index._index[:-1]} .*one called {index._index}"):
        misspelled.search(parse("kind:Payment"))
    otherwise = SearchServer(index._client, index._index, stream=not index._stream)
    if not index._stream:  # a data stream of that name is no index there either
        with pytest.raises(TidegateError, match=r"is no data stream.*Leave out \?stream=1"):
            otherwise.search(parse("kind:Payment"))
    else:
        with pytest.raises(TidegateError, match=r"is a data stream.*Write \?stream=1"):
            otherwise.search(parse("kind:Payment"))
    begun = SearchServer(index._client, f"{index._index}-new", stream=index._stream)
    begun.send([])
    assert begun.search(parse("kind:Payment")).total == 0  # nothing was delivered so far


def test_indices_whose_names_begin_alike_are_two(index: SearchServer) -> None:
    other = SearchServer(index._client, f"{index._index}-eu", stream=index._stream)
    assert index.send([one(1), one(2)]) == other.send([one(3)]) == []
    assert there(index) == ["e1", "e2"] and there(other) == ["e3"]
    assert index.search(parse("kind:P")).total == 2


def test_the_products_tell_each_other_apart(opensearch: Node, own: str) -> None:
    wrong = search_server(f"elasticsearch://127.0.0.1:{opensearch.port}/{own}")
    with pytest.raises(TidegateError, match="is not Elasticsearch 8"):
        wrong.send([one(1)])
    gone = search_server(f"opensearch://127.0.0.1:9/{own}")
    with pytest.raises(UnavailableError, match="does not answer"):
        gone.send([one(1)])


@pytest.mark.timeout(600)
def test_killed_while_it_is_told_it_has_every_decision_once(
    tmp_path: Path, own: str, caplog: pytest.LogCaptureFixture
) -> None:
    decide(tmp_path / "s.db", 0, 4000)
    caplog.set_level(logging.WARNING)
    with OpenSearch(tmp_path / "node", **{"http.max_content_length": "64kb"}) as node:
        sink = search_server(f"{node.address}/{own}")
        stop = threading.Event()
        with AlertsFile.beside(tmp_path / "s.db") as file, Store.open(tmp_path / "s.db", read_only=True) as kept:
            sink.most = 200  # so that it is killed between requests, and amid one
            delivery = Delivery(kept, file, sink)
            thread = threading.Thread(target=delivery.follow, args=(stop,))
            thread.start()
            for reached in (600, 1800):
                while delivery._after < reached:
                    time.sleep(0.005)
                node.kill()
                node.start()
            until = time.monotonic() + 120
            while delivery.behind and time.monotonic() < until:
                time.sleep(0.1)
            stop.set()
            thread.join()
            assert not delivery.behind and not Told(file, sink.name).held()
        assert "nothing is lost" in caplog.text
        ask(sink, "POST", f"/{own}-*/_refresh")
        got: list[str] = []
        after = ""
        while True:
            page = sink.search(parse(""), limit=1000, after=after)
            got += [hit.id for hit in page.documents]
            after = page.after
            if not after:
                break
        assert sorted(got) == sorted(ids(0, 4000))
        sink.close()
