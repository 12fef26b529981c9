"""Rooms that only compute: what import-linter cannot see, because it is no import of a module."""

import ast

import pytest

from .house import SOURCE, files, shown

PURE = ("events", "expressions", "features", "models", "decisions")
MAY_TOUCH_FILES = {"models/lightgbm.py", "models/registry.py", "models/training.py"}
"""Models come from files; a model, once read, is as pure as the rest. The same exceptions stand in .importlinter."""

CLOCKS = {"now", "utcnow", "today", "perf_counter", "perf_counter_ns", "monotonic", "time_ns", "sleep"}
CHANCE = {"default_rng", "RandomState", "urandom", "uuid4", "uuid1", "shuffle"}
FILES = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink"}


def calls(source: str) -> list[tuple[int, str]]:
    """Line and last name of every call in a file."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found.append((node.lineno, name))
    return found


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_reads_no_clock_no_chance_and_no_file(room: str) -> None:
    wrong = []
    for path in files(".py"):
        if SOURCE / room not in path.parents:
            continue
        forbidden = CLOCKS | CHANCE
        if path.relative_to(SOURCE).as_posix() not in MAY_TOUCH_FILES:
            forbidden = forbidden | FILES
        wrong += [
            f"{shown(path)}:{line} {name}()" for line, name in calls(path.read_text("utf-8")) if name in forbidden
        ]
    assert not wrong, f"take it as an argument from a runtime: {wrong}"


def test_a_clock_is_found() -> None:
    assert calls("x = datetime.datetime.now(UTC)\n") == [(1, "now")]
