"""Smallest and largest values: a stack of the records that no later record of the ring beats, oldest first.

The best of a window is the first of the stack inside it, so every frame only keeps its place. The stack is shared by
all frames of a delay. Bottom, top and places count pushes; the list itself holds low halves of record numbers.
"""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.machine import half, helper, put, put_half, word
from tidegate.features.kernels.records import counts, record, stack_area

LOW = w.LOW


@helper
def ranked(value: int, is_float: int, flip: int) -> int:
    """A word that sorts as the value does, or the other way round for a minimum (flip -1)."""
    if is_float:
        value ^= (value >> 63) & 0x7FFFFFFFFFFFFFFF
    return value ^ flip


@helper
def numbered(slot: int, area: int, place: int) -> int:
    """The record number at a place of the stack."""
    top = word(slot, w.S_NEXT)
    mask = (1 << word(slot, w.S_LOG)) - 1
    return top - ((top - half(area, place & mask)) & LOW)


@helper
def push(program: int, slot: int, stack: int, number: int) -> None:
    """Put a record on the stack, over those it beats; of equal values the later stays."""
    rec = record(program, slot, number)
    field, is_float, flip = word(stack, w.X_VALUE), word(stack, w.X_FLOAT), word(stack, w.X_FLIP)
    if not counts(program, rec, field, is_float, word(stack, w.X_WHERE)):
        return
    area = stack_area(program, slot, word(stack, w.X_AREA))
    mask = (1 << word(slot, w.S_LOG)) - 1
    bottom, top = word(slot, word(stack, w.X_BOTTOM)), word(slot, word(stack, w.X_BOTTOM) + 1)
    rank = ranked(word(rec, field), is_float, flip)
    while top > bottom:
        under = record(program, slot, numbered(slot, area, top - 1))
        if ranked(word(under, field), is_float, flip) > rank:
            break
        top -= 1
    put_half(area, top & mask, number)
    put(slot, word(stack, w.X_BOTTOM) + 1, top + 1)


@helper
def rewind(program: int, slot: int, stack: int, end: int) -> None:
    """Set a stack back to what it was before the record `end` came: those that only later ones beat are on it again."""
    area, field = stack_area(program, slot, word(stack, w.X_AREA)), word(stack, w.X_BOTTOM)
    bottom, top, first = word(slot, field), word(slot, field + 1), word(slot, w.S_OLDEST)
    while top > bottom and numbered(slot, area, top - 1) >= end:
        top -= 1
    if top > bottom:
        first = numbered(slot, area, top - 1) + 1
    put(slot, field + 1, top)
    for number in range(first, end):
        push(program, slot, stack, number)


@helper
def settle(program: int, slot: int, extreme: int, head: int) -> None:
    """Move a frame's place to the first record of the stack from `head` on, from wherever it was."""
    area = stack_area(program, slot, word(extreme, w.E_AREA))
    bottom, top = word(slot, word(extreme, w.E_BOTTOM)), word(slot, word(extreme, w.E_BOTTOM) + 1)
    place = min(max(word(slot, word(extreme, w.E_SLOT)), bottom), top)
    while place > bottom and numbered(slot, area, place - 1) >= head:
        place -= 1
    while place < top and numbered(slot, area, place) < head:
        place += 1
    put(slot, word(extreme, w.E_SLOT), place)


@helper
def drop_below(program: int, slot: int, oldest: int) -> None:
    """Take records before `oldest` off the bottoms of the stacks."""
    stack = program + word(program, w.P_STACK)
    for _ in range(word(program, w.P_STACKS)):
        area = stack_area(program, slot, word(stack, w.X_AREA))
        bottom, top = word(slot, word(stack, w.X_BOTTOM)), word(slot, word(stack, w.X_BOTTOM) + 1)
        while bottom < top and numbered(slot, area, bottom) < oldest:
            bottom += 1
        put(slot, word(stack, w.X_BOTTOM), bottom)
        stack += 8 * w.X_WORDS
