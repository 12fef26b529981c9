"""A DRL file compiled by Drools: its rules, its types and globals, or what is wrong with it and in which line."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from tidegate.connectors.drools.classes import forbidden
from tidegate.connectors.drools.java import java_class
from tidegate.connectors.drools.worker import LateError, Worker
from tidegate.errors import DocumentError

LARGEST = 8 * 1024 * 1024
"""Bytes of a DRL file."""
LONGEST = 120.0
"""Seconds that compiling may take."""
_SHOWN = 3
"""Messages of Drools that an error repeats."""
_PLAIN = 'package plain; rule "r" when then int i = 0; end'
_kept: dict[str, "Package"] = {}


@dataclass(frozen=True)
class Package:
    """Compiled DRL.

    Args:
        name: of its package.
        rules: their names, in the file's order.
        types: of every declared type its fields' Java types, by name.
        globals: the Java types of its globals, by name.
        base: Drools' KieBase.
        digest: SHA-256 of the DRL's bytes.
        source: the DRL.
    """

    name: str
    rules: tuple[str, ...]
    types: dict[str, dict[str, str]]
    globals: dict[str, str]
    base: Any
    digest: str
    source: str

    def fact_type(self, name: str) -> Any:
        """Drools' description of a declared type."""
        return self.base.getFactType(self.name, name)


def compiled(data: bytes, file: str) -> Package:
    """The package in a DRL file; the same bytes are compiled once.

    Raises:
        DocumentError: it is not DRL, does not compile, has no rules, or calls what rules may not.
        TidegateError: Drools is not there.
    """
    digest = hashlib.sha256(data).hexdigest()
    if digest in _kept:
        return _kept[digest]
    if len(data) > LARGEST:
        raise DocumentError(f"{file} is too large for DRL.", seen=f"{len(data):,} bytes")
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(f"{file} is no DRL: it is not text in UTF-8.", line=line) from None
    if "\0" in source:
        raise DocumentError(f"{file} is no DRL: it holds null characters.")
    java_class("org.kie.api.KieServices")  # so that what lacks is told from here
    try:
        made: Package = Worker().call(lambda: _compiled(source, digest, file), LONGEST)
    except LateError:
        raise DocumentError(f"{file} takes longer than {LONGEST:.0f} s to compile.") from None
    except DocumentError:
        raise
    except Exception as error:
        raise DocumentError(f"Drools cannot compile {file}.", seen=" ".join(str(error).split())[:300]) from None
    _kept[digest] = made
    return made


def _compiled(source: str, digest: str, file: str) -> Package:
    project, builder = _built(source, f"p{digest[:16]}")
    errors = java_class("org.kie.api.builder.Message").Level.ERROR
    try:
        _sound(builder.getResults().getMessages(errors), source, file)
    except DocumentError:
        _built(_PLAIN, "plain")  # classes of a build that failed come again in Drools' next one: let it be this
        raise
    module = builder.getKieModule()
    names = [str(name) for name in module.getFileNames()]
    classes = {name: bytes(module.getBytes(name)) for name in names if name.endswith(".class")}
    _confined(classes, source, file)
    base = java_class("org.kie.api.KieServices").get().newKieContainer(project).getKieBase()
    return _described(base, digest, source, file)


def _built(source: str, name: str) -> tuple[Any, Any]:
    """The project of this name, and Drools' builder of it, done."""
    services = java_class("org.kie.api.KieServices").get()
    project = services.newReleaseId("tidegate", name, "1")
    files = services.newKieFileSystem()
    files.generateAndWritePomXML(project)
    files.write("src/main/resources/rules.drl", java_class("java.lang.String")(source))
    builder = services.newKieBuilder(files)
    builder.buildAll(java_class("org.drools.model.codegen.ExecutableModelProject").class_)
    return project, builder


def _sound(messages: Any, source: str, file: str) -> None:
    told = {(_line(m, source), _plain(str(m.getText()))) for m in messages}
    found = sorted(one for one in told if not one[1].startswith("Java source of")) or sorted(told)
    if not found:
        return
    others = [f"line {line}: {text}" if line else text for line, text in found[1:_SHOWN]]
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    first = next((line for line, _ in found if line), 0)
    raise DocumentError(
        f"{file} does not compile.",
        seen="; ".join([found[0][1], *others]) + more,
        do=f"Mend it where Drools says{_rule_at(found[0][0] or first, source)}.",
        line=found[0][0] or first,
    )


def _line(message: Any, source: str) -> int:
    """The line of the DRL that a message is about; one about the Java made of it names what is wrong first."""
    if not str(message.getPath()).endswith(".java"):
        return max(int(message.getLine()), 0) or _line_quoted(str(message.getText()), source)
    named = re.match(r"\W*(?:The (?:method|type|constructor|operator) )?(\w+)", str(message.getText()))
    place = re.search(rf"\b{re.escape(named[1])}\b", source) if named else None
    return source[: place.start()].count("\n") + 1 if place else 0


def _line_quoted(text: str, source: str) -> int:
    """The line of the first expression that a message without a line quotes; 0 if it stands nowhere in the source."""
    quoted = re.search(r"expression: (.+?)\s*$", text, re.S)
    if quoted is None:
        return 0
    words = r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", quoted[1])[:50]))
    place = re.search(rf"(?<!\w){words}", source)
    return source[: place.start()].count("\n") + 1 if place else 0


def _rule_at(line: int, source: str) -> str:
    """In words, which rule a line is in; empty if in none."""
    named = re.findall(r"""^\s*rule\s+(?:"([^"]+)"|'([^']+)'|(\w+))""", "\n".join(source.splitlines()[:line]), re.M)
    return f', in the rule "{"".join(named[-1])}"' if line and named else ""


def _plain(text: str) -> str:
    """A message of Drools in one line, without what it says of its own files."""
    return re.sub(r"\s+", " ", text).strip().rstrip(".")[:240]


def _confined(classes: dict[str, bytes], source: str, file: str) -> None:
    found = forbidden(classes)
    if found is None:
        return
    owner, member = found
    short = owner.rpartition(".")[2]
    place = re.search(rf"\b{re.escape(short)}\b", source) or re.search(rf"\b{re.escape(member)}\b", source)
    raise DocumentError(
        f"{file} calls what rules may not.",
        seen=f"{owner}.{member}" if member != "<init>" else f"new {owner}",
        do="Rules compute: they have no files, network, threads, reflection or processes. Leave the call out.",
        line=source[: place.start()].count("\n") + 1 if place else 0,
    )


def _described(base: Any, digest: str, source: str, file: str) -> Package:
    packages = [one for one in base.getKiePackages() if one.getRules().size()]
    if len(packages) != 1:
        raise DocumentError(
            f"{file} has no rules." if not packages else f"{file} has rules in more than one package.",
            do='Write rule "name" when … then … end.',
        )
    package = packages[0]
    types = {
        str(kind.getSimpleName()): {str(field.getName()): _java_name(field) for field in _fields(kind)}
        for kind in package.getFactTypes()
    }
    globals_ = {str(one.getName()): str(one.getType()) for one in package.getGlobalVariables()}
    rules = tuple(str(rule.getName()) for rule in package.getRules())
    return Package(str(package.getName()), rules, types, globals_, base, digest, source)


def _fields(kind: Any) -> list[Any]:
    """The fields of a type in the order in which it declares them."""
    return sorted(kind.getFields(), key=lambda field: int(field.getIndex()))


def _java_name(field: Any) -> str:
    return str(field.getType().getName())


__all__ = ["LARGEST", "Package", "compiled"]
