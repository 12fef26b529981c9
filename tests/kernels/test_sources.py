"""What a kernel is drawn from: held to the imports that Python's own parser finds."""

import ast
from pathlib import Path

import pytest

import tidegate
from tidegate.kernels import sources

ROOT = Path(tidegate.__file__).parent
WITH_KERNELS = sorted(
    path for path in ROOT.rglob("*.py") if "kernels.compiled import" in path.read_text("utf-8") and path.parent != ROOT
)


def imported(path: Path) -> set[Path]:
    """The files of ours that a file names in its imports, wherever they stand at its top."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: a relative import would not be seen"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    places = [ROOT.parent.joinpath(*name.split(".")) for name in names if name.split(".")[0] == ROOT.name]
    return {file for at in places for file in (at.with_suffix(".py"), at / "__init__.py") if file.is_file()}


@pytest.mark.parametrize("path", WITH_KERNELS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_import_counts(path: Path) -> None:
    reached, waiting = {path}, [path]
    while waiting:
        new = imported(waiting.pop()) - reached
        reached |= new
        waiting += new
    assert set(sources.drawn_from(path)) == reached


def test_a_change_anywhere_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_ROOT", tmp_path)
    (tmp_path / "a.py").write_text("from tidegate import (\n    b,\n    x,\n)\n")
    (tmp_path / "b.py").write_text("import tidegate.c\n")
    (tmp_path / "c.py").write_text("from tidegate.a import GRAIN  # a circle ends\n")

    def digest() -> str:
        sources._read.cache_clear()
        sources.made_of.cache_clear()
        return sources.made_of(tmp_path / "a.py")

    before = digest()
    assert digest() == before
    for name in "abc":
        with (tmp_path / f"{name}.py").open("a") as file:
            file.write("# changed\n")
        assert digest() != before
        before = digest()
    (tmp_path / "x.py").write_text("")
    assert digest() != before


def test_all_kernels_are_looked_at() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in WITH_KERNELS}
    assert {"features/kernels/rows.py", "models/kernels.py", "expressions/kernel.py"} <= names
