"""Hit policies: which of the rows that match decide, in the terms of DMN 1.5, section 8.2.8."""

from enum import Enum

from tidegate.errors import FlowError, nearest


class Policy(Enum):
    """What a table does when several rows match; the value is DMN's sign."""

    UNIQUE = "U"
    ANY = "A"
    FIRST = "F"
    PRIORITY = "P"
    COLLECT = "C"
    SUM = "C+"
    LEAST = "C<"
    GREATEST = "C>"
    COUNT = "C#"
    RULE_ORDER = "R"
    OUTPUT_ORDER = "O"

    @property
    def words(self) -> str:
        """As people say it."""
        return _WORDS[self]

    @property
    def is_list(self) -> bool:
        """Whether every row that matches counts by itself, so that an output is a list."""
        return self in (Policy.COLLECT, Policy.RULE_ORDER, Policy.OUTPUT_ORDER)

    @property
    def is_sum(self) -> bool:
        """Whether the rows that match are put together into one number."""
        return self in (Policy.SUM, Policy.LEAST, Policy.GREATEST, Policy.COUNT)


_WORDS = {
    Policy.UNIQUE: "unique", Policy.ANY: "any", Policy.FIRST: "first", Policy.PRIORITY: "priority",
    Policy.COLLECT: "collect", Policy.SUM: "collect +", Policy.LEAST: "collect <", Policy.GREATEST: "collect >",
    Policy.COUNT: "collect #", Policy.RULE_ORDER: "rule order", Policy.OUTPUT_ORDER: "output order",
}  # fmt: skip


def policy_of(text: str) -> Policy:
    """The hit policy that a word or DMN's sign names.

    Raises:
        FlowError: there is no such policy.
    """
    plain = " ".join(text.strip().lower().replace("_", " ").split())
    for policy, words in _WORDS.items():
        if plain.replace(" ", "") in (words.replace(" ", ""), policy.value.lower()):
            return policy
    near = nearest(plain, _WORDS.values())
    raise FlowError(
        "There is no such hit policy.",
        seen=repr(text),
        do=f"Did you mean {near}?" if near else f"It is one of {', '.join(_WORDS.values())}.",
    )
