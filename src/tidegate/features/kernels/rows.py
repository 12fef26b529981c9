"""The rows of a batch, in order: each is read, then learned."""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.compiled import kernel
from tidegate.features.kernels.distinct import mixed
from tidegate.features.kernels.frames import advance, retreat
from tidegate.features.kernels.machine import helper, prefetch, put, word
from tidegate.features.kernels.reading import read_windows
from tidegate.features.kernels.records import hash_area, record, stack_area, stage
from tidegate.features.kernels.ring import append
from tidegate.features.kernels.table import find_entity, new_entity, sweep

MISSING = w.MISSING


@helper
def read_entity(lookup: int, slot: int, cells: int, stride: int, row: int, staged: int) -> None:
    """Answer the lookup's windows for the row."""
    program, at = word(lookup, w.K_STREAM), word(cells, row)
    if slot == 0:
        slot = word(program, w.P_BLANK)
    elif at < word(slot, w.S_READ_AT):
        retreat(program, slot, at)
    else:
        advance(program, slot, at)
    read_windows(program, slot, cells, stride, row, word(lookup, w.K_READ), word(lookup, w.K_READS), staged)


@helper
def take_row(table: int, row: int, slots: int) -> bool:
    """Read and learn one row; False when there is no memory."""
    cells, stride = word(table, w.T_CELLS), word(table, w.T_STRIDE)
    flags, kind = word(word(table, w.T_FLAGS), row), word(word(table, w.T_KINDS), row)
    if flags & 3 == 0:
        return True
    many, first = word(table, w.T_LOOKUPS), word(table, w.T_LOOKUP)
    if flags & 1:
        lookup = first
        for i in range(many):
            if word(lookup, w.K_READS):
                program = word(lookup, w.K_STREAM)
                key, slot, staged = word(cells + word(lookup, w.K_KEY) * stride, row), word(slots, i), 0
                if slot == 0 and key != MISSING:
                    slot = find_entity(program, key)
                    put(slots, i, slot)
                filed = kind == word(program, w.P_KIND) and key != MISSING
                filed &= key == word(cells + word(program, w.P_LEARN_KEY) * stride, row)
                if filed and word(lookup, w.K_CURRENT):
                    staged = word(program, w.P_CURRENT)
                    stage(program, cells, stride, row, staged)
                read_entity(lookup, slot, cells, stride, row, staged)
            lookup += 8 * w.K_WORDS
    if flags & 2:
        horizon = word(table, w.T_CLOCK) - word(table, w.T_LATENESS)
        lookup = first
        for i in range(many):
            program = word(lookup, w.K_STREAM)
            key = word(cells + word(lookup, w.K_KEY) * stride, row)
            if word(lookup, w.K_LEARN) and kind == word(program, w.P_KIND) and key != MISSING:
                slot = word(slots, i)
                if slot == 0:
                    slot = find_entity(program, key)
                if slot == 0:
                    slot = new_entity(program, key, w.FIRST_LOG)
                    if slot == 0:
                        return False
                stage(program, cells, stride, row, word(program, w.P_CURRENT))
                if not append(program, slot, word(program, w.P_CURRENT), horizon):
                    return False
            lookup += 8 * w.K_WORDS
    put(table, w.T_CLOCK, max(word(table, w.T_CLOCK), word(cells, row)))
    return True


@helper
def ask_for_events(program: int, slot: int, cells: int, stride: int, row: int) -> None:
    """Ask for the memory of what the entity's windows will gain, lose and compare next."""
    prefetch(record(program, slot, word(slot, w.S_NEXT)))
    prefetch(record(program, slot, word(slot, w.S_OLDEST)))
    ring = (1 << word(slot, w.S_LOG)) - 1
    group = program + word(program, w.P_GROUP)
    for i in range(word(program, w.P_GROUPS)):
        value = word(cells + word(group, w.G_COLUMN) * stride, row)
        prefetch(hash_area(program, slot, i) + 4 * (mixed(value) & (2 * ring + 1)))
        group += 8 * w.G_WORDS
    stack = program + word(program, w.P_STACK)
    for i in range(word(program, w.P_STACKS)):
        prefetch(stack_area(program, slot, i) + 4 * (word(slot, word(stack, w.X_BOTTOM) + 1) & ring))
        stack += 8 * w.X_WORDS
    lane = program + word(program, w.P_LANE)
    for _ in range(word(program, w.P_LANES)):
        prefetch(record(program, slot, word(slot, word(lane, w.L_END))))
        frame = program + word(lane, w.L_FRAME)
        for _ in range(word(lane, w.L_FRAMES)):
            prefetch(record(program, slot, word(slot, word(frame, w.F_HEAD))))
            frame += 8 * w.F_WORDS
        lane += 8 * w.L_WORDS


@helper
def look_ahead(table: int, start: int, stop: int) -> None:
    """Find the entities of the rows [start, stop) and ask for their memory; new keys are looked up again later."""
    cells, stride, slots = word(table, w.T_CELLS), word(table, w.T_STRIDE), word(table, w.T_SLOTS)
    many, first = word(table, w.T_LOOKUPS), word(table, w.T_LOOKUP)
    lookup = first
    for i in range(many):
        program, keys = word(lookup, w.K_STREAM), cells + word(lookup, w.K_KEY) * stride
        for row in range(start, stop):
            key, slot = word(keys, row), 0
            if key != MISSING:
                slot = find_entity(program, key)
            put(slots, (row - start) * many + i, slot)
            if slot != 0:
                for line in range(0, word(program, w.P_SLOT), 64):
                    prefetch(slot + line)
        lookup += 8 * w.K_WORDS
    for place in range((stop - start) * many):
        slot = word(slots, place)
        if slot != 0:
            program = word(first + 8 * w.K_WORDS * (place % many), w.K_STREAM)
            ask_for_events(program, slot, cells, stride, start + place // many)


@kernel("int64(int64, int64)")
def take_rows(table: int, rows: int) -> int:
    """Read and learn the first rows of the bound arrays; 0, or 1 when there was no memory."""
    many, slots = word(table, w.T_LOOKUPS), word(table, w.T_SLOTS)
    for start in range(0, rows, w.CHUNK):
        stop = min(start + w.CHUNK, rows)
        horizon = word(table, w.T_CLOCK) - word(table, w.T_LATENESS)
        for i in range(word(table, w.T_STREAMS)):
            sweep(word(word(table, w.T_STREAM), i), horizon, stop - start)
        if stop - start > 1:
            look_ahead(table, start, stop)
        else:
            for i in range(many):
                put(slots, i, 0)
        for row in range(start, stop):
            if not take_row(table, row, slots + 8 * many * (row - start)):
                return 1
    return 0
