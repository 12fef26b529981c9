"""What is compiled is said when it begins, not when it is done; a model that is refused has nothing compiled."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import typed
from tests.conftest import ROOT
from tidegate.cli.flow_facts import flow_facts
from tidegate.cli.terminal import compiling_told
from tidegate.decisions.definition import Definition
from tidegate.kernels.kept import before_compiling

MILL = """
from tidegate.kernels.compiled import compiled

began()

@compiled("int64(int64)")
def ground(grain):
    return grain * 3 + 1

done()
"""

REFUSED = """
import sys
from tidegate.cli import app
try:
    app(["pmml", "run", *sys.argv[1:]])
except SystemExit as end:
    assert end.code == 2, end.code
assert "tidegate.models.pmml.model" in sys.modules
assert not any(name.startswith("tidegate.models.pmml.kernels.") for name in sys.modules)
"""


def milled(folder: Path, said: list[str]) -> None:
    """Import a module with one kernel, and note when."""
    source = folder / "mill.py"
    source.write_text(MILL)
    spec = spec_from_file_location("mill", source)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    vars(module).update(began=lambda: said.append("began"), done=lambda: said.append("done"))
    spec.loader.exec_module(module)
    assert module.ground(5) == 16


def test_compiling_is_told_before_it_is_done_and_not_where_code_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    said: list[str] = []
    with before_compiling(lambda: said.append("told")):
        milled(tmp_path, said)
    assert said == ["began", "told", "done"]
    with before_compiling(lambda: said.append("told")):
        milled(tmp_path, said)
    assert said[3:] == ["began", "done"]


def test_the_command_line_says_it_once_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    with compiling_told() as report:
        report("PMML models", 0, 2)
        milled(tmp_path, [])
        assert "kernels: PMML models, 0 of 2; compiled once, then kept" in capsys.readouterr().err
        report("PMML models, one row", 1, 2)
        milled(tmp_path, [])
    assert "kernels" not in capsys.readouterr().err


def test_check_says_it_of_what_it_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))

    def facts(definition: Definition, models: Path) -> dict[str, Any]:
        milled(tmp_path, [])
        return flow_facts(definition, models)

    monkeypatch.setattr("tidegate.cli.flow_facts.flow_facts", facts)
    words = "kernels; compiled once, then kept"
    assert words in typed("check", "card_fraud").stderr
    assert words not in typed("check", "card_fraud").stderr


def test_a_model_that_is_refused_has_no_kernel_compiled(tmp_path: Path) -> None:
    file, data = tmp_path / "baskets.pmml", tmp_path / "d.csv"
    file.write_text(
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary/>\n'
        '<AssociationModel functionName="associationRules"/></PMML>'
    )
    data.write_text("x\n1\n")
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(file), str(data)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert f"{file}:2" in done.stderr and "Bring a model of a kind that is run" in done.stderr
