"""ONNX Runtime, held to one thread and to a bounded amount of memory."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from numpy.typing import NDArray

from tidegate.errors import ModelError

__all__ = ["MEMORY", "Session"]

MEMORY = 2 * 1024**3
"""The most bytes that all models of a process take together, their parameters included."""
_SILENT = 4


class Session:
    """A model that ONNX Runtime has taken.

    Raises:
        ModelError: ONNX Runtime is not installed, or does not take the model.
    """

    def __init__(self, content: bytes, what: str) -> None:
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _SILENT
        options.add_session_config_entry("session.use_env_allocators", "1")  # the ones that are bounded
        try:
            self._session: Any = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common ancestor of their own
            raise ModelError(
                f"ONNX Runtime {runtime.__version__} does not take {what}.", seen=_plain(error),
                do="Export the model again, for an operator set that this version has.",
            ) from None  # fmt: skip

    def run(self, output: str, feed: Mapping[str, NDArray[Any]]) -> Any:
        """One output for some rows; None if ONNX Runtime fails on them, for want of memory say."""
        try:
            return self._session.run([output], feed)[0]
        except Exception:  # as above; the rows have no answer, and the flow's otherwise= is for that
            return None


@cache
def _runtime() -> Any:
    """ONNX Runtime, its memory bounded; told what to do where it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError.not_installed("A model in ONNX", "ONNX Runtime", "onnx", error) from None
    onnxruntime.set_default_logger_severity(_SILENT)
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Grown by what is asked for, not by doubling, so that the bound is met by what is used and not by what is spare.
    arena = onnxruntime.OrtArenaCfg({"max_mem": MEMORY, "arena_extend_strategy": 1})
    try:
        onnxruntime.create_and_register_allocator(place, arena)
    except Exception as error:
        if "already" not in str(error):  # somebody else's in this process is as good
            raise
    return onnxruntime


def _plain(error: Exception) -> str:
    """What ONNX Runtime said, without its codes and source files."""
    words = str(error).partition(" : FAIL : ")[2] or str(error)
    return " ".join(words.split())[:300]
