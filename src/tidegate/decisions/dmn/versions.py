"""Which versions of DMN are read, by the namespace of their XML."""

MODEL = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
"""The versions that are read, by namespace."""

OTHERS = {
    "http://www.omg.org/spec/DMN/20130901": "1.0",
    "https://www.omg.org/spec/DMN/20240513/MODEL/": "1.6",
}
"""Versions that are known, and not read."""


def version_of(namespace: str) -> str | None:
    """The version that a namespace is of, if it is read. Tools write `http:` where the standard has `https:`."""
    return MODEL.get(namespace) or MODEL.get(namespace.replace("http://", "https://", 1))


def is_feel(language: str) -> bool:
    """Whether the name of an expression or type language is FEEL's, in any version; no name is FEEL too."""
    return not language or "feel" in language.lower()
