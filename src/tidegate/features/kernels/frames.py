"""Moving an entity's windows in time: events come in at the end of a lane, go out at the head of a frame; or back."""

from tidegate.features.kernels import words as w
from tidegate.features.kernels.distinct import LOW, UNLINKED
from tidegate.features.kernels.extremes import push, rewind, settle
from tidegate.features.kernels.machine import helper, put, word
from tidegate.features.kernels.records import first_after, first_after_back, record
from tidegate.features.kernels.sums import empty_sum, fold


@helper
def recount(program: int, slot: int, distinct: int, head: int, now: int, end: int, ahead: int, fresh: bool) -> None:
    """Move a distinct count from the records [head, end) to [now, ahead); `fresh` starts from nothing."""
    field, place = word(distinct, w.D_LINK), word(distinct, w.D_SLOT)
    many = 0
    if fresh:
        end = now
    else:
        many = word(slot, place)
        for number in range(head, now):
            links = word(record(program, slot, number), field)
            if links != UNLINKED:
                after = links >> 32
                if after == 0 or number + after >= end:
                    many -= 1
    for number in range(end, ahead):
        links = word(record(program, slot, number), field)
        if links != UNLINKED:
            before = links & LOW
            if before == 0 or number - before < now:
                many += 1
    put(slot, place, many)


@helper
def shift(program: int, slot: int, frame: int, end: int, ahead: int, past: int) -> None:
    """Move a frame whose lane went from `end` to `ahead`, so that it holds what is later than `past`."""
    head = word(slot, word(frame, w.F_HEAD))
    now = ahead
    if ahead > head and word(record(program, slot, ahead - 1), 0) > past:
        now = first_after(program, slot, head, ahead, past)
    if now == head and end == ahead:
        return
    put(slot, word(frame, w.F_HEAD), now)
    # Either take away what left, or, when less is left than went, start again.
    fresh = now >= end or now - head > end - now
    total = program + word(frame, w.F_SUM)
    for _ in range(word(frame, w.F_SUMS)):
        if fresh:
            empty_sum(word(total, w.A_KIND), slot + 8 * word(total, w.A_SLOT))
            fold(program, slot, total, now, ahead, 1)
        else:
            fold(program, slot, total, head, now, -1)
            fold(program, slot, total, end, ahead, 1)
        total += 8 * w.A_WORDS
    distinct = program + word(frame, w.F_DISTINCT)
    for _ in range(word(frame, w.F_DISTINCTS)):
        recount(program, slot, distinct, head, now, end, ahead, fresh)
        distinct += 8 * w.D_WORDS
    extreme = program + word(frame, w.F_EXTREME)
    for _ in range(word(frame, w.F_EXTREMES)):
        settle(program, slot, extreme, now)
        extreme += 8 * w.E_WORDS


@helper
def advance(program: int, slot: int, at: int) -> None:
    """Move all windows of the entity to `at`, which is not earlier than they were."""
    following = word(slot, w.S_NEXT)
    lane = program + word(program, w.P_LANE)
    for _ in range(word(program, w.P_LANES)):
        until = at - word(lane, w.L_DELAY)
        end = word(slot, word(lane, w.L_END))
        ahead = first_after(program, slot, end, following, until)
        put(slot, word(lane, w.L_END), ahead)
        stack = program + word(lane, w.L_STACK)
        for _ in range(word(lane, w.L_STACKS)):
            for number in range(end, ahead):
                push(program, slot, stack, number)
            stack += 8 * w.X_WORDS
        frame = program + word(lane, w.L_FRAME)
        for _ in range(word(lane, w.L_FRAMES)):
            shift(program, slot, frame, end, ahead, until - word(frame, w.F_LAST))
            frame += 8 * w.F_WORDS
        lane += 8 * w.L_WORDS
    put(slot, w.S_READ_AT, at)


@helper
def uncount(program: int, slot: int, distinct: int, head: int, now: int, end: int, back: int) -> None:
    """Move a distinct count from the records [head, end) back to [now, back), which overlap."""
    field, place = word(distinct, w.D_LINK), word(distinct, w.D_SLOT)
    many = word(slot, place)
    for number in range(back, end):
        links = word(record(program, slot, number), field)
        if links != UNLINKED:
            before = links & LOW
            if before == 0 or number - before < head:
                many -= 1
    for number in range(now, head):
        links = word(record(program, slot, number), field)
        if links != UNLINKED:
            after = links >> 32
            if after == 0 or number + after >= back:
                many += 1
    put(slot, place, many)


@helper
def unshift(program: int, slot: int, frame: int, end: int, back: int, past: int) -> None:
    """Move a frame whose lane went from `end` back to `back`, so that it holds what is later than `past`."""
    head = word(slot, word(frame, w.F_HEAD))
    now = first_after_back(program, slot, word(slot, w.S_OLDEST), min(head, back), past)
    if now == head and end == back:
        return
    put(slot, word(frame, w.F_HEAD), now)
    # Either undo what came and went since, or, when less is there than that was, start again.
    fresh = back <= head or back - now < (head - now) + (end - back)
    total = program + word(frame, w.F_SUM)
    for _ in range(word(frame, w.F_SUMS)):
        if fresh:
            empty_sum(word(total, w.A_KIND), slot + 8 * word(total, w.A_SLOT))
            fold(program, slot, total, now, back, 1)
        else:
            fold(program, slot, total, back, end, -1)
            fold(program, slot, total, now, head, 1)
        total += 8 * w.A_WORDS
    distinct = program + word(frame, w.F_DISTINCT)
    for _ in range(word(frame, w.F_DISTINCTS)):
        if fresh:
            recount(program, slot, distinct, now, now, now, back, True)
        else:
            uncount(program, slot, distinct, head, now, end, back)
        distinct += 8 * w.D_WORDS
    extreme = program + word(frame, w.F_EXTREME)
    for _ in range(word(frame, w.F_EXTREMES)):
        settle(program, slot, extreme, now)
        extreme += 8 * w.E_WORDS


@helper
def retreat(program: int, slot: int, at: int) -> None:
    """Move all windows of the entity back to `at`, which is earlier than they were.

    What that costs is the events that came in and went out since, not those of the entity; a stack of extremes costs as
    many as the largest of those that came in had beaten.
    """
    oldest = word(slot, w.S_OLDEST)
    lane = program + word(program, w.P_LANE)
    for _ in range(word(program, w.P_LANES)):
        until = at - word(lane, w.L_DELAY)
        end = word(slot, word(lane, w.L_END))
        back = first_after_back(program, slot, oldest, end, until)
        if back < end:
            put(slot, word(lane, w.L_END), back)
            stack = program + word(lane, w.L_STACK)
            for _ in range(word(lane, w.L_STACKS)):
                rewind(program, slot, stack, back)
                stack += 8 * w.X_WORDS
        frame = program + word(lane, w.L_FRAME)
        for _ in range(word(lane, w.L_FRAMES)):
            unshift(program, slot, frame, end, back, until - word(frame, w.F_LAST))
            frame += 8 * w.F_WORDS
        lane += 8 * w.L_WORDS
    # Events may have been filed since, that lie before the time the windows were at and are in none yet.
    advance(program, slot, at)
