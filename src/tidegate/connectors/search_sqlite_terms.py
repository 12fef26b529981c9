"""A query as a condition of SQL over the index of decisions."""

from collections.abc import Mapping, Sequence

from tidegate.actions.query import All, Any, Begins, Compare, Equal, Not, Phrase, Query, Time, as_number

Condition = tuple[str, list[object]]


def condition(query: Query, numbers: Mapping[str, int], newest: int) -> Condition:
    """The condition and its values.

    Args:
        query: what is looked for; its fields are known.
        numbers: the fields' numbers by name.
        newest: the time of the newest document, microseconds since 1970, which lengths of time count back from.
    """
    match query:
        case Phrase():
            text = '"' + " ".join(query.words) + '"'
            return "seq IN (SELECT rowid FROM texts WHERE texts MATCH ?)", [text]
        case Equal():
            return _equal(query, numbers)
        case Begins():
            return _begins(query, numbers)
        case Compare():
            return (
                f"seq IN (SELECT seq FROM numbers WHERE field = ? AND value {query.sign} ?)",
                [numbers.get(query.field, -1), query.bound],
            )
        case Time():
            return f"us {'>=' if query.sign == 'since' else '<'} ?", [query.resolved(newest)]
        case Not():
            inner, values = condition(query.part, numbers, newest)
            return f"NOT ({inner})", values
        case All():
            return _joined(query.parts, " AND ", "1", numbers, newest)
        case Any():
            return _joined(query.parts, " OR ", "0", numbers, newest)


def _joined(parts: Sequence[Query], word: str, none: str, numbers: Mapping[str, int], newest: int) -> Condition:
    made = [condition(part, numbers, newest) for part in parts]
    return "(" + (word.join(text for text, _ in made) or none) + ")", [value for _, values in made for value in values]


def _equal(query: Equal, numbers: Mapping[str, int]) -> Condition:
    field = numbers.get(query.field, -1)
    marks = ", ".join("?" * len(query.values))
    text = f"seq IN (SELECT seq FROM words WHERE field = ? AND value IN ({marks})"
    values: list[object] = [field, *query.values]
    plain = [number for number in map(as_number, query.values) if number is not None]
    if plain:
        text += f" UNION ALL SELECT seq FROM numbers WHERE field = ? AND value IN ({', '.join('?' * len(plain))})"
        values += [field, *plain]
    return text + ")", values


def _begins(query: Begins, numbers: Mapping[str, int]) -> Condition:
    field = numbers.get(query.field, -1)
    if not query.start:
        there = "SELECT seq FROM words WHERE field = ? UNION ALL SELECT seq FROM numbers WHERE field = ?"
        return f"seq IN ({there})", [field, field]
    # By code point, as texts are ordered in the table: everything from the beginning up to its end plus the last one.
    return (
        "seq IN (SELECT seq FROM words WHERE field = ? AND value >= ? AND value < ?)",
        [field, query.start, query.start + "\U0010ffff"],
    )
