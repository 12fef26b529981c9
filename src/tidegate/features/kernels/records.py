"""Records of an entity's ring: where they are, how a row becomes one, whether a window counts it."""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.machine import as_real, as_word, helper, put, word

MISSING = w.MISSING
_MAGNITUDE = 0x7FFFFFFFFFFFFFFF
_INFINITY = 0x7FF0000000000000


@helper
def present(value: int, is_float: int) -> bool:
    """Whether a cell holds a value: neither MISSING nor, for a float, any NaN."""
    if is_float:
        return (value & _MAGNITUDE) <= _INFINITY
    return value != MISSING


@helper
def record(program: int, slot: int, place: int) -> int:
    """Address of the record with this running number."""
    mask = (1 << word(slot, w.S_LOG)) - 1
    return word(slot, w.S_BLOCK) + (place & mask) * word(program, w.P_RECORD)


@helper
def counts(program: int, rec: int, value: int, is_float: int, where: int) -> bool:
    """Whether a window over this value word (0 for none) and condition mask counts the record."""
    if where != 0 and (word(rec, word(program, w.P_FLAGS)) & where) == 0:
        return False
    return value == 0 or present(word(rec, value), is_float)


@helper
def stage(program: int, cells: int, stride: int, row: int, rec: int) -> None:
    """Write the row as a record. Links to equal values are left for `distinct.link`."""
    put(rec, 0, word(cells, row))
    item = program + word(program, w.P_VALUE)
    for _ in range(word(program, w.P_VALUES)):
        value = word(cells + word(item, w.V_COLUMN) * stride, row)
        if word(item, w.V_FLOAT):
            # -0.0 and 0.0 are one value, so they must be one bit pattern.
            value = as_word(as_real(value) + 0.0)
        put(rec, word(item, w.V_WORD), value)
        item += 8 * w.V_WORDS
    if word(program, w.P_WHERES):
        bits = 0
        item = program + word(program, w.P_WHERE)
        for i in range(word(program, w.P_WHERES)):
            if word(cells + word(item, i) * stride, row) == 1:
                bits |= 1 << i
        put(rec, word(program, w.P_FLAGS), bits)


@helper
def block_bytes(program: int, log: int) -> int:
    """Bytes of a ring of 2**log records: the records, a hash table for each group, a list for each stack."""
    per = word(program, w.P_RECORD) + 8 * word(program, w.P_GROUPS) + 4 * word(program, w.P_STACKS)
    return per << log


@helper
def hash_area(program: int, slot: int, index: int) -> int:
    """Address of a group's hash table: two half-words for each record."""
    return word(slot, w.S_BLOCK) + ((word(program, w.P_RECORD) + 8 * index) << word(slot, w.S_LOG))


@helper
def stack_area(program: int, slot: int, index: int) -> int:
    """Address of a stack's list: a half-word for each record."""
    return word(slot, w.S_BLOCK) + (
        (word(program, w.P_RECORD) + 8 * word(program, w.P_GROUPS) + 4 * index) << word(slot, w.S_LOG)
    )


@helper
def first_after(program: int, slot: int, low: int, high: int, at: int) -> int:
    """The first record in [low, high) that is later than `at`, or `high`: by steps that double, then by halves."""
    step = 1
    while low < high and word(record(program, slot, low), 0) <= at:
        low += step
        step *= 2
    if step == 1:
        return low
    high, low = min(low, high), low - step // 2 + 1
    while low < high:
        middle = (low + high) >> 1
        if word(record(program, slot, middle), 0) <= at:
            low = middle + 1
        else:
            high = middle
    return low


@helper
def first_after_back(program: int, slot: int, low: int, high: int, at: int) -> int:
    """The same, for one that is near the end of [low, high): sought from there."""
    step = 1
    while high > low:
        place = max(low, high - step)
        if word(record(program, slot, place), 0) <= at:
            return first_after(program, slot, place + 1, high, at)
        high = place
        step *= 2
    return low


@helper
def copy_words(source: int, target: int, count: int) -> None:
    """Copy words; the two places do not overlap."""
    for i in range(count):
        put(target, i, word(source, i))
