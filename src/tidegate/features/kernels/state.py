"""All entities of a stream at once: written to arrays, made from arrays, given back."""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.compiled import kernel
from tidegate.features.kernels.distinct import refill
from tidegate.features.kernels.extremes import push, settle
from tidegate.features.kernels.machine import helper, put, release, word
from tidegate.features.kernels.records import copy_words, record
from tidegate.features.kernels.table import free_entity, make_room, new_entity


@helper
def restack(program: int, slot: int) -> None:
    """Make the stacks of extremes anew, for windows that stand where they are."""
    lane = program + word(program, w.P_LANE)
    for _ in range(word(program, w.P_LANES)):
        stack = program + word(lane, w.L_STACK)
        for _ in range(word(lane, w.L_STACKS)):
            put(slot, word(stack, w.X_BOTTOM), 0)
            put(slot, word(stack, w.X_BOTTOM) + 1, 0)
            for number in range(word(slot, w.S_OLDEST), word(slot, word(lane, w.L_END))):
                push(program, slot, stack, number)
            stack += 8 * w.X_WORDS
        frame = program + word(lane, w.L_FRAME)
        for _ in range(word(lane, w.L_FRAMES)):
            extreme = program + word(frame, w.F_EXTREME)
            for _ in range(word(frame, w.F_EXTREMES)):
                settle(program, slot, extreme, word(slot, word(frame, w.F_HEAD)))
                extreme += 8 * w.E_WORDS
            frame += 8 * w.F_WORDS
        lane += 8 * w.L_WORDS


@kernel("int64(int64, int64, int64, int64)")
def keep(program: int, slots: int, records: int, measure: int) -> int:
    """Write every entity's row and its records, oldest first; gives the number of records. `measure` only counts."""
    many, table = 0, word(program, w.P_TABLE)
    size, length = word(program, w.P_SLOT), word(program, w.P_RECORD)
    for place in range(word(program, w.P_MASK) + 1 if table != 0 else 0):
        slot = word(table, 2 * place + 1)
        if slot == 0:
            continue
        for number in range(word(slot, w.S_OLDEST), word(slot, w.S_NEXT)):
            if measure == 0:
                copy_words(record(program, slot, number), records, length // 8)
                records += length
            many += 1
        if measure == 0:
            copy_words(slot, slots, size // 8)
            put(slots, w.S_BLOCK, 0)
            slots += size
    return many


@kernel("int64(int64, int64, int64, int64)")
def revive(program: int, slots: int, records: int, entities: int) -> int:
    """Make the entities that `keep` wrote, in an empty stream; 0, or 1 when there was no memory."""
    size, length = word(program, w.P_SLOT), word(program, w.P_RECORD)
    if not make_room(program, entities + 1):
        return 1
    for _ in range(entities):
        slot = new_entity(program, word(slots, w.S_KEY), word(slots, w.S_LOG))
        if slot == 0:
            return 1
        block = word(slot, w.S_BLOCK)
        copy_words(slots, slot, size // 8)
        put(slot, w.S_BLOCK, block)
        for number in range(word(slot, w.S_OLDEST), word(slot, w.S_NEXT)):
            copy_words(records, record(program, slot, number), length // 8)
            records += length
        refill(program, slot, True)
        restack(program, slot)
        slots += size
    return 0


@kernel("int64(int64, int64)")
def forget(program: int, again: int) -> int:
    """Give back all entities and the table; with `again`, start with an empty one. 0, or 1 when there was no memory."""
    table = word(program, w.P_TABLE)
    if table != 0:
        for place in range(word(program, w.P_MASK) + 1):
            slot = word(table, 2 * place + 1)
            if slot != 0:
                free_entity(program, slot)
        release(table)
    put(program, w.P_TABLE, 0)
    put(program, w.P_MASK, 511)
    put(program, w.P_COUNT, 0)
    put(program, w.P_BYTES, 0)
    put(program, w.P_SWEEP, 0)
    if again != 0 and not make_room(program, 1):
        return 1
    return 0
