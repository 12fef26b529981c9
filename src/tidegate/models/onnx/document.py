"""What an ONNX file says: what it reads and gives, and whether there is anything in it that is not run.

Looked at before ONNX Runtime sees a byte: a model may not read other files, bring code of its own, draw lots or go
round without end. The messages and their field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tidegate.errors import ModelError
from tidegate.models.onnx.wire import Message, text

__all__ = ["OnnxFile", "Tensor", "read_onnx"]

NEWEST_IR, OLDEST_IR = 14, 3
OPSETS = {"": (7, 28), "ai.onnx.ml": (1, 5)}
"""The oldest and the newest set of operators that is taken, by domain; what is newer than ONNX Runtime, it refuses."""
LARGEST = 256 * 1024 * 1024
_MOST_NODES = 100_000
_MOST_TEXTS = 1_000_000
_DEEPEST = 20

_ELEMENTS = {1: "float", 6: "int32", 7: "int64", 8: "string", 9: "bool", 11: "double"}
_ELEMENT_WORDS = {
    2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 10: "float16", 12: "uint32", 13: "uint64", 14: "complex64",
    15: "complex128", 16: "bfloat16",
}  # fmt: skip
_CHANCE = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
_TEXT_WORK = {
    "StringNormalizer", "Tokenizer", "TfIdfVectorizer", "StringConcat", "StringSplit", "RegexFullMatch",
}  # fmt: skip
_ENDLESS = {"Loop"}
ROW_BY_ROW_EXACT = frozenset(
    [
        "Add", "And", "ArrayFeatureExtractor", "Binarizer", "Cast", "Concat", "Div", "Equal", "Gather", "Greater",
        "GreaterOrEqual", "Identity", "Imputer", "IsNaN", "LabelEncoder", "Less", "LessOrEqual", "Mul", "Neg", "Not",
        "OneHotEncoder", "Or", "Scaler", "Sub", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor",
        "Where", "ZipMap",
    ]
)  # fmt: skip
"""Operators whose answer for a row is the same bits however many are asked at once (decision on record 15)."""
ROW_BY_ROW = ROW_BY_ROW_EXACT | {
    "Abs", "ArgMax", "Clip", "Elu", "Erf", "Exp", "Flatten", "Gemm", "LeakyRelu", "LinearClassifier", "LinearRegressor",
    "Log", "MatMul", "Max", "Min", "Normalizer", "Pow", "Reciprocal", "ReduceLogSumExp", "ReduceMax", "ReduceSum",
    "ReduceSumSquare", "Relu", "Reshape", "SVMClassifier", "SVMRegressor", "Sigmoid", "Softmax", "Softplus", "Sqrt",
    "Squeeze", "Sum", "Tanh", "Unsqueeze",
}  # fmt: skip
"""Operators that, as models are exported, answer each row by itself, but by other steps for many rows than for one."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output.

    Attributes:
        element: "float", "double", "int64", "int32", "bool", "string"; of maps, of their values.
        dims: its sizes; -1 where any size will do.
        maps: what the keys are ("int64" or "string") if it is a list of maps, one a row, as ZipMap makes; else empty.
    """

    name: str
    element: str
    dims: tuple[int, ...]
    maps: str = ""


@dataclass(slots=True)
class OnnxFile:
    """A file that was looked into.

    Attributes:
        texts: every text that the model compares its inputs with, in order.
        metadata: what its author wrote about it.
        operators: by domain and name, as in "ai.onnx.ml.Scaler"; of the standard's own the bare name.
        row_exact: that a row's answer does not depend on the rows beside it, to the bit.
        rows_apart: that it most likely does not among as many rows.
    """

    what: str
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    texts: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    operators: tuple[str, ...] = ()
    producer: str = ""
    opsets: Mapping[str, int] = field(default_factory=dict)
    row_exact: bool = False
    rows_apart: bool = False


def read_onnx(content: bytes, what: str = "the model") -> OnnxFile:
    """Look into a file; `what` is what it is called in messages.

    Raises:
        ModelError: it is damaged, of a version that is not supported, or holds what is not run, by name.
    """
    if len(content) > LARGEST:
        raise ModelError(
            f"{what} is too large.", seen=f"{len(content):,} bytes", do=f"At most {LARGEST:,} bytes are read."
        )
    model = Message(memoryview(content), what)
    graph = model.message(7)
    if graph is None:
        raise ModelError(f"{what} is no ONNX model.", seen="no graph in it", do="Export the model again.")
    opsets = _versions(model, what)
    looked = _Look(what)
    looked.graph(graph, 0)
    if 25 in model:
        names = ", ".join(one.text(1) for one in model.messages(25))
        raise ModelError(f"{what} brings functions of its own.", seen=names[:200], do="Export it with them inlined.")
    constants = {one.text(8) for one in graph.messages(5)}
    operators = {name.rpartition(".")[2] for name in looked.operators}
    return OnnxFile(
        what,
        tuple(_tensor(one, what, "reads") for one in graph.messages(11) if one.text(1) not in constants),
        tuple(_tensor(one, what, "gives") for one in graph.messages(12)),
        tuple(dict.fromkeys(looked.texts)),
        {one.text(1): one.text(2) for one in model.messages(14)},
        tuple(sorted(looked.operators)),
        f"{model.text(2)} {model.text(3)}".strip(),
        opsets,
        operators <= ROW_BY_ROW_EXACT,
        operators <= ROW_BY_ROW,
    )


def _versions(model: Message, what: str) -> dict[str, int]:
    version = model.number(1)
    if not OLDEST_IR <= version <= NEWEST_IR:
        raise ModelError(
            f"{what} is of a version of ONNX that is not supported.", seen=f"IR version {version}",
            do=f"Export it with IR version {OLDEST_IR} to {NEWEST_IR}.",
        )  # fmt: skip
    opsets = {"" if one.text(1) == "ai.onnx" else one.text(1): one.number(2) for one in model.messages(8)}
    for domain, (oldest, newest) in OPSETS.items():
        number = opsets.get(domain, oldest)
        if not oldest <= number <= newest:
            named = domain or "ai.onnx"
            raise ModelError(
                f"{what} is of an operator set that is not supported.", seen=f"{named} {number}",
                do=f"Export it with target_opset {oldest} to {newest} of {named}.",
            )  # fmt: skip
    return opsets


class _Look:
    """Goes through graphs, and those inside of them."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.operators: set[str] = set()
        self.texts: list[str] = []
        self._nodes = 0

    def graph(self, graph: Message, depth: int) -> None:
        if depth > _DEEPEST:
            raise ModelError(f"{self.what} has graphs nested more than {_DEEPEST} deep.", do="Export it flat.")
        for tensor in graph.messages(5):
            self._tensor(tensor)
        for sparse in graph.messages(15):
            self._sparse(sparse)
        for node in graph.messages(1):
            self._nodes += 1
            if self._nodes > _MOST_NODES:
                raise ModelError(f"{self.what} is too large.", seen=f"more than {_MOST_NODES:,} operators")
            self._node(node, depth)

    def _node(self, node: Message, depth: int) -> None:
        domain, name = node.text(7), node.text(4)
        full = name if domain in ("", "ai.onnx") else f"{domain}.{name}"
        called = f" (node {node.text(3)!r})" if node.text(3) else ""
        if domain not in ("", "ai.onnx", "ai.onnx.ml"):
            raise ModelError(
                f"{self.what} needs the operator {full}, which is none of ONNX's own{called}.", seen=full,
                do="Export it with the operators of ai.onnx and ai.onnx.ml alone.",
            )  # fmt: skip
        for group, why, do in (
            (_CHANCE, "draws lots, and a decision must come out the same again", "Export it for inference."),
            (_TEXT_WORK, "works on texts, which a flow keeps only as hashes", "Have the flow give it what it makes."),
            (_ENDLESS, "may go round without end", "Export it without loops."),
        ):
            if name in group:
                raise ModelError(f"{self.what} uses the operator {full}, which {why}{called}.", seen=full, do=do)
        self.operators.add(full)
        for attribute in node.messages(5):
            self._attribute(attribute, depth)

    def _attribute(self, attribute: Message, depth: int) -> None:
        for tensor in (*attribute.messages(5), *attribute.messages(10)):
            self._tensor(tensor)
        for sparse in (*attribute.messages(22), *attribute.messages(23)):
            self._sparse(sparse)
        for graph in (*attribute.messages(6), *attribute.messages(11)):
            self.graph(graph, depth + 1)
        self._say(text(one) for one in attribute.blobs(9))

    def _sparse(self, sparse: Message) -> None:
        for part in (*sparse.messages(1), *sparse.messages(2)):
            self._tensor(part)

    def _tensor(self, tensor: Message) -> None:
        if 13 in tensor or tensor.number(14):
            places = {one.text(1): one.text(2) for one in tensor.messages(13)}
            raise ModelError(
                f"{self.what} keeps {tensor.text(8) or 'a tensor'} in another file, and a model reads no other files.",
                seen=places.get("location", "external data"),
                do="Save it whole: onnx.save(model, file, save_as_external_data=False).",
            )
        self._say(text(one) for one in tensor.blobs(6))

    def _say(self, texts: Iterator[str]) -> None:
        self.texts += texts
        if len(self.texts) > _MOST_TEXTS:
            raise ModelError(f"{self.what} holds too many texts.", seen=f"more than {_MOST_TEXTS:,}")


