"""What decides, as records name it: a flow with its models, by the digest of what a store keeps of them."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from tidegate.decisions.plan import Plan, dump
from tidegate.evidence.artefacts import Program
from tidegate.models.scoring import ScoringModel

_ENCODER = msgspec.msgpack.Encoder()


def model_content(model: ScoringModel) -> bytes:
    """What is kept of a model."""
    return _ENCODER.encode(dict(model.files))


def program_content(plan: Plan, models: Mapping[str, bytes], challenges: tuple[str, ...]) -> bytes:
    """What is kept of a flow.

    Args:
        plan: the flow's.
        models: the digests of its models' contents, by reference.
        challenges: the names of the flows that it challenges.
    """
    return _ENCODER.encode(Program(dump(plan), {name: models[name] for name in sorted(models)}, challenges))


def program_digest(plan: Plan, models: Mapping[str, ScoringModel], challenges: tuple[str, ...]) -> bytes:
    """The name that records of a flow with these models have for it (SHA-256), without a store to keep them."""
    kept = {name: sha256(model_content(model)).digest() for name, model in models.items()}
    return sha256(program_content(plan, kept, challenges)).digest()
