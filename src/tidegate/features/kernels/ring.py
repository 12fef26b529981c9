"""An entity's ring of events: room for one more, the next event, a late one, and the oldest forgotten.

An event is forgotten only when no row that could still be accepted can see it, so that nobody can tell.
"""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.distinct import link, refill, unlink, unlink_newest
from tidegate.features.kernels.extremes import drop_below
from tidegate.features.kernels.frames import advance, retreat
from tidegate.features.kernels.machine import allocate, half, helper, put, put_half, release, word
from tidegate.features.kernels.records import (
    block_bytes,
    copy_words,
    first_after_back,
    present,
    record,
    stack_area,
)

_FEW = 8


@helper
def resize(program: int, slot: int, log: int) -> bool:
    """Move the ring to a block for 2**log records, which is enough; False when there is no memory."""
    size = block_bytes(program, log)
    block = allocate(size)
    if block == 0:
        return False
    old, old_log = word(slot, w.S_BLOCK), word(slot, w.S_LOG)
    length = word(program, w.P_RECORD)
    mask = (1 << log) - 1
    for number in range(word(slot, w.S_OLDEST), word(slot, w.S_NEXT)):
        copy_words(record(program, slot, number), block + (number & mask) * length, length // 8)
    areas = block + ((length + 8 * word(program, w.P_GROUPS)) << log)
    stack = program + word(program, w.P_STACK)
    for i in range(word(program, w.P_STACKS)):
        area, target = stack_area(program, slot, i), areas + (i << log) * 4
        for place in range(word(slot, word(stack, w.X_BOTTOM)), word(slot, word(stack, w.X_BOTTOM) + 1)):
            put_half(target, place & mask, half(area, place & ((1 << old_log) - 1)))
        stack += 8 * w.X_WORDS
    put(slot, w.S_BLOCK, block)
    put(slot, w.S_LOG, log)
    refill(program, slot, False)
    release(old)
    put(program, w.P_BYTES, word(program, w.P_BYTES) + size - block_bytes(program, old_log))
    return True


@helper
def forgettable(program: int, slot: int, horizon: int) -> bool:
    """Whether no row at `horizon` or later can see the oldest event."""
    oldest, following = word(slot, w.S_OLDEST), word(slot, w.S_NEXT)
    if oldest == following:
        return False
    at = word(record(program, slot, oldest), 0)
    if at > horizon - word(program, w.P_RING_SPAN):
        return False
    many = word(program, w.P_PIN_COUNT)
    if many == 0 or at <= horizon - word(program, w.P_PIN_SPAN):
        return True
    # Windows that look back a number of events: are there so many newer, all of them countable?
    if following - oldest <= many:
        return False
    if word(record(program, slot, oldest + many), 0) > horizon - word(program, w.P_PIN_DELAY):
        return False
    for number in range(oldest + 1, oldest + 1 + many):
        rec = record(program, slot, number)
        pin = program + word(program, w.P_PIN)
        for _ in range(word(program, w.P_PINS)):
            if not present(word(rec, word(pin, 0)), word(pin, 1)):
                return False
            pin += 16
    return True


@helper
def prune(program: int, slot: int, horizon: int) -> None:
    """Forget a few of the oldest events: more than one, so that a full ring empties, but no burst of work."""
    if not forgettable(program, slot, horizon):
        return
    # Windows that nobody has read for long may not have passed these events yet.
    behind = word(slot, w.S_READ_AT) < horizon
    lane = program + word(program, w.P_LANE)
    for _ in range(word(program, w.P_LANES)):
        behind |= word(slot, word(lane, w.L_END)) < word(slot, w.S_OLDEST) + _FEW
        lane += 8 * w.L_WORDS
    if behind:
        advance(program, slot, max(word(slot, w.S_READ_AT), horizon))
    for _ in range(_FEW):
        unlink(program, slot, word(slot, w.S_OLDEST))
        put(slot, w.S_OLDEST, word(slot, w.S_OLDEST) + 1)
        if not forgettable(program, slot, horizon):
            break
    drop_below(program, slot, word(slot, w.S_OLDEST))


@helper
def fit(program: int, slot: int, many: int) -> bool:
    """See that the ring has room for `many` events and not eight times that; False when there is no memory."""
    log = word(slot, w.S_LOG)
    if many > 1 << log:
        return resize(program, slot, log + 1)
    if log > w.FIRST_LOG + 1 and many * 8 < 1 << log:
        return resize(program, slot, log - 2)
    return True


@helper
def append(program: int, slot: int, staged: int, horizon: int) -> bool:
    """File the staged record under the entity; False when there is no memory."""
    prune(program, slot, horizon)
    if not fit(program, slot, word(slot, w.S_NEXT) - word(slot, w.S_OLDEST) + 1):
        return False
    number, at, length = word(slot, w.S_NEXT), word(staged, 0), word(program, w.P_RECORD) // 8
    put(slot, w.S_NEXT, number + 1)
    if at >= word(slot, w.S_NEWEST):
        put(slot, w.S_NEWEST, at)
        copy_words(staged, record(program, slot, number), length)
        # The new record must not be found as its own predecessor: it is not in the hash tables yet.
        link(program, slot, number)
        return True
    # A late one: the windows go back to before its place, and the later events are filed anew behind it.
    if at < word(slot, w.S_READ_AT):
        retreat(program, slot, at)
    place = first_after_back(program, slot, word(slot, w.S_OLDEST), number, at)
    for later in range(number - 1, place - 1, -1):
        unlink_newest(program, slot, later)
        copy_words(record(program, slot, later), record(program, slot, later + 1), length)
    copy_words(staged, record(program, slot, place), length)
    for later in range(place, number + 1):
        link(program, slot, later)
    return True
