"""What to compute on, and in which precision."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch

from kekule._errors import TrainingError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "float32", "bfloat16"]

WIDE = 200  # of the widest matrix product: below it, casting costs what the product saves


def device_named(name: DeviceName) -> torch.device:
    """Device of that name; ``auto`` is CUDA where there is one, else the CPU.

    Raises
    ------
    TrainingError
        If there is no such device here.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if not there[name]:
        raise TrainingError(
            "train.device",
            f"{name!r} is asked for and this machine has none",
            "Choose auto or cpu.",
        )
    return torch.device(name)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has units for products of bfloat16, and so gains by them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def precision_named(name: PrecisionName, device: torch.device, *, width: int) -> torch.dtype:
    """Type of the matrix products of a network whose widest has `width` columns.

    ``auto`` is bfloat16 where the device multiplies it and the network is wide enough to
    gain: sums, statistics, losses and weights stay float32 either way.
    """
    if name == "auto":
        name = "bfloat16" if width >= WIDE and multiplies_bfloat16(device) else "float32"
    return torch.bfloat16 if name == "bfloat16" else torch.float32


@contextmanager
def deterministic(device: torch.device, *, wanted: bool) -> Iterator[None]:
    """Refuse operations that give other sums every time, inside, on a GPU.

    On a CPU sums are the same every time as they are.
    """
    if device.type != "cuda" or not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS refuses to be held
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before)


def products_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Compute matrix products in `dtype` inside."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)