def _tensor(value: Message, what: str, verb: str) -> Tensor:
    """An input or output as it is declared.

    Raises:
        ModelError: it is of a type that a flow does not have.
    """
    name, kind = value.text(1), value.message(2)
    plain = kind.message(1) if kind is not None else None
    if plain is not None:
        return Tensor(name, _element(plain.number(1), name, what, verb), _dims(plain.message(2)))
    listed = kind.message(4) if kind is not None else None
    inner = listed.message(1) if listed is not None else None
    mapping = inner.message(5) if inner is not None else None
    if mapping is None or verb == "reads":
        raise ModelError(
            f"{what} {verb} {name!r} as something else than a tensor.", seen="a sequence, map or optional value",
            do="Export it with tensors.",
        )  # fmt: skip
    held = mapping.message(2)
    held = held.message(1) if held is not None else None
    keys = _element(mapping.number(1), name, what, verb)
    return Tensor(name, _element(held.number(1) if held else 0, name, what, verb), (-1,), keys)


def _element(code: int, name: str, what: str, verb: str) -> str:
    if code not in _ELEMENTS:
        raise ModelError(
            f"{what} {verb} {name!r} as a type that a flow does not have.",
            seen=_ELEMENT_WORDS.get(code, f"element type {code}"), do=f"Use one of {', '.join(_ELEMENTS.values())}.",
        )  # fmt: skip
    return _ELEMENTS[code]


def _dims(shape: Message | None) -> tuple[int, ...]:
    if shape is None:
        return (-1, -1)
    return tuple(one.number(1) if 1 in one else -1 for one in shape.messages(1))
