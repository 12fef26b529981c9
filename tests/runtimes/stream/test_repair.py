"""What changes make of a letter, against plain dictionaries."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import ContractError
from tidegate.runtimes.stream.repair import Changes

names = st.text("abcé.", min_size=1, max_size=3).filter(lambda name: "." not in name)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
objects = st.dictionaries(names, plain | st.dictionaries(names, plain, max_size=3), max_size=5)


def body(fields: Any) -> bytes:
    return json.dumps(fields).encode()


@given(objects, names, names, plain)
def test_a_field_is_given_left_out_and_renamed(fields: dict[str, Any], one: str, other: str, value: Any) -> None:
    assert json.loads(Changes(put={one: body(value)}).of(body(fields))) == fields | {one: value}
    assert json.loads(Changes(remove=[one]).of(body(fields))) == {n: v for n, v in fields.items() if n != one}
    if one in fields and other in fields:
        with pytest.raises(ContractError, match="already"):
            Changes(rename={one: other}).of(body(fields))
    else:
        expected = {other if name == one else name: held for name, held in fields.items()}
        assert json.loads(Changes(rename={one: other}).of(body(fields))) == expected


@given(objects, names, names, plain)
def test_a_name_with_a_dot_leads_into_an_object(fields: dict[str, Any], one: str, other: str, value: Any) -> None:
    put = Changes(put={f"{one}.{other}": body(value)})
    inner = fields.get(one, {})
    if not isinstance(inner, dict):
        with pytest.raises(ContractError, match="no JSON object"):
            put.of(body(fields))
        return
    assert json.loads(put.of(body(fields))) == fields | {one: inner | {other: value}}


def test_what_is_not_changed_stays_as_it_is_written() -> None:
    before = b'{"a":1.10,"b":12345678901234567890123,"c":{"d":1e2,"x":0}}'
    after = Changes(remove=["c.x"], put={"e": b'"1"'}).of(before)
    assert after == b'{"a":1.10,"b":12345678901234567890123,"c":{"d":1e2},"e":"1"}'
    assert Changes().of(b"no JSON") == b"no JSON"


@pytest.mark.parametrize("value", [b"", b"[]", b"1", b"\xff", b'{"a":', b"[" * 100_000])
def test_what_is_no_object_cannot_be_changed(value: bytes) -> None:
    with pytest.raises(ContractError, match="no JSON object"):
        Changes(remove=["a"]).of(value)


def test_what_is_written_with_a_schema_is_told_what_to_do() -> None:
    with pytest.raises(ContractError, match=r"no JSON object.*written with a schema.*then send it again"):
        Changes(remove=["a"]).of(b"\0\0\0\0\x07\x02a")
