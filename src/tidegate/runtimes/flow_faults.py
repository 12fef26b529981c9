"""What went wrong in a flow file: the place, the line, what was expected, the nearest name."""

import ast
import builtins
import difflib
import re
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import tidegate
from tidegate.errors import FlowError, TidegateError
from tidegate.runtimes.flow_truth import instead_of

_OPTIONS = (
    "per", "last", "where", "delay", "with_current", "seen_as", "current", "because", "of", "otherwise", "answer",
    "then", "description", "ge", "le", "currency", "max_length", "personal", "known_after", "key",
)  # fmt: skip
_INSTEAD = {
    "len": "length", "round": "round_", "int": "floor, round_ or as_number", "float": "as_number, units or seconds",
    "min": "least, or minimum of a window,", "max": "greatest, or maximum of a window,", "sum": "total",
    "any": "|", "all": "&", "str": "the field itself", "bool": "a comparison", "sorted": "least and greatest",
    "math": "sqrt, exp, log, log1p, log10 of tidegate",
}  # fmt: skip
"""What authors write of Python's own, and what the language has for it."""
_LACKING = {
    "otherwise": "Say what to use when the model cannot answer: otherwise=0.0.",
    "of": "Say what the model is given: of=[times_usual, payments_10m].",
    "per": 'Say whose events are meant: per=Card, as in count(per=Card, last="10m").',
    "last": 'Say how far back it looks: last="10m", as in count(per=Card, last="10m").',
    "because": 'Say why, in words: because="Unlike this card\'s history".',
    "answer": 'Say what is then answered: deadline("50ms", answer="review").',
}
_EXAMPLE = 'payments_10m = count(per=Card, last="10m")'
_BY_NAME = dict.fromkeys(("approve", "review", "decline"), 'Write because= before the words: because="Too many".')
_BY_NAME |= {"at_most": 'Write last= and then=: at_most(100, "decline", last="1h", then="review").'}
_BY_NAME |= {
    "deadline": 'Write answer=: deadline("50ms", answer="review").',
    "bands": "Name each band: low=0.0, high=0.9.",
}
_WINDOWS = (
    "count", "total", "mean", "std", "minimum", "maximum", "distinct", "share", "mode", "has_seen", "first",
    "last_value", "nth_previous", "since_last", "since_first",
)  # fmt: skip
_BY_NAME |= dict.fromkeys(_WINDOWS, f"Write per= and last= before their values, as in {_EXAMPLE}.")
"""What to write where a value is given without the name that it has to have."""
_STRINGS = re.compile(r"'[^']*'|\"[^\"]*\"|#.*")
_WORDS_BY_SIGNS = re.compile(r"\b(?:and|or|not)\b")
"""Python's words for what expressions say by signs."""


class FlowFileError(FlowError):
    """A mistake in a flow file.

    Args:
        wrong, seen, do: as of every `TidegateError`.
        file: the file as it was named.
        line: the line of the mistake, from 1; 0 if it cannot be told.
        text: that line.
        start, end: the columns of the line that the mistake is in, from 0; equal if they cannot be told.
    """

    def __init__(
        self, wrong: str, *, seen: str, do: str, file: str, line: int, text: str, start: int = 0, end: int = 0
    ) -> None:
        self.file, self.line, self.text, self.start, self.end = file, line, text, start, end
        super().__init__(wrong, seen=seen, do=do)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {super().__str__()}"


def fault(path: Path, source: bytes, error: BaseException, *, within: str = "") -> FlowFileError:
    """The mistake behind an exception that executing the file raised; `within` names the class it was found in."""
    lines = source.decode("utf-8", "replace").splitlines()
    if isinstance(error, SyntaxError) and (error.filename is None or error.filename == str(path)):
        return _syntax(path, lines, error)
    line, start, end, names = _place(path, error.__traceback__)
    if within and not line:
        line = _line_of_class(source, within)
    if isinstance(error, TidegateError):
        line, start, end = _nearer(source, error, line, start, end)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    below = _line_below(source, error.name, line) if isinstance(error, NameError) and error.name else 0
    wrong, seen, do = _defined_below(error, below) if below else _told(error, names, text)
    if isinstance(error, TidegateError) and "no truth value" in wrong:
        do = instead_of(source, line, start, end) or do
    end = min(end, len(text))
    return FlowFileError(wrong, seen=seen, do=do, file=str(path), line=line, text=text, start=min(start, end), end=end)


