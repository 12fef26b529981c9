"""A query as Elasticsearch and OpenSearch take it."""

from typing import Any as Anything

from tidegate.actions.document import OWN
from tidegate.actions.query import All, Any, Begins, Compare, Equal, Not, Phrase, Query, Time, as_number

_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
Clause = dict[str, Anything]
_NOTHING: Clause = {"match_none": {}}


def clause(query: Query, newest: int) -> Clause:
    """The query's clause; `newest` is the time of the newest document, microseconds since 1970."""
    match query:
        case Phrase():
            return {"match_phrase": {"text": " ".join(query.words)}}
        case Equal():
            return _equal(query)
        case Begins():
            return _begins(query)
        case Compare():
            return {"range": {number(query.field): {_SIGNS[query.sign]: query.bound}}}
        case Time():
            return {"range": {"us": {"gte" if query.sign == "since" else "lt": query.resolved(newest)}}}
        case Not():
            return {"bool": {"must_not": [clause(query.part, newest)]}}
        case All():
            return {"bool": {"filter": [clause(part, newest) for part in query.parts]}}
        case Any():
            return {"bool": {"should": [clause(part, newest) for part in query.parts], "minimum_should_match": 1}}


def number(field: str) -> str:
    """Where the numbers of a field lie."""
    return "score" if field == "score" else f"numbers.{field}"


def place(field: str) -> str:
    """Where the texts of a field lie."""
    return field if field in OWN else f"words.{field}"


def _equal(query: Equal) -> Clause:
    if query.field == "alarm":
        return _alarm("true" in query.values, "false" in query.values)
    found: list[Clause] = [] if query.field == "score" else [{"terms": {place(query.field): list(query.values)}}]
    numbers = [value for value in map(as_number, query.values) if value is not None]
    if numbers and query.field not in OWN:
        found.append({"terms": {number(query.field): numbers}})
    return {"bool": {"should": found, "minimum_should_match": 1}} if found else _NOTHING


def _begins(query: Begins) -> Clause:
    if query.field == "alarm":
        return _alarm("true".startswith(query.start), "false".startswith(query.start))
    if not query.start:
        places = [place(query.field), number(query.field)]
        found: list[Clause] = [{"exists": {"field": where}} for where in places]
        return {"bool": {"should": found, "minimum_should_match": 1}}
    return {"prefix": {place(query.field): query.start}}


def _alarm(true: bool, false: bool) -> Clause:
    """Those with an alarm, those without, or both; a document says only that there is one."""
    if true and false:
        return {"match_all": {}}
    alarm: Clause = {"term": {"alarm": True}}
    if false:
        return {"bool": {"must_not": [alarm]}}
    return alarm if true else _NOTHING
