"""Elasticsearch and OpenSearch: an index of decisions on a server, by the server's own client.

A document's id is the decision's, and documents are only ever created, so one that is sent again changes nothing. They
lie in an index for each month of event time, where the same id always comes to the same index. A data stream writes to
its newest index whatever is sent, so there, what may have been taken already is asked for before it is sent again.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidegate.actions.document import Document
from tidegate.actions.query import Query
from tidegate.actions.search import MOST_FACETS, Hits, hits, known_fields, read_after
from tidegate.actions.sink import Gone, Rejected, UnavailableError
from tidegate.connectors.search_client import Answer, Client
from tidegate.connectors.search_mapping import META, VERSION, month_of, months, template
from tidegate.connectors.search_terms import clause, number, place
from tidegate.errors import TidegateError

_ENCODE = msgspec.json.Encoder().encode
_MOST_BYTES = 8 << 20
_COUNTED = 10_000
"""So many of a field's values does each shard tell: what is frequent in none of them may be so in all together."""
_PICKED = "errors,items.create.status,items.create.error.type,items.create.error.reason"
_DO = {
    400: "Change what is in its way, or give another name.",
    401: "Look at the user's rights.",
    403: "Look at the user's rights.",
}
_LATER = {429, 502, 503, 504}
_CLUSTER = {"index_not_found_exception", "cluster_block_exception", "security_exception"}
"""Reasons that are the cluster's and not the document's: they go away when someone mends the cluster."""


