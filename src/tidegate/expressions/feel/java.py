"""External functions: to be replaced."""

from typing import Any


def java_function(definition: dict[str, Any], names: list[str], arguments: list[Any]) -> Any:
    """None yet."""
    raise LookupError("this external function is not known")
