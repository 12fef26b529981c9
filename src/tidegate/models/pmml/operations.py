"""The operations of a program. An operation is `[operation, size, operands…]`; its family is `operation // FAMILY`.

Operands are registers, places in the pool of numbers (`#`), or plain integers. A register holds a float: a number, 0 or
1 for false and true, days or seconds for dates and times, or the code of a text. NaN is a missing value; NaN with a
number in its low half is an *invalid* value, and the number says why (see `program.reason_of`).
"""

FAMILY = 64

# flow
CHOOSE, UNLESS, FIRST_FAULT, COPY, CONSTANT = range(5)
HOST = 5  # done by Python between two runs of the kernels: which function, to, how many, registers…
# one argument: to, from, #fault
(
    NOT, IS_MISSING, IS_NOT_MISSING, IS_VALID, IS_NOT_VALID, ABS, EXP, LN, LOG10, SQRT, FLOOR, CEIL, ROUND, RINT, SIN,
    COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, TANH, EXPM1, LN1P, ERF, STD_NORMAL_CDF, STD_NORMAL_PDF, STD_NORMAL_IDF,
    TO_INTEGER, TO_FLOAT, TO_BOOLEAN, NEGATE,
) = range(FAMILY, FAMILY + 33)  # fmt: skip
# two arguments: to, a, b, #fault
(
    ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, MODULO,
    THRESHOLD, ATAN2, HYPOT, DEFAULT, VALID_OR,
) = range(2 * FAMILY, 2 * FAMILY + 17)  # fmt: skip
# many arguments: to, #fault, how many, registers…
MINIMUM, MAXIMUM, SUM, AVERAGE, PRODUCT, MEDIAN, AND, OR, IS_IN, IS_NOT_IN, PRIORITY = range(
    3 * FAMILY, 3 * FAMILY + 11
)
# values to values
FIELD, NORM, DISCRETIZE, LOOKUP, GATHER, TARGET, RANKED, ARGMAX = range(4 * FAMILY, 4 * FAMILY + 8)
# predicates and trees
PREDICATE, TREE, SPREAD, RULES, SCORECARD = range(5 * FAMILY, 5 * FAMILY + 5)
# sums
LINEAR, NORMALIZE, LINK, LAYER, BAYES, HAZARD = range(6 * FAMILY, 6 * FAMILY + 6)
# distances
KERNELS, MACHINES, DISTANCES, NEIGHBOURS = range(7 * FAMILY, 7 * FAMILY + 4)
# many models
COMBINE, VOTE, FOREST = range(8 * FAMILY, 8 * FAMILY + 3)

# predicates, in postfix: `[how many items, (kind, register, #value, how many)…]`
(
    P_FALSE, P_TRUE, P_EQUAL, P_NOT_EQUAL, P_LESS, P_LESS_EQUAL, P_GREATER, P_GREATER_EQUAL, P_MISSING, P_NOT_MISSING,
    P_IN, P_NOT_IN, P_AND, P_OR, P_XOR, P_SURROGATE, P_PROGRAM,
) = range(17)  # fmt: skip
ITEM = 4
UNKNOWN, INVALID = 2, 4  # what a predicate can be beside 0 and 1; INVALID + the register at fault
NODE = 7  # words of a tree's node: item, first child, children, default child (or -1)
