"""Keys to entities: an open-addressing table of (key, address of the entity's row), half full at most."""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.distinct import mixed
from tidegate.features.kernels.machine import allocate, helper, put, release, word
from tidegate.features.kernels.records import block_bytes
from tidegate.features.kernels.ring import fit, prune


@helper
def find_entity(program: int, key: int) -> int:
    """Address of the entity's row, or 0."""
    table, mask = word(program, w.P_TABLE), word(program, w.P_MASK)
    place = mixed(key) & mask
    while True:
        slot = word(table, 2 * place + 1)
        if slot == 0 or word(table, 2 * place) == key:
            return slot
        place = (place + 1) & mask


@helper
def seat(table: int, mask: int, key: int, slot: int) -> None:
    """Enter a key that is not in the table."""
    place = mixed(key) & mask
    while word(table, 2 * place + 1) != 0:
        place = (place + 1) & mask
    put(table, 2 * place, key)
    put(table, 2 * place + 1, slot)


@helper
def make_room(program: int, entities: int) -> bool:
    """See that the table can hold so many entities; False when there is no memory."""
    old, old_mask = word(program, w.P_TABLE), word(program, w.P_MASK)
    size = old_mask + 1
    while size < 2 * entities:
        size *= 2
    if size == old_mask + 1 and old != 0:
        return True
    table = allocate(16 * size)
    if table == 0:
        return False
    for i in range(size):
        put(table, 2 * i + 1, 0)
    put(program, w.P_BYTES, word(program, w.P_BYTES) + 16 * size)
    if old != 0:
        for i in range(old_mask + 1):
            slot = word(old, 2 * i + 1)
            if slot != 0:
                seat(table, size - 1, word(old, 2 * i), slot)
        release(old)
        put(program, w.P_BYTES, word(program, w.P_BYTES) - 16 * (old_mask + 1))
    put(program, w.P_TABLE, table)
    put(program, w.P_MASK, size - 1)
    return True


@helper
def new_entity(program: int, key: int, log: int) -> int:
    """An entity without events and room for 2**log, in the table; 0 when there is no memory."""
    if not make_room(program, word(program, w.P_COUNT) + 1):
        return 0
    size = word(program, w.P_SLOT)
    slot = allocate(size)
    if slot == 0:
        return 0
    block = allocate(block_bytes(program, log))
    if block == 0:
        release(slot)
        return 0
    for i in range(size // 8):
        put(slot, i, 0)
    put(slot, w.S_KEY, key)
    put(slot, w.S_BLOCK, block)
    put(slot, w.S_LOG, log)
    put(slot, w.S_READ_AT, w.NEVER)
    put(slot, w.S_NEWEST, w.NEVER)
    words = 2 * word(program, w.P_GROUPS) << log
    tables = block + (word(program, w.P_RECORD) << log)
    for i in range(words // 2):
        put(tables, i, 0)
    seat(word(program, w.P_TABLE), word(program, w.P_MASK), key, slot)
    put(program, w.P_COUNT, word(program, w.P_COUNT) + 1)
    put(program, w.P_BORN, word(program, w.P_BORN) + 1)
    put(program, w.P_BYTES, word(program, w.P_BYTES) + size + block_bytes(program, log))
    return slot


@helper
def free_entity(program: int, slot: int) -> None:
    """Give an entity's memory back."""
    gone = word(program, w.P_SLOT) + block_bytes(program, word(slot, w.S_LOG))
    put(program, w.P_BYTES, word(program, w.P_BYTES) - gone)
    release(word(slot, w.S_BLOCK))
    release(slot)


@helper
def unseat(program: int, gap: int) -> None:
    """Empty a place of the table, closing the gap so that no search stops short."""
    table, mask = word(program, w.P_TABLE), word(program, w.P_MASK)
    place = gap
    while True:
        place = (place + 1) & mask
        slot = word(table, 2 * place + 1)
        if slot == 0:
            break
        home = mixed(word(table, 2 * place)) & mask
        if ((place - home) & mask) >= ((place - gap) & mask):
            put(table, 2 * gap, word(table, 2 * place))
            put(table, 2 * gap + 1, slot)
            gap = place
    put(table, 2 * gap + 1, 0)


@helper
def sweep(program: int, horizon: int, rows: int) -> None:
    """Look at a few places of the table: drop entities that no row can see, forget what idle ones need no more.

    As many as there are rows, and eight for each new entity: tables are an eighth full or more, so where keys come once
    and never again, as many entities go as come.
    """
    places = rows + 8 * word(program, w.P_BORN)
    put(program, w.P_BORN, 0)
    if word(program, w.P_COUNT) == 0:
        return
    longest = word(program, w.P_LONGEST)
    place = word(program, w.P_SWEEP)
    for _ in range(min(places, word(program, w.P_MASK) + 1)):
        place = place & word(program, w.P_MASK)
        slot = word(word(program, w.P_TABLE), 2 * place + 1)
        if slot != 0:
            if word(slot, w.S_NEWEST) <= horizon - longest:
                unseat(program, place)
                free_entity(program, slot)
                put(program, w.P_COUNT, word(program, w.P_COUNT) - 1)
                continue  # another may have moved into this place
            prune(program, slot, horizon)
            fit(program, slot, word(slot, w.S_NEXT) - word(slot, w.S_OLDEST))
        place += 1
    put(program, w.P_SWEEP, place)
