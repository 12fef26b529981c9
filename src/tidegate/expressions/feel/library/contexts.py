"""Functions of contexts (DMN 1.5, 10.3.4.8)."""

from typing import Any

from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin


@builtin("get value(m: context, key: string)")
def get_value(run: Run, m: dict[str, Any], key: str) -> Any:
    """The value of an entry."""
    return m[key] if key in m else run.why("{} has no entry {}", m, key)


@builtin("get entries(m: context)")
def get_entries(run: Run, m: dict[str, Any]) -> Any:
    """The entries as a list of contexts of `key` and `value`."""
    run.budget.sized(len(m))
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list)")
def context(run: Run, entries: list[Any]) -> Any:
    """The context of such entries, each a context of `key` and `value`."""
    run.budget.sized(len(entries))
    found: dict[str, Any] = {}
    for each in entries:
        if not isinstance(each, dict) or not isinstance(each.get("key"), str) or "value" not in each:
            return run.why("an entry is a context of 'key', a string, and 'value', and this is {}", each)
        if each["key"] in found:
            return run.why("there are two entries {}", each["key"])
        found[each["key"]] = each["value"]
    return found


@builtin("context put(context: context, key: string, value: any)")
def context_put(run: Run, context: dict[str, Any], key: str, value: Any) -> Any:
    """The context with this entry, new or in the place of the old one."""
    run.budget.sized(len(context) + 1)
    return {**context, key: value}


@builtin("context put(context: context, keys: list<string>, value: any)")
def context_put_within(run: Run, context: dict[str, Any], keys: list[str], value: Any) -> Any:
    """The context with this entry in the context that the keys but the last lead to."""
    if not keys or any(key is None for key in keys):
        return run.why("there are no keys, or one is null")
    run.budget.sized(len(keys))
    found = dict(context)
    inner = found
    for key in keys[:-1]:
        below = inner.get(key)
        if not isinstance(below, dict):
            return run.why("the entry {} is {}, which is no context", key, below)
        run.budget.sized(len(below) + 1)
        inner[key] = dict(below)
        inner = inner[key]
    inner[keys[-1]] = value
    return found


@builtin("context merge(contexts: list)")
def context_merge(run: Run, contexts: list[Any]) -> Any:
    """The entries of all contexts; of two of one name the last counts."""
    found: dict[str, Any] = {}
    for each in contexts:
        if not isinstance(each, dict):
            return run.why("{} is no context", each)
        run.budget.sized(len(found) + len(each))
        found |= each
    return found
