"""How deep JSON is nested is told as a parser that goes down by hand finds it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.events.depth import DEEPEST, plain_values, too_deep


def by_hand(body: bytes) -> int:
    """The greatest depth, a byte at a time."""
    depth = most = 0
    in_text = escaped = False
    for byte in body:
        if in_text:
            in_text, escaped = escaped or byte != ord('"'), byte == ord("\\") and not escaped
        elif byte == ord('"'):
            in_text = True
        elif byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif byte in b"]}":
            depth -= 1
    return most


parts = st.sampled_from(
    [b"[", b"{", b"]", b"}", b'"', b"\\", b'\\"', b"\n", b"a", b'"[[["', b"[" * 200, b"]" * 150, b'{"a":' * 300]
)


@given(st.lists(parts, max_size=40).map(b"".join))
def test_it_is_as_deep_as_it_is_by_hand(body: bytes) -> None:
    assert too_deep(body) is (by_hand(body) > DEEPEST)


def test_the_limit_is_passed_by_one_level_and_not_by_many_things_side_by_side() -> None:
    for left, right in (("[", "]"), ('{"a":', "}")):
        assert not too_deep(left * DEEPEST + "1" + right * DEEPEST)
        assert too_deep(left * (DEEPEST + 1) + "1" + right * (DEEPEST + 1))
    assert not too_deep(json.dumps([{"text": "[" * 2000}] * 2000).encode())


def test_what_is_deeper_is_not_gone_down_into() -> None:
    assert plain_values(b"[" * 20 + b"]" * 20)
    with pytest.raises(RecursionError, match="deeper than 500"):
        plain_values(b"[" * (DEEPEST + 1))  # before it is told that it ends too soon
