"""What a query means, plainly: each document is looked at by itself."""

from tidegate.actions.document import OWN, Document
from tidegate.actions.query import All, Any, Begins, Compare, Equal, Not, Phrase, Query, Time


def texts(one: Document, field: str) -> list[str]:
    """The texts that a field of a document has, in lower case."""
    if field == "rule":
        return [rule.lower() for rule in one.rule]
    if field == "alarm":
        return ["true" if one.alarm else "false"]
    value = getattr(one, field) if field in OWN else one.words.get(field)
    return [] if value is None else [value.lower()]


def numbers(one: Document, field: str) -> list[float]:
    value = one.score if field == "score" else one.numbers.get(field)
    return [] if value is None else [value]


def as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def beside(words: list[str], phrase: tuple[str, ...]) -> bool:
    return any(tuple(words[at : at + len(phrase)]) == phrase for at in range(len(words)))


def holds(query: Query, one: Document, newest: int) -> bool:
    match query:
        case Phrase():
            return beside(one.text.split(), query.words)
        case Equal():
            wanted = [number for number in map(as_number, query.values) if number is not None]
            return any(text in query.values for text in texts(one, query.field)) or any(
                number in wanted for number in numbers(one, query.field)
            )
        case Begins():
            if not query.start:
                return bool(texts(one, query.field) or numbers(one, query.field))
            return any(text.startswith(query.start) for text in texts(one, query.field))
        case Compare():
            compare = {
                ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
            }[query.sign]  # fmt: skip
            return any(compare(number, query.bound) for number in numbers(one, query.field))
        case Time():
            bound = newest - query.at if query.before else query.at
            return one.us >= bound if query.sign == "since" else one.us < bound
        case Not():
            return not holds(query.part, one, newest)
        case All():
            return all(holds(part, one, newest) for part in query.parts)
        case Any():
            return any(holds(part, one, newest) for part in query.parts)


def found(query: Query, documents: list[Document]) -> list[str]:
    """The ids that a query finds, the newest first."""
    newest = max((one.us for one in documents), default=0)
    fits = [one for one in documents if holds(query, one, newest)]
    return [one.id for one in sorted(fits, key=lambda one: (one.us, one.seq), reverse=True)]
