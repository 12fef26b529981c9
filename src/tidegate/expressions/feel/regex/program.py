"""Runs regular expressions in time that is bounded by the pattern's length times the text's.

The pattern becomes a list of instructions, which a backtracking machine runs that never comes to the same instruction
at the same place of the text twice: what failed there once fails again (the bit-state machine of RE2; R. Cox, "Regular
Expression Matching: the Virtual Machine Approach", 2009). With back-references that does not hold, as what follows
hangs on what a group matched; then only the steps are counted, and when there are too many the match is refused.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.regex.characters import Characters, variants
from tidegate.expressions.feel.regex.syntax import (
    Anchor,
    Choice,
    Group,
    Part,
    PatternError,
    PatternReader,
    Reference,
    Repeat,
    Sequence,
)

LONGEST_PROGRAM = 5_000
LARGEST_MATCH = 20_000_000
"""How many instructions a pattern may become, and how many times the length of the text that may be."""

_TAKE, _SPLIT, _JUMP, _SAVE, _HOLDS, _REFER, _MARK, _PROGRESS, _DONE = range(9)
_STEPS_AT_ONCE = 1024

Spend = Callable[[int], None]
Instruction = tuple[int, Any, Any]


class Program:
    """A pattern made into instructions, to be run on many texts.

    Raises PatternError if what the reader is given is no regular expression.
    """

    def __init__(self, reader: PatternReader) -> None:
        part = reader.read()
        self.groups, self._loose = reader.groups, "i" in reader.flags
        self._references = reader.references
        self._slots = 2 * (self.groups + 1)
        self._code: list[Instruction] = []
        self._add(part)
        self._emit(_DONE)

    def _emit(self, *instruction: Any) -> int:
        if len(self._code) >= LONGEST_PROGRAM:
            raise PatternError(f"the pattern is too large: it becomes more than {LONGEST_PROGRAM} steps")
        self._code.append((*instruction, None, None)[:3])
        return len(self._code) - 1

    def _add(self, part: Part) -> None:
        if isinstance(part, Characters):
            self._emit(_TAKE, part.takes)
        elif isinstance(part, Sequence):
            for each in part.parts:
                self._add(each)
        elif isinstance(part, Group):
            self._group(part)
        elif isinstance(part, Repeat):
            self._repeat(part)
        elif isinstance(part, Choice):
            self._choose(part)
        elif isinstance(part, Reference):
            self._emit(_REFER, part.group)
        elif isinstance(part, Anchor):
            self._emit(_HOLDS, part.holds)

    def _group(self, part: Group) -> None:
        if part.number is None:
            self._add(part.inner)
            return
        self._emit(_SAVE, 2 * part.number)
        self._add(part.inner)
        self._emit(_SAVE, 2 * part.number + 1)

    def _choose(self, part: Choice) -> None:
        jumps = []
        for option in part.options[:-1]:
            split = self._emit(_SPLIT)
            self._add(option)
            jumps.append(self._emit(_JUMP))
            self._code[split] = (_SPLIT, split + 1, len(self._code))
        self._add(part.options[-1])
        for jump in jumps:
            self._code[jump] = (_JUMP, len(self._code), None)

    def _repeat(self, part: Repeat) -> None:
        for _ in range(part.least):
            size = len(self._code)
            self._add(part.inner)
            if len(self._code) == size:
                break  # nothing is the same however often: without this, nested counts of it would take for ever
        if part.most is None:
            self._loop(part)
            return
        splits = []
        for _ in range(part.most - part.least):
            splits.append(self._emit(_SPLIT))
            self._add(part.inner)
        for split in splits:
            self._branch(split, len(self._code), part.greedy)

    def _loop(self, part: Repeat) -> None:
        split = self._emit(_SPLIT)
        slot = self._slots
        if self._references:
            # Without the memory of places, a turn that takes nothing would go on for ever.
            self._slots += 1
            self._emit(_MARK, slot)
        self._add(part.inner)
        if self._references:
            self._emit(_PROGRESS, slot)
        self._emit(_JUMP, split)
        self._branch(split, len(self._code), part.greedy)

    def _branch(self, split: int, behind: int, greedy: bool) -> None:
        into = split + 1
        self._code[split] = (_SPLIT, into, behind) if greedy else (_SPLIT, behind, into)

    def search(self, text: str, start: int, spend: Spend) -> list[int] | None:
        """The first match from a place on: where it and each of its groups begin and end, -1 for what took no part.

        Raises:
            FeelLimitError: it takes too many steps.
        """
        size = len(self._code) * (len(text) + 1)
        if size > LARGEST_MATCH:
            raise FeelLimitError(
                "A regular expression is too large for this text.",
                seen=f"{len(self._code)} steps, {len(text)} characters",
                do=f"Their product stays under {LARGEST_MATCH}.",
            )
        spend(1 + size // 4096)
        seen = None if self._references else bytearray(size)
        for at in range(start, len(text) + 1):
            found = self._match(text, at, seen, spend)
            if found is not None:
                return found
        return None

    def _match(self, text: str, start: int, seen: bytearray | None, spend: Spend) -> list[int] | None:
        code, width, length = self._code, len(text) + 1, len(text)
        slots = [-1] * self._slots
        slots[0] = start
        # What to try next: an instruction and a place, or (below 0) a slot and what to put back into it.
        waiting: list[tuple[int, int]] = [(0, start)]
        steps = 0
        while waiting:
            at, place = waiting.pop()
            if at < 0:
                slots[~at] = place
                continue
            while True:
                steps += 1
                if steps == _STEPS_AT_ONCE:
                    spend(steps)
                    steps = 0
                if seen is not None:
                    if seen[at * width + place]:
                        break
                    seen[at * width + place] = 1
                operation, a, b = code[at]
                at += 1
                if operation == _TAKE:
                    if place < length and a(text[place]):
                        place += 1
                        continue
                    break
                if operation == _SPLIT:
                    waiting.append((b, place))
                    at = a
                elif operation == _JUMP:
                    at = a
                elif operation in (_SAVE, _MARK):
                    waiting.append((~a, slots[a]))
                    slots[a] = place
                elif operation == _DONE:
                    slots[1] = place
                    spend(steps)
                    return slots[: 2 * (self.groups + 1)]
                elif operation == _REFER:
                    found = self._referred(text, slots, a, place)
                    if found < 0:
                        break
                    place = found
                elif operation == _PROGRESS:
                    if slots[a] == place:
                        break
                elif not a(text, place):
                    break
        spend(steps)
        return None

    def _referred(self, text: str, slots: list[int], group: int, place: int) -> int:
        """Where what the group matched ends, if it stands here once more; -1 where it does not."""
        begin, end = slots[2 * group], slots[2 * group + 1]
        if begin < 0 or end < 0:
            return place
        matched, here = text[begin:end], text[place : place + end - begin]
        alike = matched == here or (
            self._loose
            and len(matched) == len(here)
            and all(a in variants(b) for a, b in zip(matched, here, strict=True))
        )
        return place + len(matched) if alike else -1


@lru_cache(maxsize=512)
def program(pattern: str, flags: str) -> Program:
    """The program of a pattern; the last few hundred are kept.

    Raises:
        PatternError: it is no regular expression.
    """
    return Program(PatternReader(pattern, flags))
