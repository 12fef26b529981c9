"""Equal values: each record is linked to the ones before and after it with the same value.

A link word holds two distances in records, to the previous equal value (low half) and to the next (high half), 0 for
none; UNLINKED marks a record that the group does not count. The newest record of each value is found by a hash table
that lives in the entity's own block, so that it is near, grows with the ring, and compares values in full.
"""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.machine import half, helper, put, put_half, word
from tidegate.features.kernels.records import counts, hash_area, record

UNLINKED = -1
LOW = w.LOW
_SPREAD = -7046029254386353131  # 2**64 / golden ratio, odd


@helper
def mixed(value: int) -> int:
    """A non-negative hash of a word."""
    value = (value ^ ((value >> 32) & LOW)) * _SPREAD
    value = (value ^ ((value >> 29) & 0x7FFFFFFFF)) * _SPREAD
    return (value >> 32) & LOW


@helper
def find(program: int, slot: int, group: int, value: int) -> int:
    """The newest record with this value, or -1."""
    oldest = word(slot, w.S_OLDEST)
    if word(slot, w.S_NEXT) == oldest:
        return -1
    table = hash_area(program, slot, word(group, w.G_AREA))
    ring = (1 << word(slot, w.S_LOG)) - 1
    mask, field = 2 * ring + 1, word(group, w.G_VALUE)
    place = mixed(value) & mask
    while True:
        entry = half(table, place)
        if entry == 0:
            return -1
        number = oldest + ((entry - 1 - oldest) & ring)
        if word(record(program, slot, number), field) == value:
            return number
        place = (place + 1) & mask


@helper
def find_before(program: int, slot: int, group: int, value: int, end: int) -> int:
    """The newest record before `end` with this value, or -1. A late row has records after its end."""
    number, oldest, links = find(program, slot, group, value), word(slot, w.S_OLDEST), word(group, w.G_LINK)
    while number >= end:
        back = word(record(program, slot, number), links) & LOW
        if back == 0 or number - back < oldest:
            return -1
        number -= back
    return number


@helper
def enter(program: int, slot: int, group: int, number: int, value: int) -> None:
    """Make this record the newest of its value in the hash table."""
    table = hash_area(program, slot, word(group, w.G_AREA))
    ring = (1 << word(slot, w.S_LOG)) - 1
    mask, field = 2 * ring + 1, word(group, w.G_VALUE)
    place = mixed(value) & mask
    while True:
        entry = half(table, place)
        if entry == 0 or word(record(program, slot, entry - 1), field) == value:
            put_half(table, place, (number & ring) + 1)
            return
        place = (place + 1) & mask


@helper
def leave(program: int, slot: int, group: int, number: int, value: int) -> None:
    """Take the record out of the hash table, closing the gap so that no search stops short."""
    table = hash_area(program, slot, word(group, w.G_AREA))
    ring = (1 << word(slot, w.S_LOG)) - 1
    mask, field = 2 * ring + 1, word(group, w.G_VALUE)
    gap = mixed(value) & mask
    while half(table, gap) != (number & ring) + 1:
        gap = (gap + 1) & mask
    place = gap
    while True:
        place = (place + 1) & mask
        entry = half(table, place)
        if entry == 0:
            break
        home = mixed(word(record(program, slot, entry - 1), field)) & mask
        if ((place - home) & mask) >= ((place - gap) & mask):
            put_half(table, gap, entry)
            gap = place
    put_half(table, gap, 0)


@helper
def link(program: int, slot: int, number: int) -> None:
    """Link a record that is the newest of the ring into every group that counts it."""
    rec = record(program, slot, number)
    group = program + word(program, w.P_GROUP)
    for _ in range(word(program, w.P_GROUPS)):
        field = word(group, w.G_LINK)
        if counts(program, rec, word(group, w.G_VALUE), word(group, w.G_FLOAT), word(group, w.G_WHERE)):
            value = word(rec, word(group, w.G_VALUE))
            # The hash table must not look at this record before it is entered.
            before = find(program, slot, group, value)
            if before >= 0:
                other = record(program, slot, before)
                put(other, field, (word(other, field) & LOW) | ((number - before) << 32))
                put(rec, field, number - before)
            else:
                put(rec, field, 0)
            enter(program, slot, group, number, value)
        else:
            put(rec, field, UNLINKED)
        group += 8 * w.G_WORDS


@helper
def unlink(program: int, slot: int, number: int) -> None:
    """Forget the oldest record: only the hash table may still point at it."""
    rec = record(program, slot, number)
    group = program + word(program, w.P_GROUP)
    for _ in range(word(program, w.P_GROUPS)):
        links = word(rec, word(group, w.G_LINK))
        if links != UNLINKED and (links >> 32) == 0:
            leave(program, slot, group, number, word(rec, word(group, w.G_VALUE)))
        group += 8 * w.G_WORDS


@helper
def unlink_newest(program: int, slot: int, number: int) -> None:
    """Take the newest record out again, as if it had never been linked."""
    rec, oldest = record(program, slot, number), word(slot, w.S_OLDEST)
    group = program + word(program, w.P_GROUP)
    for _ in range(word(program, w.P_GROUPS)):
        field = word(group, w.G_LINK)
        links = word(rec, field)
        if links != UNLINKED:
            value, before = word(rec, word(group, w.G_VALUE)), number - (links & LOW)
            if before < number and before >= oldest:
                enter(program, slot, group, before, value)
                other = record(program, slot, before)
                put(other, field, word(other, field) & LOW)
            else:
                leave(program, slot, group, number, value)
        group += 8 * w.G_WORDS


@helper
def refill(program: int, slot: int, relink: bool) -> None:
    """Make the hash tables anew for a moved ring; with `relink`, the links too."""
    size = 1 << word(slot, w.S_LOG)
    group = program + word(program, w.P_GROUP)
    for _ in range(word(program, w.P_GROUPS)):
        table = hash_area(program, slot, word(group, w.G_AREA))
        for i in range(size):
            put(table, i, 0)
        group += 8 * w.G_WORDS
    oldest, stop = word(slot, w.S_OLDEST), word(slot, w.S_NEXT)
    if word(program, w.P_GROUPS) == 0:
        return
    for number in range(oldest, stop):
        if relink:
            link(program, slot, number)
            continue
        rec = record(program, slot, number)
        group = program + word(program, w.P_GROUP)
        for _ in range(word(program, w.P_GROUPS)):
            links = word(rec, word(group, w.G_LINK))
            if links != UNLINKED and (links >> 32) == 0:
                enter(program, slot, group, number, word(rec, word(group, w.G_VALUE)))
            group += 8 * w.G_WORDS


@helper
def occurrences(program: int, slot: int, field: int, number: int, head: int) -> int:
    """How many records in [head, number] have the value of this one."""
    many = 0
    while number >= head:
        many += 1
        back = word(record(program, slot, number), field) & LOW
        if back == 0:
            break
        number -= back
    return many
