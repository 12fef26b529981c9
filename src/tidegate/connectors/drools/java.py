"""The one Java machine of this process, with Drools in it; once it has ended there is no other."""

import os
import re
from functools import cache
from typing import Any

from tidegate.connectors.drools.jars import jars
from tidegate.errors import TidegateError

OLDEST = 17
"""The oldest Java that Drools 10 runs on."""


def heap() -> str:
    """The most memory that rules may take: `TIDEGATE_DROOLS_HEAP`, as Java's -Xmx, or 512m.

    Raises:
        TidegateError: it is no size.
    """
    said = os.environ.get("TIDEGATE_DROOLS_HEAP") or "512m"
    if not re.fullmatch(r"[1-9]\d{0,6}[mMgG]", said):
        raise TidegateError("TIDEGATE_DROOLS_HEAP is a size.", seen=said, do="Write 512m or 2g.")
    return said


@cache
def java() -> Any:
    """JPype, its Java machine started.

    What rules print goes nowhere: a flow's output is its decisions.

    Raises:
        TidegateError: JPype, Java or the jars are not there, or Java is too old.
    """
    try:
        import jpype
    except ImportError as error:
        raise TidegateError.not_installed("DRL", "JPype", "drools", error) from None
    if not jpype.isJVMStarted():
        found = str(jars() / "*")
        try:
            jpype.startJVM(f"-Xmx{heap()}", "-XX:+UseSerialGC", classpath=[found], convertStrings=False)
        except (jpype.JVMNotFoundException, OSError, RuntimeError, ValueError) as error:
            raise TidegateError(
                "Java does not start.", seen=str(error)[:200], do=f"Install Java {OLDEST} and set JAVA_HOME."
            ) from None
        nowhere = jpype.JClass("java.io.PrintStream")(jpype.JClass("java.io.OutputStream").nullOutputStream())
        jpype.JClass("java.lang.System").setOut(nowhere)
        jpype.JClass("java.lang.System").setErr(nowhere)
    version = int(str(jpype.JClass("java.lang.Runtime").version().feature()))
    if version < OLDEST:
        raise TidegateError(f"Drools needs Java {OLDEST} or newer.", seen=f"Java {version}")
    return jpype


def java_class(name: str) -> Any:
    """A Java class by its full name."""
    return java().JClass(name)


__all__ = ["OLDEST", "heap", "java", "java_class"]
