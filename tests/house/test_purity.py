"""Rooms that only compute: what import-linter cannot see, because it is no import of a module."""

import ast

import pytest

from .house import SOURCE, files, shown

PURE = ("documents", "events", "expressions", "features", "models", "decisions")
MAY_TOUCH_FILES = {f"models/{name}.py" for name in ("artefact", "lightgbm", "registry", "training", "tree_model")}
"""Models come from files; once there, they are as pure as the rest. The same exceptions stand in .importlinter."""

CLOCKS = {".now", ".utcnow", ".today"}
CHANCE = {".default_rng", ".RandomState", ".shuffle", ".rand", ".randint"}
FILES = {"open", ".open", ".read_text", ".write_text", ".read_bytes", ".write_bytes", ".mkdir", ".unlink"}


def calls(source: str) -> list[tuple[int, str]]:
    """Line and last name of every call in a file; a dot before it where something is called on something."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            on_something = isinstance(node.func, ast.Attribute)
            found.append((node.lineno, f".{node.func.attr}" if on_something else getattr(node.func, "id", "")))
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
    assert calls("x = datetime.datetime.now(UTC)\n") == [(1, ".now")]
