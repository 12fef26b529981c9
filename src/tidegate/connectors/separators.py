"""What stands between the cells of a line of CSV: a comma, a semicolon or a tab."""

_SEPARATORS = (",", ";", "\t")


def separator_of(head: str) -> str:
    """What stands between the cells of a first line: of these the commonest outside quotes, a comma if none is."""
    return max(_SEPARATORS, key=lambda sign: sum(part.count(sign) for part in head.split('"')[::2]))
