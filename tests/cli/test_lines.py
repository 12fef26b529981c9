"""Lines of JSON: what is nested too deep is told, before it is read."""

import json

from tidegate.cli.lines import json_lines
from tidegate.errors import TidegateError


def test_what_is_nested_too_deep_is_told_and_brackets_in_texts_are_none() -> None:
    fine = [{"a": "[" * 5000 + '"{' * 5000}, [[]] * 5000, json.loads("[" * 400 + "]" * 400)]
    deep = ["[" * 100_000, '{"a":' * 501 + "1" + "}" * 501, '{"a":"\\"","b":' + "[" * 500 + "]" * 500 + "}"]
    lines = [json.dumps(one).encode() for one in fine] + [one.encode() for one in deep]
    read: list[str] = []
    found = [what for _, what in json_lines(lines, lambda text: read.append(text) or json.loads(text))]
    assert found[:3] == fine
    assert all(isinstance(one, TidegateError) and "nested deeper than 500 levels" in str(one) for one in found[3:])
    assert len(read) == 3
