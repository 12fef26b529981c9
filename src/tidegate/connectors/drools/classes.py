"""What compiled rules may call: read off their class files before any of them is loaded.

Java has no confinement of its own to rely on, so this is a list of what is allowed. It is read in the constant pool of
each class (The Java Virtual Machine Specification, section 4.4), where every call and field that code can reach is
named by its owner, lambdas and method references too.
"""

import struct
from collections.abc import Iterator, Mapping

_LANG = frozenset({
    "Boolean", "Byte", "Character", "CharSequence", "Comparable", "Double", "Enum", "Float", "Integer", "Iterable",
    "Long", "Math", "Number", "Object", "Record", "Short", "StrictMath", "String", "StringBuffer", "StringBuilder",
    "Throwable",
})  # fmt: skip
_NAMED = {
    "java/lang/Class": frozenset({"getName", "getSimpleName", "equals", "hashCode", "toString", "isInstance"}),
    "java/lang/System": frozenset(
        {"arraycopy", "currentTimeMillis", "nanoTime", "identityHashCode", "lineSeparator", "out", "err"}
    ),
    "java/io/PrintStream": frozenset({"print", "println", "printf", "format", "flush"}),
    "java/lang/invoke/LambdaMetafactory": frozenset({"metafactory", "altMetafactory"}),
    "java/lang/invoke/StringConcatFactory": frozenset({"makeConcat", "makeConcatWithConstants"}),
    "java/lang/invoke/SerializedLambda": frozenset(
        {
            "getCapturedArg", "getFunctionalInterfaceClass", "getFunctionalInterfaceMethodName", "getImplClass",
            "getFunctionalInterfaceMethodSignature", "getImplMethodKind", "getImplMethodName", "getImplMethodSignature",
        }
    ),
    "java/lang/runtime/ObjectMethods": frozenset({"bootstrap"}),
    "org/kie/api/runtime/KieRuntime": frozenset(
        {"setGlobal", "getGlobal", "insert", "update", "delete", "halt", "getFactHandle", "getQueryResults"}
    ),
}  # fmt: skip
_ALLOWED = (
    "java/math/", "java/text/", "java/time/", "java/util/", "org/drools/model/", "org/drools/modelcompiler/",
    "org/drools/core/rule/consequence/", "org/drools/core/base/accumulators/", "org/drools/util/DateUtils",
    "org/kie/api/definition/", "org/kie/api/runtime/rule/", "org/slf4j/",
)  # fmt: skip
_NOT = (
    "java/util/Formatter", "java/util/Scanner", "java/util/Timer", "java/util/ServiceLoader", "java/util/jar/",
    "java/util/zip/", "java/util/logging/", "java/util/prefs/", "java/util/spi/", "java/util/ResourceBundle",
    "java/util/PropertyResourceBundle", "java/text/spi/", "java/time/zone/",
)  # fmt: skip
_PLAIN_CONCURRENT = (
    "java/util/concurrent/atomic/",
    "java/util/concurrent/ConcurrentHashMap",
    "java/util/concurrent/TimeUnit",
)
_NEVER = frozenset({"setDefault", "parallel", "parallelStream"})
"""Methods that change the whole machine, or go on in other threads."""
_OURS = "org/drools/project/model/ProjectModel_tidegate_"
"""The class that Drools makes of the project and not of its rules."""


def forbidden(files: Mapping[str, bytes]) -> tuple[str, str] | None:
    """The first class and member that some class files name and may not; None if there is none.

    Args:
        files: the class files by their names in the archive.

    Raises:
        ValueError: a file is no class file.
    """
    own = {name.removesuffix(".class") for name in files}
    for name, data in sorted(files.items()):
        if name.startswith(_OURS):
            continue
        for owner, member in _members(data):
            if owner not in own and not owner.startswith("[") and not _allowed(owner, member):
                return owner.replace("/", ".").replace("$", "."), member
    return None


def _allowed(owner: str, member: str) -> bool:
    if owner in _NAMED:
        return member in _NAMED[owner]
    if member in _NEVER:
        return False
    package, _, short = owner.rpartition("/")
    if package == "java/lang":
        return short in _LANG or short.endswith(("Exception", "Error"))
    if owner.startswith("java/util/concurrent/"):
        return owner.startswith(_PLAIN_CONCURRENT)
    return owner.startswith(_ALLOWED) and not owner.startswith(_NOT)


def _members(data: bytes) -> Iterator[tuple[str, str]]:
    """Every method and field that a class file names: its owner and its name."""
    if data[:4] != b"\xca\xfe\xba\xbe":
        raise ValueError("not a class file")
    count, place, number = struct.unpack_from(">H", data, 8)[0], 10, 1
    texts: dict[int, str] = {}
    one: dict[int, int] = {}
    two: dict[int, tuple[int, int]] = {}
    called: list[int] = []
    while number < count:
        tag = data[place]
        if tag == 1:
            length = struct.unpack_from(">H", data, place + 1)[0]
            texts[number] = data[place + 3 : place + 3 + length].decode("utf-8", "replace")
            place += 3 + length
        elif tag in (7, 8, 16, 19, 20):
            one[number] = struct.unpack_from(">H", data, place + 1)[0]
            place += 3
        elif tag in (3, 4, 9, 10, 11, 12, 17, 18):
            if tag > 4:
                two[number] = struct.unpack_from(">HH", data, place + 1)
            if tag in (9, 10, 11):
                called.append(number)
            place += 5
        elif tag in (5, 6):
            place, number = place + 9, number + 1
        elif tag == 15:
            place += 4
        else:
            raise ValueError(f"constant of kind {tag}")
        number += 1
    for entry in called:
        owner, name_and_type = two[entry]
        yield texts[one[owner]], texts[two[name_and_type][0]]


__all__ = ["forbidden"]
