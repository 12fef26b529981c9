"""What is installed: locked, hashed, nameless as to where it comes from, and free to pass on."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .house import ROOT, SOURCE, files, shown

ON_FLINK = "../src/tidegate/connectors/flink/requirements.txt"
LOCKS = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "requirements" / ON_FLINK]
BY_ITS_HOST = {
    "runtimes/flink/stage_function.py": {"pyflink"},
    "runtimes/flink/submit.py": {"pyflink"},
    "runtimes/flink/topics.py": {"pyflink"},
    "mypy.py": {"mypy"},
}
"""What a file of ours imports that is always there, because nothing else loads the file."""
NAMES = {
    "google": "protobuf",
    "opensearchpy": "opensearch-py",
    "opentelemetry": "opentelemetry-sdk",
    "yaml": "pyyaml",
    "xgboost": "xgboost-cpu",
    "jpype": "jpype1",
    "sklearn": "scikit-learn",
    "zen": "zen-engine",
}
"""Modules that go by another name than their package."""
NOT_FOR_USERS = re.compile(r"\b(A?GPL|GNU (Affero )?General Public|SSPL|BUSL|Commons Clause)", re.I)


def locked(name: str) -> dict[str, list[Requirement]]:
    """The packages of a lock, by name; more than one entry where platforms differ."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            wanted = Requirement(line.rstrip("\\ "))
            found.setdefault(canonicalize_name(wanted.name), []).append(wanted)
    return found


def asked() -> list[Requirement]:
    """Everything pyproject.toml asks for, extras and groups included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lists = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    lists += project["dependency-groups"].values()
    return [Requirement(one) for wanted in lists for one in wanted if isinstance(one, str)]


@pytest.mark.parametrize("lock", LOCKS, ids=shown)
def test_a_lock_names_versions_and_hashes_and_no_host(lock) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.]+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def imported(path: Path) -> set[str]:
    """The packages outside the standard library that a file imports, `pytest.importorskip` included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "importorskip":
            found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
    modules = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    return {NAMES.get(name, canonicalize_name(name)) for name in modules}


def test_what_the_source_imports_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    named = {canonicalize_name(Requirement(one).name) for wanted in lists for one in wanted}
    source = [path for path in files(".py") if SOURCE in path.parents]
    own = [imported(path) - BY_ITS_HOST.get(path.relative_to(SOURCE).as_posix(), set()) for path in source]
    outside = set().union(*own) - {"tidegate"}
    assert "numpy" in outside
    assert not outside - named, "these come only by way of another package: name them in pyproject.toml"


def test_what_tests_and_benchmarks_import_is_asked_for() -> None:
    named = {canonicalize_name(wanted.name) for wanted in asked()} | {"tidegate", "tests", "benchmarks", "tools"}
    named.add("pyflink")  # in an environment of its own, of another lock
    outside = set().union(*(imported(path) for path in files(".py") if SOURCE not in path.parents))
    assert not outside - named, "name them in the group dev of pyproject.toml"


def test_the_lock_holds_what_the_project_asks_for() -> None:
    have = locked("dev.txt")
    for wanted in asked():
        entries = have.get(canonicalize_name(wanted.name))
        assert entries, f"{wanted.name} is not locked: make lock"
        for entry in entries:
            version = str(entry.specifier).removeprefix("==")
            assert wanted.specifier.contains(version, prereleases=True), f"{wanted} but {version} is locked: make lock"


def test_users_and_developers_have_the_same_versions() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("name", sorted(locked("run.txt")))
def test_what_users_install_may_be_passed_on(name: str) -> None:
    if not any(entry.marker is None or Marker(str(entry.marker)).evaluate() for entry in locked("run.txt")[name]):
        return  # for another platform
    about = metadata.metadata(name)
    classified = " ".join(line for line in about.get_all("Classifier") or [] if line.startswith("License"))
    # The field License may hold the whole text, third parties' included; what a project says of itself comes first.
    stated = f"{about.get('License-Expression', '')} {about.get('License', '')[:200]} {classified}"
    assert stated.strip(), f"{name} states no licence"
    assert not NOT_FOR_USERS.search(stated), f"{name}: {stated}"


def test_kernels_on_flink_are_of_the_versions_that_the_core_is_tested_with() -> None:
    ours, there = locked("run.txt"), locked(ON_FLINK)
    for name in ("numpy", "numba", "llvmlite", "msgspec", "xxhash", "lxml", "polars", "tzdata"):
        assert [str(one.specifier) for one in ours[name]] == [str(one.specifier) for one in there[name]], name
