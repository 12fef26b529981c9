"""What a match is replaced by: a text, and what groups matched (XPath Functions 3.1, 5.6.4)."""


def matched(text: str, slots: list[int], group: int) -> str:
    """What a group matched, where `slots` are what `Program.search` found; nothing if it took no part."""
    begin, end = slots[2 * group : 2 * group + 2] if 2 * group < len(slots) else (-1, -1)
    return text[begin:end] if begin >= 0 and end >= 0 else ""


def replacement_parts(text: str, groups: int) -> list[str | int] | None:
    """The text that comes in, its groups as their numbers; None where a sign stands alone."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        sign, following = text[at], text[at + 1 : at + 2]
        if sign == "\\":
            if following not in ("\\", "$"):
                return None
            parts.append(following)
            at += 2
        elif sign == "$":
            if not (following.isascii() and following.isdecimal()):
                return None
            end = at + 2
            # As many digits as name a group that there is; the first counts whether there is one or not.
            while text[end : end + 1].isdecimal() and text[end].isascii() and int(text[at + 1 : end + 1]) <= groups:
                end += 1
            parts.append(int(text[at + 1 : end]))
            at = end
        else:
            parts.append(sign)
            at += 1
    return parts
