"""Small documents, written by hand, one per element."""

from collections.abc import Mapping

FIELDS = {
    "x": '<DataField name="x" optype="continuous" dataType="double"/>',
    "y": '<DataField name="y" optype="continuous" dataType="double"/>',
    "c": '<DataField name="c" optype="categorical" dataType="string"><Value value="a"/><Value value="b"/></DataField>',
    "t": '<DataField name="t" optype="categorical" dataType="string"><Value value="no"/><Value value="yes"/>'
    "</DataField>",
    "n": '<DataField name="n" optype="continuous" dataType="double"/>',
}  # fmt: skip
USED = {"x": "active", "y": "active", "c": "active"}


def document(model: str, transformations: str = "", fields: Mapping[str, str] = FIELDS, version: str = "4.4") -> bytes:
    namespace = f"http://www.dmg.org/PMML-{version.replace('.', '_')}"
    return (
        f'<PMML version="{version}" xmlns="{namespace}"><Header/>\n<DataDictionary>{"".join(fields.values())}'
        f"</DataDictionary>\n{transformations}\n{model}\n</PMML>"
    ).encode()


def schema(target: str = "n", **treated: str) -> str:
    lines = [f'<MiningField name="{name}" usageType="{how}" {treated.get(name, "")}/>' for name, how in USED.items()]
    return f'<MiningSchema>{"".join(lines)}<MiningField name="{target}" usageType="target"/></MiningSchema>'


def expressed(expression: str, kind: str = "double", functions: str = "", **treated: str) -> bytes:
    """A document whose output `out` is an expression of x, y and c."""
    return document(
        f'<RegressionModel functionName="regression">{schema(**treated)}'
        f'<Output><OutputField name="out" feature="transformedValue" dataType="{kind}" optype="continuous">'
        f'<FieldRef field="d"/></OutputField></Output>'
        f'<LocalTransformations><DerivedField name="d" dataType="{kind}" optype="continuous">{expression}'
        f'</DerivedField></LocalTransformations><RegressionTable intercept="0"/></RegressionModel>',
        f"<TransformationDictionary>{functions}</TransformationDictionary>",
    )


def apply(function: str, *arguments: str, **attributes: str) -> str:
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Apply function="{function}"{said}>{"".join(arguments)}</Apply>'


def ref(name: str) -> str:
    return f'<FieldRef field="{name}"/>'


def const(value: object, kind: str = "") -> str:
    said = f' dataType="{kind}"' if kind else ""
    return f"<Constant{said}>{value}</Constant>"