def _syntax(path: Path, lines: list[str], error: SyntaxError) -> FlowFileError:
    line = error.lineno or 0
    text = lines[line - 1] if 0 < line <= len(lines) else (error.text or "").rstrip("\n")
    start = max(0, (error.offset or 1) - 1)
    end = (error.end_offset or 0) - 1 if error.end_lineno == line else len(text)
    said = (error.msg or "it cannot be read").rstrip(".")
    return FlowFileError(
        f"This is not Python: {said}{'' if said.endswith('?') else '.'}",
        seen=text.strip(),
        do=_mended(error, text),
        file=str(path),
        line=line,
        text=text,
        start=min(start, len(text)),
        end=min(max(end, start + 1), len(text)),
    )


def _mended(error: SyntaxError, text: str) -> str:
    """What to do about a line that Python cannot read."""
    said = error.msg or ""
    if isinstance(error, IndentationError):
        return "Begin the lines of a class four spaces in, all of them alike."
    code = _STRINGS.sub("", text)
    if "was never closed" in said:
        return "Close it: each ( [ and { wants its ) ] or }."
    if said.startswith("unmatched") or "does not match" in said:
        return "Open it, or leave it out: each ) ] and } wants its ( [ or {."
    if _WORDS_BY_SIGNS.search(code):
        return "Write ~ for not, & for and, | for or, and put each comparison in brackets: ~known & (times > 2)."
    if sum(map(code.count, "([{")) > sum(map(code.count, ")]}")):
        return "Close its brackets: each ( [ and { wants its ) ] or }."
    if "forgot a comma" in said:
        return "Put the comma, or the sign such as * or &, where it is missing in what is marked."
    return "Write one name a line, as in " + _EXAMPLE + "."


def _defined_below(error: BaseException, line: int) -> tuple[str, str, str]:
    name = str(getattr(error, "name", ""))
    return f"{name} is defined below, in line {line}.", name, "Put that line above this one."


def _line_below(source: bytes, name: str, line: int) -> int:
    """The first line after this one, of what it can see, that defines the name; 0 if there is none."""
    tree = ast.parse(source)
    around = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.lineno <= line <= (n.end_lineno or 0)]
    seen = [part for body in (*(made.body for made in around), tree.body) for part in body]
    made = (part for part in seen if not isinstance(part, ast.AnnAssign) or part.value is not None)
    return next((part.lineno for part in made if part.lineno > line and name in _defined(part)), 0)


def _place(path: Path, at: TracebackType | None) -> tuple[int, int, int, dict[str, Any]]:
    """The innermost line of the file itself that was being executed, and the names that were known there."""
    found: TracebackType | None = None
    while at is not None:
        if at.tb_frame.f_code.co_filename == str(path):
            found = at
        at = at.tb_next
    if found is None:
        return 0, 0, 0, {}
    frame = found.tb_frame
    summary = next(iter(traceback.extract_tb(found, limit=1)))
    same_line = summary.lineno == summary.end_lineno
    start = summary.colno or 0
    end = summary.end_colno or 0 if same_line else 10**6
    return found.tb_lineno, start, end, {**frame.f_globals, **frame.f_locals}


def _line_of_class(source: bytes, name: str) -> int:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node.lineno
    return 0


def _nearer(source: bytes, error: TidegateError, line: int, start: int, end: int) -> tuple[int, int, int]:
    """A mistake that shows only when the class is whole is told at the class: find the line of it that is meant."""
    tree = ast.parse(source)
    made = next((n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.lineno == line), None)
    if made is None:
        return line, start, end
    message = f"{error.wrong} {error.seen}"
    for word in re.findall(r"\w+\.\w+", message):
        owner, _, name = word.partition(".")
        for part in made.body:
            if (owner == made.name and name in _defined(part)) or (owner != made.name and word in ast.unparse(part)):
                return part.lineno, part.col_offset, part.end_col_offset or 0
    named = set(re.findall(r"\w+", message))
    keys = re.search(r" has (?:no|more than one) (\w+)\.", error.wrong)
    for part in made.body:
        windows = [k.value for n in ast.walk(part) if isinstance(n, ast.Call) for k in n.keywords if k.arg == "per"]
        read = {n.id.lower() for window in windows for n in ast.walk(window) if isinstance(n, ast.Name)}
        if named.intersection(_defined(part)) or (keys and keys[1].lower() in read):
            return part.lineno, part.col_offset, part.end_col_offset or 0
    return line, start, end


def _defined(part: ast.stmt) -> list[str]:
    """The names that a line of a class defines."""
    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [part.name]
    if isinstance(part, ast.AnnAssign):
        return [part.target.id] if isinstance(part.target, ast.Name) else []
    return [target.id for target in getattr(part, "targets", []) if isinstance(target, ast.Name)]


def _near(name: str, names: Any) -> str:
    found = difflib.get_close_matches(name, [n for n in names if not n.startswith("__")], 1, 0.6)
    return f"Did you mean {found[0]}?" if found else ""


