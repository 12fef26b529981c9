"""What a page shows is run, in a folder of its own, and shows the same: see docs/documents.md."""

import contextlib
import io
import linecache
import re
import sys
import types
from pathlib import Path

import pytest

from tidegate.connectors.drools import jars

from .house import Block, blocks, pages, shown
from .session import ShellSession

RUN = ("python", "console", "output")


def same(wanted: str, seen: str) -> bool:
    """Whether output is as shown; `...` stands for anything, and trailing blanks do not count."""

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ".*?".join(re.escape(part) for part in tidy(wanted).split("..."))
    return re.fullmatch(pattern, tidy(seen), re.S) is not None


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block (lines that begin with `$ `, `> ` continues) and the output shown under each."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and line.startswith("> ") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
        else:
            raise AssertionError(f"a console block begins with a command, `$ `, not with: {line}")
    return found


class Page:
    """A page being read aloud: its Python is one module, its console one shell, its files one folder."""

    def __init__(self, path: Path, module: types.ModuleType, shell: ShellSession) -> None:
        self.path, self.module, self.shell = path, module, shell
        self.said = ""

    def place(self, block: Block, line: int = 0) -> str:
        return f"{shown(self.path)}:{block.line + line}"

    def read(self, block: Block, folder: Path) -> None:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self.python(block)
        elif block.language == "console":
            self.console(block)
        elif block.language == "output":
            assert same(block.text, self.said), f"{self.place(block)} shows\n{block.text}\nbut it says\n{self.said}"

    def python(self, block: Block) -> None:
        source = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's own line
        name = f"{self.path}#{block.line}"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(source, name, "exec"), self.module.__dict__)
        self.said = out.getvalue()

    def console(self, block: Block) -> None:
        for command, wanted in commands(block.text):
            status, seen = self.shell.run(command)
            assert status == 0, f"{self.place(block)} $ {command} ended with {status}:\n{seen}"
            if wanted.strip():
                assert same(wanted, seen), f"{self.place(block)} $ {command} shows\n{wanted}\nbut it says\n{seen}"
            self.said = seen


@pytest.mark.parametrize(
    "path",
    [path for path in pages() if any(block.language in RUN for block in blocks(path.read_text("utf-8")))],
    ids=shown,
)
def test_the_page_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType(f"page_{path.stem.lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with ShellSession(tmp_path) as shell:
        page = Page(path, module, shell)
        text = path.read_text("utf-8")
        if "tidegate drools" in text:
            _with_drools(tmp_path)
        for block in blocks(text):
            page.read(block, tmp_path)


def _with_drools(home: Path) -> None:
    """Drools' jars in the page's own cache, as if fetched there: they are the ones of this user."""
    jars.fetch()
    kept = home / ".cache" / "tidegate"
    kept.mkdir(parents=True)
    (kept / jars.folder().name).symlink_to(jars.folder())


def test_a_page_that_shows_what_is_not_so_is_found(tmp_path: Path) -> None:
    with ShellSession(tmp_path) as shell:
        module = types.ModuleType("page_made_up")
        page = Page(Path(__file__), module, shell)
        for block in blocks("```python\nprint('a', 41 + 1, 'b')\n```\n\n```output\na ... b\n```\n"):
            page.read(block, tmp_path)
        for block in blocks("```csv file=three.csv\n1\n2\n3\n```\n\n```console\n$ n=three\n$ wc -l < $n.csv\n3\n```\n"):
            page.read(block, tmp_path)
        with pytest.raises(AssertionError, match="ended with 1"):
            page.read(Block("console", "", "$ false\n", 1), tmp_path)
        with pytest.raises(AssertionError, match="but it says"):
            page.read(Block("console", "", "$ echo 4\n5\n", 1), tmp_path)
