"""What Flink's operator takes as a FlinkDeployment, from its reference: fields, their types, nothing beside them."""

from typing import Any

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}


def _object(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


_RESOURCE = _object(("cpu", "memory"), cpu=_NUMBER, memory={"type": "string", "pattern": "^[0-9]+[kmgKMG]i?$"})
_POD = {"type": "object"}
"""A pod's template, which is held to Kubernetes' own schema."""

SCHEMA = _object(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "flink.apache.org/v1beta1"},
    kind={"const": "FlinkDeployment"},
    metadata=_object(("name",), name=_TEXT, namespace=_TEXT, labels=_TEXTS, annotations=_TEXTS),
    spec=_object(
        ("image", "flinkVersion", "serviceAccount", "jobManager", "taskManager"),
        image=_TEXT,
        imagePullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
        serviceAccount=_TEXT,
        flinkVersion={"enum": ["v1_20", "v2_0", "v2_1", "v2_2"]},
        flinkConfiguration=_TEXTS,
        mode={"enum": ["native", "standalone"]},
        jobManager=_object(("resource",), resource=_RESOURCE, replicas={"type": "integer"}, podTemplate=_POD),
        taskManager=_object(("resource",), resource=_RESOURCE, replicas={"type": "integer"}, podTemplate=_POD),
        podTemplate=_POD,
        restartNonce={"type": "integer"},
    ),
)
