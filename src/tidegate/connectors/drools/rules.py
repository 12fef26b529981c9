"""Packages of rules in DRL, from their files, for flows."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.connectors.drools.package import LARGEST, Package, compiled
from tidegate.connectors.drools.session import Runner
from tidegate.connectors.drools.values import fits, holds
from tidegate.decisions.drl.node import DrlPackage
from tidegate.decisions.drl.plan import Value
from tidegate.errors import DocumentError, FlowError, TidegateError, nearest
from tidegate.events.durations import microseconds, written
from tidegate.events.types import BOOL, FLOAT, INT, TEXT, Type
from tidegate.expressions.node import Expr

_TYPES: dict[Any, Type] = {bool: BOOL, int: INT, float: FLOAT, str: TEXT}
_MAP = "Map"


def drools(
    source: str | Path,
    *,
    given: Mapping[str, Mapping[str, Expr]],
    gives: Mapping[str, Any],
    otherwise: Mapping[str, Any],
    deadline: str = "20ms",
) -> DrlPackage:
    """A package of rules in DRL, run by Drools for every event that is decided, in a session of its own.

    Args:
        source: a DRL file, in the folder of the file that calls this.
        given: the facts, one of each type that the DRL declares: what each field is, as an expression. `Map` is a
            java.util.Map. Amounts come in major units, durations in seconds.
        gives: the results by name, with their Python types: fields of a declared type, `{"Answer": {"risk": float}}`,
            of which the rules leave one fact; or globals, `{"risk": float}`.
        otherwise: every result where there is no answer: in time, or because a rule failed or none gave the fact.
        deadline: how long it may take for one event.

    Raises:
        FlowError: a name or type does not fit the DRL, or `otherwise` does not name each result.
        DocumentError: the DRL is missing, does not compile, or calls what rules may not.
        TidegateError: JPype, Java or Drools' jars are not there; says what to install.
    """
    path = _found(Path(source), sys._getframe(1).f_globals.get("__file__"))
    package = read_package(path)
    inputs = _inputs(package, given, path.name)
    results = _results(package, gives, path.name)
    default = _default(results, otherwise)
    try:
        within = microseconds(deadline)
    except TidegateError as error:
        raise FlowError("deadline= is a length of time.", seen=repr(deadline), do=error.do) from None
    if not 1_000 <= within <= 60_000_000:
        raise FlowError("A deadline lies between 1 ms and 1 minute.", seen=written(within))
    names = tuple((owner, field) for owner, field, _ in inputs)
    return DrlPackage(
        name=path.stem,
        digest=package.digest,
        source=package.source,
        names=tuple(f"{owner}.{field}" for owner, field in names),
        args=tuple(expr for _, _, expr in inputs),
        gives={name: f"{owner}.{name}" if owner else name for owner, name, _ in results},
        outputs={name: kind for _, name, kind in results},
        default=default,
        deadline=within,
        runner=Runner(package, names, results, default, within),
    )


def read_package(path: Path) -> Package:
    """The package in a DRL file.

    Raises:
        DocumentError: it is missing, does not compile, or calls what rules may not.
        TidegateError: Drools is not there.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise DocumentError(f"{path.name} is too large for DRL.", seen=f"{path.stat().st_size:,} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        near = nearest(path.name, [one.name for one in path.parent.glob("*.drl")] if path.parent.is_dir() else [])
        raise DocumentError(f"There is no file {path}.", do=f"Did you mean {near}?" if near else "") from None
    except OSError as error:
        raise DocumentError(f"{path} cannot be read.", seen=error.strerror or str(error)) from None
    return compiled(data, path.name)


def _found(path: Path, caller: str | None) -> Path:
    """The file, looked for beside the file that asks for it, and then where we are."""
    beside = Path(caller).parent / path if caller and not path.is_absolute() else path
    return beside if beside.exists() or not path.exists() else path


def _declared(package: Package, owner: str, file: str) -> dict[str, str]:
    if owner in package.types:
        return package.types[owner]
    near = nearest(owner, list(package.types))
    raise FlowError(
        f"{file} declares no type {owner}.",
        seen=", ".join(package.types) or "no types",
        do=f"Did you mean {near}?" if near else f"Write declare {owner} … end in it.",
    )


def _field(fields: Mapping[str, str], owner: str, field: str, file: str) -> str:
    if field in fields:
        return fields[field]
    near = nearest(field, list(fields))
    raise FlowError(
        f"{owner} in {file} has no field {field}.",
        seen=", ".join(fields),
        do=f"Did you mean {near}?" if near else "",
    )


def _inputs(package: Package, given: Mapping[str, Any], file: str) -> list[tuple[str, str, Expr]]:
    found: list[tuple[str, str, Expr]] = []
    for owner, fields in given.items():
        if not isinstance(fields, Mapping) or not fields or not all(isinstance(e, Expr) for e in fields.values()):
            raise FlowError(
                f"The fact {owner} is given as fields with expressions.",
                seen=repr(fields)[:100],
                do="Write given={'Payment': {'amount': Payment.amount}}.",
            )
        is_map = owner == _MAP and owner not in package.types
        declared = {} if is_map else _declared(package, owner, file)
        for field, expr in fields.items():
            java = "java.lang.Object" if is_map else _field(declared, owner, field, file)
            if not is_map and java not in fits(expr.type):
                raise FlowError(
                    f"{owner}.{field} in {file} is a Java {java}, and is given {expr.type}.",
                    seen=str(expr),
                    do=f"Declare it as one of {', '.join(fits(expr.type))}.",
                )
            found.append((owner, field, expr))
    if not found:
        raise FlowError("A package of rules is given facts.", do="Write given={'Payment': {'amount': Payment.amount}}.")
    return found


def _results(package: Package, gives: Mapping[str, Any], file: str) -> list[tuple[str, str, Type]]:
    found: list[tuple[str, str, Type]] = []
    for name, said in gives.items():
        if isinstance(said, Mapping):
            fields = _declared(package, name, file)
            found += [(name, field, _type(field, t, _field(fields, name, field, file))) for field, t in said.items()]
            continue
        if name not in package.globals:
            near = nearest(name, list(package.globals))
            raise FlowError(
                f"{file} has no global {name}.",
                seen=", ".join(package.globals) or "no globals",
                do=f"Did you mean {near}?" if near else "A field of a fact is written {'Answer': {'risk': float}}.",
            )
        found.append(("", name, _type(name, said, package.globals[name])))
    names = [name for _, name, _ in found]
    if not found or len(set(names)) < len(names):
        raise FlowError("A package gives results, each under a name of its own.", seen=", ".join(names) or "none")
    return found


def _type(name: str, said: Any, java: str) -> Type:
    if said not in _TYPES:
        raise FlowError(f"The result {name} is a bool, int, float or str.", seen=repr(said))
    kind = _TYPES[said]
    if java not in holds(kind):
        raise FlowError(
            f"The result {name} is a Java {java}, and no {said.__name__}.",
            do=f"A {said.__name__} is one of {', '.join(holds(kind))}.",
        )
    return kind


def _default(results: list[tuple[str, str, Type]], otherwise: Mapping[str, Any]) -> tuple[Value, ...]:
    names = [name for _, name, _ in results]
    wrong = [name for name in otherwise if name not in names] if isinstance(otherwise, Mapping) else []
    if wrong:
        near = nearest(wrong[0], names)
        raise FlowError(
            f"otherwise= names {wrong[0]}, no result.",
            seen=", ".join(names),
            do=f"Is {near} meant?" if near else "",
        )
    lacking = [name for name in names if not isinstance(otherwise, Mapping) or name not in otherwise]
    if lacking:
        raise FlowError("otherwise= says every result.", seen=f"nothing of {', '.join(lacking)}")
    values: list[Value] = []
    for _, name, kind in results:
        value = otherwise[name]
        if kind is FLOAT and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is not None and (_TYPES.get(type(value)) is not kind or value != value):
            raise FlowError(f"otherwise= says {name}, which is a {kind}.", seen=repr(value))
        values.append(value)
    return tuple(values)


__all__ = ["drools", "read_package"]