class SearchServer:
    """Sends decisions to a cluster, and looks for them there.

    Args:
        client: of the cluster.
        name: what its indices begin with, or the name of the data stream.
        stream: whether it is a data stream.
    """

    most = 2000

    def __init__(self, client: Client, name: str, *, stream: bool = False) -> None:
        self._client, self._index, self._stream = client, name, stream
        self.name = f"{client.name}/{name}"
        self._ready = False
        self._doubtful = True  # whether the documents sent last may have been taken though nobody said so

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        """As of `Sink`."""
        if not self._ready:
            self._make_template()
            self._ready = True
        if self._stream and self._doubtful:
            documents = self._not_there(documents)
        self._doubtful = True
        rejected: list[Rejected] = []
        again = ""
        start = size = 0
        pieces = [self._piece(one) for one in documents]
        for end, piece in enumerate([*pieces, b""]):
            if end == len(pieces) or (size and size + len(piece) > _MOST_BYTES):
                again = self._bulk(documents[start:end], pieces[start:end], rejected) or again
                start, size = end, 0
            size += len(piece)
        if again:
            raise self._busy(again)
        self._doubtful = False
        return rejected

    def _piece(self, one: Document) -> bytes:
        """The two lines of a document in a bulk request."""
        if self._stream:
            where = {"_index": self._index, "_id": one.id}
            return b'{"create":%b}\n%b,"@timestamp":%b}\n' % (_ENCODE(where), _ENCODE(one)[:-1], _ENCODE(one.at))
        where = {"_index": f"{self._index}-{month_of(one.us)}", "_id": one.id}
        return b'{"create":%b}\n%b\n' % (_ENCODE(where), _ENCODE(one))

    def _bulk(self, documents: Sequence[Document], pieces: Sequence[bytes], rejected: list[Rejected]) -> str:
        """Send some; adds what is rejected, and gives why others should be sent again, if any should."""
        if not pieces:
            return ""
        answer = self._client.ask("POST", "/_bulk", body=b"".join(pieces), params={"filter_path": _PICKED})
        if answer.status == 413:
            return self._smaller(documents, pieces, rejected)
        self._must(answer, "does not take documents")
        if not answer.body.get("errors"):
            return ""
        again = ""
        for one, item in zip(documents, answer.body["items"], strict=True):
            status, error = item["create"]["status"], item["create"].get("error", {})
            said = f"{status} {error.get('type', '')}: {str(error.get('reason', ''))[:300]}"
            if status < 300 or status == 409:  # created now, or earlier
                continue
            if status in _LATER or status >= 500 or error.get("type") in _CLUSTER:
                again = said
            else:
                rejected.append(Rejected(one.id, said))
        return again

    def _smaller(self, documents: Sequence[Document], pieces: Sequence[bytes], rejected: list[Rejected]) -> str:
        """Send in two halves what the server calls too large."""
        if len(pieces) == 1:
            rejected.append(Rejected(documents[0].id, f"413: too large for the server, {len(pieces[0]):,} bytes"))
            return ""
        half = len(pieces) // 2
        first = self._bulk(documents[:half], pieces[:half], rejected)
        return self._bulk(documents[half:], pieces[half:], rejected) or first

    def _not_there(self, documents: Sequence[Document]) -> list[Document]:
        """Those that the data stream does not hold."""
        there = {id for _, id in self._places([one.id for one in documents])}
        return [one for one in documents if one.id not in there]

    def forget(self, gone: Sequence[Gone]) -> None:
        """As of `Sink`: the documents are deleted."""
        for start in range(0, len(gone), self.most):
            part = gone[start : start + self.most]
            if self._stream:
                places = self._places([one.id for one in part])
            else:
                places = [(f"{self._index}-{month_of(one.us)}", one.id) for one in part]
            lines = [b'{"delete":%b}\n' % _ENCODE({"_index": index, "_id": id}) for index, id in places]
            if lines:
                params = {"filter_path": "items.delete.status"}
                answer = self._client.ask("POST", "/_bulk", body=b"".join(lines), params=params)
                self._must(answer, "does not let documents go")
                states = [item["delete"]["status"] for item in answer.body.get("items", ())]
                if any(status >= 300 and status != 404 for status in states):  # 404: it never had it
                    raise self._busy(f"status {max(states)} for a document to be deleted")

    def _places(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """In which of a data stream's indices these ids lie; a search only sees what was refreshed before."""
        if self._client.ask("POST", f"/{self._index}/_refresh").status == 404:
            return []
        body = {"size": len(ids), "_source": False, "query": {"ids": {"values": ids}}}
        answer = self._client.ask("POST", f"/{self._index}/_search", body=_ENCODE(body))
        self._must(answer, "cannot be searched")
        return [(hit["_index"], hit["_id"]) for hit in answer.body["hits"]["hits"]]

    def _make_template(self) -> None:
        path = f"/_index_template/{self._index}"
        answer = self._client.ask("GET", path)
        if answer.status == 200:
            there = answer.body["index_templates"][0]["index_template"]
            if there.get("_meta") != META or there.get("version", 0) >= VERSION:
                return  # someone's own is left alone, whatever it says
        elif answer.status != 404:
            self._must(answer, "does not show its templates")
        self._must(
            self._client.ask("PUT", path, body=_ENCODE(template(self._index, stream=self._stream))),
            "does not take our template",
        )

    def _must(self, answer: Answer, what: str) -> None:
        if answer.status >= 300:
            error = answer.body.get("error", {}) if isinstance(answer.body, Mapping) else {}
            reason = error.get("reason", "") if isinstance(error, Mapping) else error
            raise UnavailableError(
                f"{self.name} {what}.",
                seen=f"{answer.status} {str(reason)[:300]}".strip(),
                do=_DO.get(answer.status, "Look at the cluster's health."),
            )

    def _busy(self, said: str) -> UnavailableError:
        return UnavailableError(
            f"{self.name} did not take all documents.",
            seen=said,
            do="They are sent again; look at the cluster's health.",
        )

    def search(self, query: Query, *, limit: int = 20, after: str = "", facets: Sequence[str] = ()) -> Hits:
        """As of `Index`.

        Raises:
            UnavailableError: it does not answer.
        """
        words, numbers = self._fields()
        known_fields(query, facets, (*words, *numbers))
        body: dict[str, Any] = {
            "size": limit + 1,
            "track_total_hits": True,
            "query": {"bool": {"filter": [clause(query, self._newest())]}},
            "sort": [{"us": "desc"}, {"seq": "desc"}],
            "aggs": {f"{where} {name}": _counting(where, name) for name in facets for where in ("words", "numbers")},
        }
        if after:
            body["search_after"] = list(read_after(after))
        found = self._search(body)
        page = [msgspec.convert(hit["_source"], Document) for hit in found["hits"]["hits"]]
        counted = {name: _counts(found.get("aggregations", {}), name) for name in facets}
        more = f"{page[limit - 1].us},{page[limit - 1].seq}" if len(page) > limit else ""
        return hits(page[:limit], found["hits"]["total"]["value"], counted, more)

    @property
    def _pattern(self) -> str:
        return self._index if self._stream else ",".join(months(self._index))

    def _search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        params = {"ignore_unavailable": "true", "allow_no_indices": "true"}
        answer = self._client.ask("POST", f"/{self._pattern}/_search", body=_ENCODE(body), params=params)
        self._must(answer, "cannot be searched")
        found: dict[str, Any] = answer.body
        return found

    def _newest(self) -> int:
        found = self._search({"size": 0, "aggs": {"newest": {"max": {"field": "us"}}}})
        return int(found.get("aggregations", {}).get("newest", {}).get("value") or 0)

    def _fields(self) -> tuple[set[str], set[str]]:
        """The names of all texts and of all numbers of events that documents have."""
        params = {"ignore_unavailable": "true", "allow_no_indices": "true"}
        answer = self._client.ask("GET", f"/{self._pattern}/_mapping", params=params)
        found: dict[str, set[str]] = {"words": set(), "numbers": set()}
        if answer.status == 404 or not answer.body:
            self._require_template()
        else:
            self._must(answer, "does not show its mapping")
            for index in answer.body.values():
                for part, names in found.items():
                    properties = index["mappings"].get("properties", {})
                    names |= set(properties.get(part, {}).get("properties", {}))
        return found["words"], found["numbers"]

    def _require_template(self) -> None:
        """Where there is no index: one that was begun has a template; of any other name it is told that it is none."""
        answer = self._client.ask("GET", f"/_index_template/{self._index}")
        if answer.status == 404:
            every = self._client.ask("GET", "/_index_template")
            names = [one["name"] for one in every.body["index_templates"]] if every.status == 200 else []
            near = difflib.get_close_matches(self._index, names, 1)
            raise TidegateError(
                f"There is no index of decisions {self._index} at {self._client.name}.",
                seen=f"one called {near[0]}" if near else "",
                do="Write the name that `tidegate alerts deliver` was given; what was never delivered is not there.",
            )
        if answer.status == 200:
            is_stream = "data_stream" in answer.body["index_templates"][0]["index_template"]
            if is_stream is not self._stream:
                raise TidegateError(
                    f"{self._index} at {self._client.name} is {'a data stream' if is_stream else 'no data stream'}.",
                    do="Write ?stream=1 behind it." if is_stream else "Leave out ?stream=1.",
                )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


def _counting(where: str, name: str) -> dict[str, Any]:
    field = number(name) if where == "numbers" else place(name)
    order = [{"_count": "desc"}, {"_key": "asc"}]
    terms = {"field": field, "size": MOST_FACETS + 1, "shard_size": _COUNTED, "order": order}
    return {"terms": terms | ({"missing": False} if field == "alarm" else {})}  # a document says only that there is one


def _counts(found: Mapping[str, Any], name: str) -> list[tuple[str | float, int]]:
    values: list[tuple[str | float, int]] = []
    for where in ("words", "numbers"):
        for bucket in found.get(f"{where} {name}", {}).get("buckets", ()):  # none where there is no index yet
            key = bucket["key"] if where == "numbers" else bucket.get("key_as_string", bucket["key"])
            values.append((key, int(bucket["doc_count"])))
    return values
