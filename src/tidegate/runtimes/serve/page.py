"""The page that a server shows about itself: what it takes and answers, with requests to copy. Self-contained."""

from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

from tidegate.runtimes.serve.problem import TITLES

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: #0b63c5; }
@media (prefers-color-scheme: dark) { :root { --link: #79b8ff; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
a { color: var(--link); } .method { font-weight: 600; } .quiet { opacity: .7; } tr:target { background: var(--soft); }
"""


def _kind(form: Mapping[str, Any]) -> str:
    """What a value of this schema looks like, in a few words."""
    if options := form.get("anyOf") or form.get("oneOf"):
        return " or ".join(_kind(option) for option in options)
    if "$ref" in form:
        return str(form["$ref"]).rpartition("/")[2]
    if "const" in form:
        return msgspec.json.encode(form["const"]).decode()
    if "enum" in form:
        words = [str(word) for word in form["enum"]]
        return " | ".join(words) if len(words) <= 12 else f"one of {len(words)}: {', '.join(words[:6])}, …"
    if form.get("type") == "object" and "properties" in form:
        return "{" + ", ".join(f"{name}: {_kind(part)}" for name, part in form["properties"].items()) + "}"
    if form.get("type") == "array":
        return f"list of {_kind(form.get('items', {}))}"
    kind = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing"}.get(
        str(form.get("type")), str(form.get("type", "any value"))
    )
    if form.get("format") == "date-time":
        return "time (RFC 3339, with its zone)"
    low, high = form.get("minimum"), form.get("maximum")
    limits = [f"from {low}"] if low is not None else []
    return " ".join([kind, *limits, *([f"to {high}"] if high is not None else [])])


def _prose(text: object) -> str:
    """A description as HTML; what stands between backticks is code."""
    parts = escape(str(text)).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(form))}</td>"
        f"<td>{'yes' if name in required else ''}</td><td>{_prose(form.get('description', ''))}</td></tr>"
        for name, form in schema.get("properties", {}).items()
    )
    return f"<table><tr><th>field</th><th>value</th><th>needed</th><th>meaning</th></tr>{rows}</table>"


def curl(base: str, sample: bytes, *, keys: bool) -> str:
    """The command that asks for a first decision."""
    key = " \\\n  -H 'Authorization: Bearer KEY'" if keys else ""
    body = sample.decode().replace("'", "'\\''")
    return f"curl {base}/decisions{key} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def page(document: Mapping[str, Any], sample: bytes, base: str) -> bytes:
    """The page as HTML.

    Args:
        document: the OpenAPI document that it tells about.
        sample: an event that the server takes, as JSON.
        base: the address under which the server is reached.
    """
    info, schemas = document["info"], document["components"]["schemas"]
    keys = "security" in document
    addresses = "".join(
        f'<tr><td class="method">{method.upper()}</td><td><code>{escape(path)}</code></td>'
        f"<td>{escape(about['summary'])}</td></tr>"
        for path, item in document["paths"].items()
        for method, about in item.items()
    )
    kinds = document["paths"]["/decisions"]["post"]["parameters"][0]["schema"]["enum"]
    contracts = "".join(
        f'<h3 id="{escape(name)}">{escape(name)}{" (decided on)" if name == kinds[0] else ""}</h3>'
        f"<p>{_prose(schemas[name].get('description', ''))}</p>{_fields(schemas[name])}"
        for name in kinds
    )
    problems = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{escape(title)}</td></tr>'
        for code, (status, title) in sorted(TITLES.items(), key=lambda kind: kind[1])
    )
    many = f"curl {base}/decisions{' -H ' + repr('Authorization: Bearer KEY') if keys else ''} \\\n" + (
        "  -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(info["title"])}</title><style>{_STYLE}</style></head><body>
<h1>{escape(info["title"])}</h1><p class="quiet">{escape(info["version"])}
· <a href="/openapi.json">openapi.json</a></p>
<p>{escape(info["description"])}</p>
<h2>Ask for a decision</h2><pre>{escape(curl(base, sample, keys=keys))}</pre>
<p>Many at once: one event a line, an answer for each line, in order.
A line that is refused has its problem in its place.</p>
<pre>{escape(many)}</pre>
<p>The same event again gets its first answer, marked <code>"repeated": true</code>.
An answer was on the disk before it was sent.</p>
<h2>Addresses</h2><table>{addresses}</table>
<h2>Events</h2>
<p>The body is a {escape(kinds[0])} unless the address says otherwise: <code>?event={escape(kinds[-1])}</code>, also at
<code>/events</code>, where events are learned from and not decided on.</p>{contracts}
<h2>Answers</h2><h3 id="Decision">Decision</h3>{_fields(schemas["Decision"])}
<h3 id="Learned">Learned</h3>{_fields(schemas["Learned"])}
<h2>Problems</h2><p>Every other answer is a problem document (RFC 9457) with these fields and one of these codes.</p>
{_fields(schemas["Problem"])}<br><table><tr><th>code</th><th>status</th><th>meaning</th></tr>{problems}</table>
</body></html>
""".encode()
