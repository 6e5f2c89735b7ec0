"""What does one block of an encoder compute, forward and backward?"""

import torch

from seedwise.engines.architecture import Architecture
from seedwise.engines.kernels import call
from seedwise.engines.kernels.attention import Attention, FirstAttention
from seedwise.engines.kernels.layers import Linear, Lines, Parameters, Residual, Space

__all__ = ["BlockLayer"]


class BlockLayer:
    """Attention, then the feed-forward layer, each normalised after its residual."""

    def __init__(self, parts: Architecture, k: int, parameters: Parameters) -> None:
        block, self._k, self._last = parts.blocks[k], k, k == len(parts.blocks) - 1
        self._width, self._inner = parts.width, parts.inner
        self._attention = (FirstAttention if self._last else Attention)(parts, k, parameters)
        self._out, self._up, self._down = (Linear(parameters, [name]) for name in (block.out, block.up, block.down))
        self._up_gradient = parameters.vector(f"{block.up}.bias")
        sites = 2 + 3 * k, 3 + 3 * k
        self._after_attention = Residual(
            parameters, block.attention_norm, block.out, parts.eps, sites[0], parts.output_dropout
        )
        self._after_feed_forward = Residual(
            parameters, block.norm, block.down, parts.eps, sites[1], parts.hidden_dropout
        )
        self._made: tuple[torch.Tensor, ...] = ()

    def forward(self, x: torch.Tensor, tokens: Lines, first: Lines, key: int | None, space: Space) -> torch.Tensor:
        """Return the block's output for all tokens, or, of the last block, for first tokens."""
        kept = 0 if key is None else self._k  # the backward pass needs every block's numbers
        lines, width, inner = first if self._last else tokens, self._width, self._inner
        context, asking = self._attention.forward(x, tokens, key, space)
        product = self._out.forward(context, space("product", 0, lines.total, width), bias=False)
        y = self._after_attention.forward(product, asking, lines, key, space, space("y", kept, lines.total, width))
        slope = self._up.forward(y, space("slope", kept, lines.total, inner), bias=False)
        active = slope if key is None else space("active", kept, lines.total, inner)
        call("gelu_forward", lines.total, inner, slope, self._up.bias, None if key is None else slope, active)
        self._down.forward(active, product, bias=False)
        self._made = (context, y, slope, active)
        out = space("x", self._k % 2 if key is None else self._k, lines.total, width)
        return self._after_feed_forward.forward(product, y, lines, key, space, out)

    def backward(
        self, d: torch.Tensor, x: torch.Tensor, tokens: Lines, first: Lines, key: int, space: Space
    ) -> torch.Tensor:
        """Add to the gradients of the block, and return that of its input x."""
        lines, width, inner = first if self._last else tokens, self._width, self._inner
        context, y, slope, active = self._made
        dx = self._after_feed_forward.backward(d, lines, key, space, space("product", 0, lines.total, width))
        self._down.backward_weight(dx, active, bias=False)
        wide = self._down.backward_input(dx, space("wide", 0, lines.total, inner), add=False)
        call("gelu_backward", lines.total, inner, wide, slope, self._up_gradient)
        self._up.backward_weight(wide, y, bias=False)
        self._up.backward_input(wide, d, add=True)
        dx = self._after_attention.backward(d, lines, key, space, dx)
        self._out.backward_weight(dx, context, bias=False)
        dcontext = self._out.backward_input(dx, space("dcontext", 0, lines.total, width), add=False)
        return self._attention.backward(d, dcontext, x, tokens, key, space)
