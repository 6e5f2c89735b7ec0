"""What does a trial run on? Bits are equal only on equal devices, versions, threads and paths."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seedwise.values.facts import Environment

__all__ = ["device_name", "environment", "versions"]


def environment(device: str, dtype: str, engine: str, width: int) -> Environment:
    """Say what a trial runs on in this process."""
    import torch

    return Environment(
        **versions(),
        device=device,
        device_name=device_name(device),
        dtype=dtype,
        threads=torch.get_num_threads(),
        engine=engine,
        width=width,
    )


def versions() -> dict[str, Any]:
    """Return the versions that decide on bits."""
    import torch
    import transformers

    return {
        "seedwise": version("seedwise"),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
    }


def device_name(device: str) -> str:
    """Return what a device calls itself."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
