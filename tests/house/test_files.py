"""A room is small enough to know: how long files are, how they are named, what they may say."""

import ast
import re

import pytest

from .house import ROOT, SOURCE, files, shown

LONGEST = 400
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc", "core"}


def test_no_file_is_longer_than_a_room() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}
    assert lengths
    too_long = {name: length for name, length in lengths.items() if length > LONGEST}
    assert not too_long, f"split these, at most {LONGEST} lines: {too_long}"


def test_files_and_classes_are_named_for_a_noun() -> None:
    wrong = [shown(path) for path in files(".py") if {path.stem, path.parent.name} & VAGUE]
    for path in files(".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils?)$", node.name):
                wrong.append(f"{shown(path)}:{node.lineno} class {node.name}")
    assert not wrong, f"say what it is instead: {wrong}"


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    wrong = [
        f"{shown(path)}:{number}"
        for path in files(".py", ".md", ".toml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert not wrong, f"finish or remove: {wrong}"


def test_no_path_of_one_machine_is_told() -> None:
    paths = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w+")
    wrong = [
        f"{shown(path)}:{number}"
        for path in files(".py", ".md", ".toml", ".txt", ".yml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if paths.search(line)
    ]
    assert not wrong, f"these hold on one machine only: {wrong}"


def test_every_room_says_what_it_is_for() -> None:
    missing = [
        shown(path)
        for path in files(".py")
        if SOURCE in path.parents and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not missing, f"give each a module docstring: {missing}"


def test_every_benchmark_is_on_their_page() -> None:
    runs = {
        path.stem
        for path in files(".py")
        if path.parent == ROOT / "benchmarks" and "__main__" in path.read_text("utf-8")
    }
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[`(\w+)`\]\(\1\.py\)", page, re.M)) == runs


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "Makefile", "src/tidegate/py.typed"])
def test_the_house_is_furnished(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_changelog_tells_the_version_at_hand() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version
    headings = re.findall(r"^## \[?([\w.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings and headings[0] in ("Unreleased", version[1]), headings
