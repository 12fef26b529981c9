"""What Python asks a flow's expressions to be true for, and what the language has instead, written out."""

import ast

__all__ = ["instead_of"]

_EVERY = "its lines say what is decided of every event, and are run once: write where(condition, a, b)"
_SIGNS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def instead_of(source: bytes, line: int, start: int, end: int) -> str:
    """What to write instead of what asks for a truth value at a place of a file; empty if that cannot be told.

    Args:
        source: the file.
        line: of the place, from 1.
        start, end: its columns, from 0.
    """
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.expr, ast.stmt)) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        told = _told(node)
        one_line = node.lineno == node.end_lineno
        if told and (not one_line or (node.col_offset <= start and end <= (node.end_col_offset or 0))):
            found.append(((node.end_lineno or 0) - node.lineno, told))
    return min(reversed(found), key=lambda one: one[0])[1] if found else ""  # the innermost


def _told(node: ast.AST) -> str:
    if isinstance(node, ast.Compare):
        return _compared(node)
    if isinstance(node, ast.BoolOp):
        word, sign = ("and", " & ") if isinstance(node.op, ast.And) else ("or", " | ")
        return f"Write {sign.strip()} for {word}: {sign.join(map(_bracketed, node.values))}."
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"Write ~ for not: ~{_bracketed(node.operand)}."
    if isinstance(node, ast.IfExp):
        parts = ", ".join(ast.unparse(part) for part in (node.test, node.body, node.orelse))
        return f"Write where(condition, a, b) for `a if condition else b`: where({parts})."
    if isinstance(node, (ast.If, ast.While, ast.Assert)):
        word = type(node).__name__.lower()
        return f"A flow has no `{word}`, as {_EVERY} for a value, or a rule for an outcome."
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        return f"A flow has no `if` over expressions, as {_EVERY}."
    return ""


def _compared(node: ast.Compare) -> str:
    sides = [node.left, *node.comparators]
    if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        values = sides[1].elts if isinstance(sides[1], (ast.Tuple, ast.List, ast.Set)) else []
        given = ", ".join(map(ast.unparse, values)) or f"*{ast.unparse(sides[1])}"
        no, word = ("~", "not in") if isinstance(node.ops[0], ast.NotIn) else ("", "in")
        return f"Write is_in(…) for {word}: {no}is_in({ast.unparse(sides[0])}, {given})."
    signs = [_SIGNS.get(type(op), "") for op in node.ops]
    if len(signs) < 2 or not all(signs):
        return ""
    pairs = zip(sides, signs, sides[1:], strict=False)
    parts = [f"({ast.unparse(a)} {sign} {ast.unparse(b)})" for a, sign, b in pairs]
    return f"Write each comparison by itself: {' & '.join(parts)}."


def _bracketed(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if isinstance(node, (ast.Name, ast.Attribute, ast.Call)) else f"({text})"
