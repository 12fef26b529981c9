"""Files of Protocol Buffers, as a registry has them, compiled by protoc into what messages can be made of."""

import base64
import binascii
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from tidegate.connectors.schemas.framing import UndecodableError
from tidegate.connectors.schemas.registry import Schema

MAIN = "tidegate_schema.proto"
"""What the file of the schema itself is called here; a registry has no name for it."""
_LONGEST = 60
_DECIMAL = """syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"""
_META = """syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }"""
_KNOWN = {
    "confluent/type/decimal.proto": _DECIMAL,
    "confluent/types/decimal.proto": _DECIMAL,
    "confluent/meta.proto": _META,
}
"""Files that Confluent's registry knows without being told; those of google/ come with their packages."""


def compiled(schema: Schema) -> FileDescriptorSet:
    """The files of a schema: those that it imports, then itself under the name `MAIN`.

    Confluent's client for Python registers files that are compiled already, in Base64; others register text.

    Raises:
        UndecodableError: it cannot be compiled; with the compiler's words.
    """
    given = {**dict(schema.imports), MAIN: schema.text}
    ready = {name: file for name, text in given.items() if (file := _serialized(text)) is not None}
    if not ready:
        return _compile(given, schema.id)
    if len(ready) < len(given):
        raise UndecodableError("schema", f"The schema {schema.id} mixes compiled files with texts.")
    for name, file in ready.items():
        file.name = name
    wanted = {one for file in ready.values() for one in file.dependency} - set(ready)
    stub = "".join(f'import "{one}";\n' for one in sorted(wanted))
    found = _compile({MAIN: f'syntax = "proto3";\n{stub}'}, schema.id)
    del found.file[-1]
    found.file.extend(ready.values())
    return found


def _serialized(text: str) -> FileDescriptorProto | None:
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return None
    return file


def _compile(files: Mapping[str, str], id: int) -> FileDescriptorSet:
    """What protoc makes of these files, imports first."""
    with tempfile.TemporaryDirectory(prefix="tidegate-proto-") as place:
        folder = Path(place)
        for name, text in {**_KNOWN, **files}.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not name.endswith(".proto"):
                raise UndecodableError("schema", f"The schema {id} imports what is no name of a file.", seen=name[:200])
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        out = folder / "out.pb"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", *(f"-I{one}" for one in _roots())]
        command += ["--include_imports", f"--descriptor_set_out={out}", MAIN]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST)
        if done.returncode or not out.exists():
            said = [line.replace(MAIN, "line") for line in done.stderr.splitlines() if "warning" not in line.lower()]
            raise UndecodableError(
                "schema", f"The schema {id} is no Protobuf that can be compiled.", seen=" ".join(said)[:300]
            )
        return FileDescriptorSet.FromString(out.read_bytes())


def _roots() -> list[Path]:
    """Folders that hold google/protobuf and, where the package with them is installed, google/type."""
    roots = []
    tools = importlib.util.find_spec("grpc_tools")
    if tools is not None and tools.origin:
        roots.append(Path(tools.origin).parent / "_proto")
    types = importlib.util.find_spec("google.type.money_pb2")
    if types is not None and types.origin:
        roots.append(Path(types.origin).parents[2])
    return roots
