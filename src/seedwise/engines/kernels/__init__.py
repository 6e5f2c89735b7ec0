"""Is there a compiled library of kernels here, and how is it called?

The library is compiled by hatch_build.py when seedwise is installed, where there is a C compiler and an x86-64
processor. Its file name holds a hash of the sources, so that a library of other sources is never taken for this one's.
"""

import ctypes
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch

__all__ = ["adamw", "available", "call", "reason", "squared_norm"]

FOLDER = Path(__file__).parent

# One letter for each argument: pointer, integer, float, double.
_SIGNATURES = {
    "embed_forward": "ippippppppp f iiif ppp",
    "embed_backward": "ippippp iiif pppppppp",
    "residual_forward": "ippipppppf iiif ppp",
    "residual_backward": "ippip iiif ppppppp",
    "drop_rows": "ipip iiif p",
    "gelu_forward": "iipppp",
    "gelu_backward": "iippp",
    "add_lines": "iipip",
    "attention_forward": "ippii pppi iiif ppp",
    "attention_backward": "ippii pppi iiif pppppp",
    "first_forward": "ippii ppf iiif pppp",
    "first_backward": "ippii ppf iiif pppppp",
    "squared_norm": "ip",
    "adamw": "ipppp dddddddd",
}
_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int64, "f": ctypes.c_float, "d": ctypes.c_double}


def available() -> bool:
    """Return whether the kernels can be called here."""
    return reason() is None


def reason() -> str | None:
    """Return why the kernels cannot be called here, a sentence without its full stop; None where they can."""
    found = _load()
    return found if isinstance(found, str) else None


def call(name: str, *arguments: Any) -> Any:
    """Call a kernel by its name in C."""
    pointers = [a.data_ptr() if type(a) is torch.Tensor else a for a in arguments]
    return _kernels()[name](*pointers)


def adamw(
    values: torch.Tensor,
    gradients: torch.Tensor,
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float = 0.0,
    correction1: float = 1.0,
    correction2: float = 1.0,
    scale: float = 1.0,
) -> None:
    """Take one step of AdamW in one pass and set the gradients to zero.

    g = scale * gradients; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
    values = (1 - lr * weight_decay) values - lr / correction1 * m / (sqrt(v / correction2) + eps).
    """
    pointers = [_pointer(tensor, values.numel()) for tensor in (values, gradients, first, second)]
    numbers = (lr, beta1, beta2, eps, weight_decay, correction1, correction2, scale)
    call("adamw", values.numel(), *pointers, *numbers)


def squared_norm(values: torch.Tensor) -> float:
    """Return the sum of squares of contiguous float32 numbers on the CPU, added up in double precision."""
    return float(call("squared_norm", values.numel(), _pointer(values, values.numel())))


def _pointer(tensor: torch.Tensor, length: int) -> int:
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu" or not tensor.is_contiguous():
        raise ValueError(
            f"kernels work on contiguous float32 tensors on the CPU, not on {tensor.dtype} on {tensor.device} with strides "
            f"{tensor.stride()}; use torch's own functions there."
        )
    if tensor.numel() != length:
        raise ValueError(f"all tensors must have {length} numbers, not {tensor.numel()}; cut them alike.")
    return tensor.data_ptr()


@cache
def _load() -> ctypes.CDLL | str:
    """Return the library, or why there is none."""
    path = FOLDER / library_name(FOLDER)
    if not path.exists():
        return (
            "the C kernels are not compiled here; installing seedwise again compiles them where there is a C compiler and "
            "an x86-64 processor"
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        return f"the library of C kernels cannot be loaded: {error}"
    if not library.supported():
        return "this processor lacks AVX2 or FMA, which the C kernels need"
    return library


def library_name(folder: Path) -> str:
    """Return the file name of the library that the C files of a folder make; hatch_build.py has the same."""
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.[ch]")))
    return f"kernels-{hashlib.sha256(sources).hexdigest()[:12]}.so"


@cache
def _kernels() -> dict[str, Any]:
    library = _load()
    if isinstance(library, str):
        raise RuntimeError(f"{library}.")  # noqa: TRY004 - callers ask available() first
    kernels: dict[str, Any] = {}
    for name, letters in _SIGNATURES.items():
        kernels[name] = getattr(library, name)
        kernels[name].argtypes = [_TYPES[letter] for letter in letters.replace(" ", "")]
        kernels[name].restype = ctypes.c_double if name == "squared_norm" else None
    return kernels
