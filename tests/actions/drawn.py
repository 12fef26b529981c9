"""Random documents and queries of few words, so that queries find something."""

from hypothesis import strategies as st

from tidegate.actions.document import Document, time_of, tokens
from tidegate.actions.query import All, Any, Begins, Compare, Equal, Not, Phrase, Query, Time

FIRST = 1_767_225_600_000_000
WORDS = ["Corner", "shop", "Straße", "eur", "a_b", "x1", "ÉCLAIR", "7"]
WORD = st.sampled_from(WORDS)
TEXT = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
NUMBER = st.sampled_from([0.0, 1.0, 5.0, 7.0, 12.34, -3.0, 5000.5])
TEXT_FIELDS, NUMBER_FIELDS = ["merchant", "city", "both"], ["amount", "count", "both"]


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    made = []
    for seq in range(1, draw(st.integers(0, 12)) + 1):
        numbers = draw(st.dictionaries(st.sampled_from(NUMBER_FIELDS), NUMBER, max_size=3))
        words = draw(st.dictionaries(st.sampled_from([n for n in TEXT_FIELDS if n not in numbers]), TEXT, max_size=3))
        rules = draw(st.lists(st.sampled_from(["R1", "r2"]), unique=True))
        us = FIRST + draw(st.integers(0, 20)) * 3_600_000_000 * 24
        made.append(
            Document(
                seq=seq, id=f"E{seq}", at=time_of(us), us=us, kind=draw(st.sampled_from(["Payment", "Login"])),
                outcome=draw(st.sampled_from(["approve", "review", "decline"])),
                level=draw(st.sampled_from([None, "High", "low"])), score=draw(st.one_of(st.none(), NUMBER)),
                alarm=draw(st.booleans()), flow="ab", rule=tuple(rules),
                words=words, numbers=numbers, text=" ".join(tokens("\n".join([f"E{seq}", *words.values()]))),
            )
        )  # fmt: skip
    return made


_FIELD = st.sampled_from([*TEXT_FIELDS, *NUMBER_FIELDS, "id", "kind", "outcome", "level", "rule", "alarm", "score"])
_SIGN, _DAY = st.sampled_from(["since", "until"]), 86_400_000_000
_VALUE = st.one_of(TEXT, st.sampled_from(["High", "decline", "Payment", "true", "false", "E1", "R1", "7", "5"])).map(
    str.lower
)
_LEAF: st.SearchStrategy[Query] = st.one_of(
    st.builds(Equal, _FIELD, st.lists(_VALUE, min_size=1, max_size=3).map(tuple)),
    st.builds(Begins, _FIELD.filter(lambda name: name != "score"), st.sampled_from(["", *"cétf", "co", "str"])),
    st.builds(Compare, _FIELD.filter(lambda name: name != "alarm"), st.sampled_from([">", ">=", "<", "<="]), NUMBER),
    st.builds(Phrase, st.lists(WORD.map(str.lower), min_size=1, max_size=2).map(tuple)),
    st.builds(Time, _SIGN, st.integers(0, 20).map(lambda days: days * _DAY), st.just(True)),
    st.builds(Time, _SIGN, st.integers(0, 20).map(lambda days: FIRST + days * _DAY)),
)  # fmt: skip
QUERY: st.SearchStrategy[Query] = st.recursive(
    _LEAF,
    lambda part: st.one_of(
        st.builds(Not, part),
        st.lists(part, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(part, min_size=1, max_size=3).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=6,
)


def written(query: Query) -> str:
    """A query as someone may write it."""
    match query:
        case Phrase():
            return '"' + " ".join(query.words) + '"'
        case Equal():
            if len(query.values) == 1:
                return f'{query.field}:"{query.values[0]}"'
            return f"({' OR '.join(written(Equal(query.field, (value,))) for value in query.values)})"
        case Begins():
            return f"{query.field}:{query.start}*"
        case Compare():
            return f"{query.field}{query.sign}{query.bound!r}"
        case Time():
            return f"{query.sign}:{query.at // 1_000_000}s" if query.before else f"{query.sign}:{time_of(query.at)}"
        case Not():
            return f"NOT {written(query.part)}"
        case All():
            return "(" + " ".join(map(written, query.parts)) + ")"
        case Any():
            return "(" + " OR ".join(map(written, query.parts)) + ")"
