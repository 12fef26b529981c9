"""Loading a flow from its file; every mistake in the file is told with its place, and never as a traceback."""

import contextlib
import difflib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tidegate.decisions.flow import Flow
from tidegate.decisions.planner import plan
from tidegate.errors import FlowError
from tidegate.runtimes.flow_faults import FlowFileError, fault

__all__ = ["FlowFileError", "load_flow"]

_FLOW = re.compile(rb"^class \w+\((\w+\.)?[A-Z]", re.MULTILINE)
"""A class with a base: of Flow, or of a flow that another file has."""


def load_flow(place: str | Path) -> type[Flow[Any]]:
    """The flow in `FILE.py`, or the one of several named by `FILE.py:ClassName`.

    A name without `.py`, such as `card_fraud`, is one of the flows in `tidegate.solutions`. The file is executed, so
    load only what you would run. Its folder is searched first for what it imports.

    Raises:
        FlowError: no such file, no flow in it or several; a `FlowFileError`, which knows the line, for a mistake in it.
    """
    return load_parts(place)[0]


def load_parts(place: str | Path) -> tuple[type[Flow[Any]], tuple[Path, ...]]:
    """As `load_flow`; and the flow's own file and the modules that it imports from its folder; none for ours."""
    file, colon, wanted = str(place).rpartition(":")
    if not colon or not wanted.isidentifier():
        file, wanted = str(place), ""
    if not file.endswith(".py") and not Path(file).exists():
        module = _shipped(file)
        return _chosen(vars(module), wanted, str(place)), ()
    path = Path(file)
    source = _read(path)
    module, beside = _executed(path, source)
    flow = _chosen(vars(module), wanted, path.name)
    try:
        plan(flow.definition)
    except FlowError as error:
        raise fault(path, source, error, within=flow.__name__) from None
    return flow, (path, *beside)


def _shipped(name: str) -> ModuleType:
    """A solution of ours by its name."""
    from tidegate import solutions

    known = sorted(p.name for p in Path(solutions.__path__[0]).iterdir() if (p / "flow.py").is_file())
    if name not in known:
        raise FlowError(
            f"There is no flow {name!r}.",
            seen="neither a file nor one of the flows that come with Tidegate",
            do=f"Give a file, as in my_flow.py, or one of: {', '.join(known)}.",
        )
    return importlib.import_module(f"tidegate.solutions.{name}.flow")


def _read(path: Path) -> bytes:
    if path.is_dir():
        inside = sorted(_flow_files(path))
        raise FlowError(
            f"{path} is a folder, not a flow file.",
            seen=", ".join(inside[:6]) or "no file with a flow in it",
            do=f"Give {path / inside[0]}." if inside else "Give the path of a .py file.",
        )
    try:
        return path.read_bytes()
    except FileNotFoundError:
        there = _flow_files(path.parent)
        near = difflib.get_close_matches(path.name, there, 1, 0.5)
        raise FlowError(
            f"There is no file {path}.",
            seen=", ".join(sorted(there)[:6]) or "no file with a flow in that folder",
            do=f"Did you mean {near[0]}?" if near else "Make one with `tidegate new NAME`.",
        ) from None
    except OSError as error:
        raise FlowError(f"{path} cannot be read.", seen=error.strerror or str(error)) from None


def _flow_files(folder: Path) -> list[str]:
    """The names of the files in a folder that look as if they had a flow: others are not what was meant."""
    found = []
    for file in folder.glob("*.py") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if _FLOW.search(file.read_bytes()):
                found.append(file.name)
    return found


def _executed(path: Path, source: bytes) -> tuple[ModuleType, list[Path]]:
    """The file's module, and the files of those that it imported from its folder.

    Its events look up their annotations by the module's name, so it stays in `sys.modules`.
    """
    name = f"tidegate_flow_file.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise FlowError(f"{path} is not a Python file.", do="Name it like card_fraud.py.")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    there, beside = set(sys.modules), []
    importlib.invalidate_caches()
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before
        raise fault(path, source, error) from None
    finally:
        sys.path.remove(folder)
        # Another version of the flow has modules of the same names beside it, and must not be given these.
        for name in [name for name in sys.modules if name not in there and _lies_in(folder, sys.modules[name])]:
            if name != module.__name__:
                beside.append(Path(str(sys.modules.pop(name).__file__)))
    return module, beside


def _lies_in(folder: str, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder)


def _chosen(names: dict[str, Any], wanted: str, place: str) -> type[Flow[Any]]:
    """The flow that is meant: the named one, or the only one that the file itself defines."""
    flows: dict[str, type[Flow[Any]]] = {name: value for name, value in names.items() if _is_flow(value)}
    if wanted:
        if wanted in flows:
            return flows[wanted]
        near = difflib.get_close_matches(wanted, flows, 1)
        raise FlowError(
            f"{place} has no flow {wanted}.",
            seen=", ".join(flows) or "no flow at all",
            do=f"Did you mean {near[0]}?" if near else "Name one of those.",
        )
    own = {name: flow for name, flow in flows.items() if flow.__module__ == names["__name__"]} or flows
    if len({id(flow) for flow in own.values()}) == 1:
        return next(iter(own.values()))
    if own:
        first = next(iter(own))
        raise FlowError(f"{place} has several flows.", seen=", ".join(own), do=f"Name one: {place}:{first}.")
    raise FlowError(
        f"{place} has no flow.",
        seen="no class that derives from Flow",
        do="Write class CardFraud(Flow[Payment]): … in it, or start from `tidegate new NAME`.",
    )


def _is_flow(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Flow) and "definition" in value.__dict__