def _told(error: BaseException, names: dict[str, Any], text: str) -> tuple[str, str, str]:
    """What is wrong, what was seen and what to do."""
    if isinstance(error, TidegateError):
        called = [name for name in re.findall(r"\b(\w+)\s*\(", text) if name in ("min", "max", "sorted", "any", "all")]
        if called and "truth value" in error.wrong:
            return f"Python's {called[0]} makes no expression.", error.seen, f"Write {_INSTEAD[called[0]]} instead."
        return error.wrong, error.seen, error.do
    message = " ".join(str(error).split())
    if isinstance(error, NameError):
        name = error.name or message
        if name in tidegate.__all__:
            return f"{name} is used but not imported.", name, f"Add it at the top: from tidegate import {name}"
        near = _near(name, [*names, *tidegate.__all__, *dir(builtins)])
        return f"There is no name {name} here.", name, near or "Define it above this line, or import it."
    if isinstance(error, AttributeError) and error.name:
        return _attribute(error)
    if isinstance(error, ImportError):
        return _import(error, message)
    if isinstance(error, TypeError):
        return _type(message, text)
    if isinstance(error, SyntaxError):
        where = f"{Path(error.filename or '').name}, line {error.lineno}"
        return "A file that this one imports is not Python.", f"{where}: {error.msg}", "Mend that file first."
    if isinstance(error, SystemExit):
        return "The file ends the program instead of defining a flow.", f"exit {error.code}", "Leave that call out."
    if isinstance(error, RecursionError):
        return "The file calls itself without end.", message, "A flow is data: write expressions."
    return "The file fails when it is read.", f"{type(error).__name__}: {message}", "A flow file only defines things."


def _attribute(error: AttributeError) -> tuple[str, str, str]:
    owner, name = error.obj, str(error.name)
    contract = getattr(owner, "__contract__", None)
    if isinstance(owner, type) and contract is not None:
        fields = ", ".join(contract)
        return f"{owner.__name__} has no field {name}.", name, _near(name, contract) or f"Its fields are {fields}."
    if getattr(owner, "__name__", "") == "tidegate":
        return (
            f"tidegate has no {name}.",
            name,
            _near(name, tidegate.__all__) or "See docs/api.md for the public names.",
        )
    known = [n for n in dir(owner) if not n.startswith("_")]
    what = f"{owner} ({owner.type})" if hasattr(owner, "type") else type(owner).__name__
    return f"{what} has no {name}.", name, _near(name, known) or "See docs/api.md for what can be written."


def _import(error: ImportError, message: str) -> tuple[str, str, str]:
    found = re.search(r"cannot import name '(\w+)' from '([\w.]+)'", message)
    if found and found[2] == "tidegate":
        near = _near(found[1], tidegate.__all__)
        return f"tidegate has no {found[1]}.", found[1], near or "See docs/api.md for the public names."
    if isinstance(error, ModuleNotFoundError):
        return f"There is no module {error.name}.", message, "Install it, or correct its name."
    return "An import fails.", message, ""


def _type(message: str, text: str) -> tuple[str, str, str]:
    found = re.search(r"unexpected keyword argument '(\w+)'", message)
    if found:
        near = _near(found[1], _OPTIONS)
        return f"{found[1]}= is nothing that can be given here.", message, near and near.replace("?", "=?")
    found = re.search(r"(\w+)\(\) missing \d+ required (?:keyword-only |positional )?arguments?: (.*)", message)
    if found:
        for given in re.findall(r"[(,]\s*(\w+)\s*=(?!=)", text):
            # What is lacking may be there under a name that is not quite right.
            near = _near(given, _OPTIONS) if given not in _OPTIONS else ""
            if near:
                return f"{given}= is nothing that can be given here.", message, near.replace("?", "=?")
        lacking = found[2].replace("'", "")
        first = lacking.split()[0].strip(",")
        return f"{found[1]} lacks {first}=.", message, _LACKING.get(first, f"Give it, as in {_EXAMPLE}.")
    found = re.search(r"(\w+)\(\) takes .*positional arguments? but \d+ ", message)
    if found and found[1] in _BY_NAME:
        return f"{found[1]} is given more than it takes without a name.", message, _BY_NAME[found[1]]
    if "'Money'" in message:
        return "Constant amounts are not computed with.", message, "Write the amount that is meant: eur(10)."
    called = [name for name in re.findall(r"\b(\w+)\s*[(.]", text) if name in _INSTEAD]
    if called:
        return f"Python's {called[0]} makes no expression.", message, f"Write {_INSTEAD[called[0]]} instead."
    return "These do not go together.", message, "See what each part of the line is."
