"""What is this machine, and how would seedwise train here?"""

import os
import platform
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from seedwise.cli.arguments import Json
from seedwise.cli.console import print_json
from seedwise.values.recipe import Recipe

__all__ = ["info"]


def info(
    *,
    model: Annotated[str, Parameter(help="The encoder to be trained; by default the one in the package.")] = "embedded",
    json: Json = False,
) -> None:
    """Show versions, hardware, compiled kernels, and how an encoder would be trained here and why."""
    facts = list(_facts(model))
    if json:
        names = list(dict.fromkeys(name for name, _ in facts))
        print_json({name: [words for other, words in facts if other == name] for name in names})
        return
    for number, (name, words) in enumerate(facts):
        same = number > 0 and facts[number - 1][0] == name
        print(f"{'' if same else name:<12}{words}")


def _facts(model: str) -> Iterator[tuple[str, str]]:
    from seedwise.data.pretrained import check_model
    from seedwise.data.tokens import default_cache
    from seedwise.engines import kernels
    from seedwise.engines.engine import ENGINES
    from seedwise.executors.environment import device_name, versions
    from seedwise.executors.layout import Request, cores, devices_here, usual

    check_model(model, tokenizer=False)
    yield "versions", ", ".join(f"{name} {number}" for name, number in versions().items())
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "processor", f"{device_name('cpu')}, {cores()} cores, {_memory()} of memory"
    devices = devices_here()
    for device in devices:
        if device != "cpu":
            yield device, f"{device_name(device)}, {_gpu_memory(device)} of memory"
    yield "kernels", _sentence(kernels.reason() or "compiled C kernels are used on the CPU")
    recipe = Recipe(model=model)
    layout, reason = usual(recipe, Request(None, None, None, None, devices))
    yield "engine", f"{layout}: {reason}"
    for engine in ENGINES.values():
        if (against := engine.reason_against(recipe, devices[0])) is not None:
            yield "engine", f"not {engine}: {against}"
    yield "cache", str(default_cache())


def _sentence(words: str) -> str:
    return words.rstrip(".") + "."


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "an unknown amount"
    return _gigabytes(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _gpu_memory(device: str) -> str:
    import torch

    return _gigabytes(torch.cuda.get_device_properties(device).total_memory)


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.0f} GiB"
