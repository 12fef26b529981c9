"""Which word of which table means what. `layout.py` fills these tables, the kernels read them.

Offsets of sections are in bytes from the start of the stream's program; fields are numbered in words.
"""

from tidegate.features.plan import MISSING as MISSING

NEVER = -(2**62)
"""Before any time that can occur; far enough from the edge that a delay can still be taken off."""
NAN = 0x7FF8000000000000
"""The bits of the missing float."""
LOW = 0xFFFFFFFF
CHUNK = 64
"""Rows looked up together, so that their memory is on its way before it is needed."""
FIRST_LOG = 2
"""log2 of the records that a new entity has room for."""

# The engine: one table.
T_CLOCK, T_LATENESS, T_CELLS, T_STRIDE, T_KINDS, T_FLAGS, T_LOOKUPS, T_LOOKUP, T_STREAMS, T_STREAM, T_SLOTS = range(11)
T_WORDS = 16

# A lookup: one stream under one key column, with the windows read there, and whether rows are learned there.
K_STREAM, K_KEY, K_READS, K_READ, K_LEARN, K_CURRENT = range(6)
K_WORDS = 6

# A stream's program.
(
    P_KIND,
    P_LEARN_KEY,
    P_RECORD,  # bytes of a record
    P_SLOT,  # bytes of an entity's row
    P_VALUES,
    P_VALUE,
    P_WHERES,
    P_WHERE,
    P_FLAGS,  # word of a record that holds the conditions' bits, 0 for none
    P_LANES,
    P_LANE,
    P_GROUPS,
    P_GROUP,
    P_STACKS,
    P_STACK,
    P_TABLE,
    P_MASK,
    P_COUNT,
    P_SWEEP,
    P_BLANK,
    P_CURRENT,
    P_RING_SPAN,
    P_PIN_SPAN,
    P_PIN_COUNT,
    P_PIN_DELAY,
    P_PINS,
    P_PIN,
    P_LONGEST,
    P_BYTES,
    P_SPARE,  # room for a copy of a running sum
    P_BORN,  # entities made since the last sweep
) = range(31)
P_WORDS = 32

V_COLUMN, V_WORD, V_FLOAT = range(3)
V_WORDS = 3

# A lane: the windows of one delay, which gain an event at the same moment.
L_DELAY, L_END, L_STACKS, L_STACK, L_FRAMES, L_FRAME = range(6)
L_WORDS = 6

# A frame: the windows of one delay and length, which lose an event at the same moment.
F_LAST, F_HEAD, F_SUMS, F_SUM, F_DISTINCTS, F_DISTINCT, F_EXTREMES, F_EXTREME = range(8)
F_WORDS = 8

# A running sum of a frame.
A_KIND, A_SLOT, A_VALUE, A_FLOAT, A_WHERE = range(5)
A_WORDS = 5
TALLY, WHOLE, WHOLE_SQUARES, REAL, REAL_SQUARES = range(5)
SUM_WORDS = (1, 3, 5, 4, 7)

# A running distinct count of a frame, and a frame's place in a stack of extremes.
D_SLOT, D_LINK = range(2)
D_WORDS = 2
E_SLOT, E_BOTTOM, E_AREA = range(3)
E_WORDS = 3

# A stack of extremes of a lane (its bottom and top are two words of the entity's row), and a group of equal values.
X_VALUE, X_FLOAT, X_WHERE, X_FLIP, X_AREA, X_BOTTOM = range(6)
X_WORDS = 6
G_VALUE, G_FLOAT, G_WHERE, G_LINK, G_AREA, G_COLUMN = range(6)
G_WORDS = 6

# A window.
(
    W_OP,
    W_OUT,
    W_LAST,
    W_DELAY,
    W_END,
    W_HEAD,
    W_SUM,  # byte offset of the running sum's description
    W_VALUE,
    W_FLOAT,
    W_WHERE,
    W_CURRENT,
    W_PROBE,
    W_N,
    W_STACK,  # byte offset of the stack's description
    W_PLACE,  # word of the entity's row: place in the stack, or the distinct count
    W_GROUP,  # byte offset of the group's description
) = range(16)
W_WORDS = 16
(
    OP_EVENTS,
    OP_COUNT,
    OP_TOTAL,
    OP_MEAN,
    OP_STD,
    OP_EXTREME,
    OP_DISTINCT,
    OP_MODE,
    OP_SEEN,
    OP_FIRST,
    OP_SINCE_FIRST,
    OP_NTH,
    OP_SINCE_LAST,
) = range(13)

# An entity's row: these, then what the program asks for.
S_KEY, S_BLOCK, S_LOG, S_OLDEST, S_NEXT, S_READ_AT, S_NEWEST = range(7)
S_WORDS = 7
