"""What would the machine do at best? Products of a step's matrices, and copies: the floor that ``training.py`` compares with."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from training_inputs import Setting
from training_turns import Ready, Rival, Turn, Turns

from seedwise.data.tokens import TokenizedTask

__all__ = ["Peak", "multiply_and_copy"]

LEAST = 1.0  # seconds of products in a turn, and of copies
BLOCKS = 6  # blocks whose matrices are multiplied in turn: more than caches hold
MOMENTS_AND_ALL = 4  # AdamW's numbers a parameter: weight, gradient, two moments
COPIED = 2**28  # numbers at most, half of them read and half written


class Peak(NamedTuple):
    """Operations a second of matrix products, and bytes a second of copies, read and written."""

    operations: float
    bandwidth: float


def multiply_and_copy(rival: Rival, setting: Setting, parameters: int, turns: Turns) -> None:
    """Multiply matrices of the shapes of a step, forward and backward, and copy as many numbers as AdamW goes through.

    A turn's step is the time of 10^12 operations, and its evaluation that of 10^12 bytes read and written.

    Args:
        rival: How many processes and threads do so, and for how many trials at once.
        setting: The model and rows.
        parameters: Parameters that a trial trains.
        turns: Tells when to go on.
    """
    import torch

    passes, operations = _products(rival, setting)
    half = min(MOMENTS_AND_ALL * rival.width * parameters, COPIED) // 2
    source = torch.zeros(half, device=setting.device)
    copy = partial(torch.empty_like(source).copy_, source)
    multiply, numbers = _as_one(passes, setting.device), 2 * source.numel()
    turns.over(Ready(0, 0))
    while True:
        product, copied = _seconds(multiply, turns) / operations, _seconds(copy, turns) / (4 * numbers)
        turns.over(Turn(product * 1e12, copied * 1e12, 0))


def _seconds(run: Callable[[], object], turns: Turns) -> float:
    """Return how long one run takes of as many as fill the least time."""
    run()
    before, done = turns.clock(), 0
    while done == 0 or turns.clock() - before < LEAST:
        run()
        done += 1
    return (turns.clock() - before) / done


def _as_one(passes: list[Callable[[], object]], device: str) -> Callable[[], object]:
    """Return what runs them all; on a GPU they are recorded, because launching small ones takes longer than they do."""
    import torch

    def run() -> None:
        for multiply in passes:
            multiply()

    if not device.startswith("cuda"):
        return run
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def _products(rival: Rival, setting: Setting) -> tuple[list[Callable[[], object]], float]:
    """Return the products of a step's blocks, and how many operations they are."""
    import torch

    config = setting.config
    h, inner = config.hidden_size, config.intermediate_size
    tokens = round(setting.recipe.batch_size * float(TokenizedTask.open(setting.rows).train.lengths.mean()))
    kind = {"device": setting.device, "dtype": getattr(torch, setting.recipe.dtype)}
    passes: list[Callable[[], object]] = []
    operations = 0.0
    for wide, out in [(h, 3 * h), (h, h), (h, inner), (inner, h)] * min(config.num_hidden_layers, BLOCKS):
        x, weight, y = (torch.randn(rival.width, *s, **kind) for s in ((tokens, wide), (wide, out), (tokens, out)))
        for a, b in ((x, weight), (y, weight.transpose(1, 2)), (x.transpose(1, 2), y)):
            passes.append(_product(a, b))
            operations += 2.0 * rival.width * tokens * wide * out
    return passes, operations


def _product(a: Any, b: Any) -> Callable[[], object]:
    import torch

    if len(a) == 1:  # one matrix by another is not always the same code as a stack of one
        return partial(torch.mm, a[0], b[0], out=torch.mm(a[0], b[0]))
    return partial(torch.bmm, a, b, out=torch.bmm(a, b))
