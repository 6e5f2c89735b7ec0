"""What does an attention compute, forward and backward: of all tokens, or, in the last block, of first tokens alone?"""

import torch

from seedwise.engines.architecture import Architecture
from seedwise.engines.kernels import call
from seedwise.engines.kernels.layers import Linear, Lines, Parameters, Space, adjacent, dropout

__all__ = ["Attention", "FirstAttention"]


class Attention:
    """Every token of a row asks every other."""

    def __init__(self, parts: Architecture, k: int, parameters: Parameters) -> None:
        names = (parts.blocks[k].query, parts.blocks[k].key, parts.blocks[k].value)
        width, self._k, self._p = parts.width, k, parts.attention_dropout
        self._width, self._heads, self._depth = width, parts.heads, width // parts.heads
        if adjacent(parameters, names):
            self._projections = [(Linear(parameters, names), slice(0, 3 * width))]
        else:
            self._projections = [
                (Linear(parameters, [name]), slice(i * width, (i + 1) * width)) for i, name in enumerate(names)
            ]
        self._projected = torch.empty(0)

    def forward(
        self, x: torch.Tensor, tokens: Lines, key: int | None, space: Space
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what each token finds in its row, and the tokens themselves."""
        kept = 0 if key is None else self._k
        self._projected = projected = space("projected", kept, tokens.total, 3 * self._width)
        for linear, columns in self._projections:
            linear.forward(x, projected[:, columns])
        context = space("context", kept, tokens.total, self._width)
        weights = None if key is None else self._weights(space, tokens)
        self._call("attention_forward", tokens, key, space, weights, context)
        return context, x

    def backward(
        self, d: torch.Tensor, dcontext: torch.Tensor, x: torch.Tensor, tokens: Lines, key: int, space: Space
    ) -> torch.Tensor:
        """Add to the gradients of the projections, and return that of x: d, that of the residual, and the attention's."""
        width = self._width
        dprojected = space("dprojected", 0, tokens.total, 3 * width)
        parts = (dprojected, dprojected[:, width:], dprojected[:, 2 * width :])
        self._call("attention_backward", tokens, key, space, self._weights(space, tokens), dcontext, *parts)
        for linear, columns in self._projections:
            linear.backward_weight(dprojected[:, columns], x)
            linear.backward_input(dprojected[:, columns], d, add=True)
        return d

    def _weights(self, space: Space, tokens: Lines) -> torch.Tensor:
        return space.whole("weights", self._k, tokens.pairs * self._heads)

    def _call(self, name: str, tokens: Lines, key: int | None, space: Space, *rest: torch.Tensor | None) -> None:
        longest, width, projected = tokens.longest + 7, self._width, self._projected
        scratch = space.whole("scratch", 0, longest * (4 * self._depth + 2 * longest + 1))
        call(
            name, *tokens[:3], self._heads, self._depth, projected, projected[:, width:], projected[:, 2 * width :],
            3 * width, *dropout(key, 1 + 3 * self._k, self._p), scratch, *rest,
        )  # fmt: skip


class FirstAttention:
    """First tokens ask their rows; keys and values of the other tokens are never made (see attention.c)."""

    def __init__(self, parts: Architecture, k: int, parameters: Parameters) -> None:
        block, self._k, self._p = parts.blocks[k], k, parts.attention_dropout
        self._query, self._value = Linear(parameters, [block.query]), Linear(parameters, [block.value])
        self._heads, self._width, self._depth = parts.heads, parts.width, parts.width // parts.heads
        key = Linear(parameters, [block.key])  # its bias changes nothing: softmax does not see it
        self._key_weight, self._value_weight = self._by_head(key.weight), self._by_head(self._value.weight)
        self._key_gradient, self._value_gradient = (
            None if gradient is None else self._by_head(gradient)
            for gradient in (key.weight_gradient, self._value.weight_gradient)
        )
        self._value_bias = self._value.bias.view(self._heads, self._depth)
        self._made: tuple[torch.Tensor, ...] = ()

    def forward(
        self, x: torch.Tensor, tokens: Lines, key: int | None, space: Space
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what each first token finds in its row, and the first tokens themselves."""
        asking = x.index_select(0, tokens.starts[:-1])
        queries = torch.addmm(self._query.bias, asking, self._query.weight.t()).view(tokens.rows, self._heads, -1)
        asked = torch.bmm(queries.transpose(0, 1), self._key_weight).transpose(0, 1).contiguous()
        found, mass = torch.empty_like(asked), torch.empty(tokens.rows, self._heads, 1)
        weights = None if key is None else self._weights(space, tokens)
        self._call("first_forward", tokens, x, asked, key, space, weights, mass, found)
        context = torch.bmm(found.transpose(0, 1), self._value_weight.transpose(1, 2)).transpose(0, 1)
        self._made = (asking, queries, asked, found, mass)
        return torch.addcmul(context, mass, self._value_bias).flatten(1), asking

    def backward(
        self, d: torch.Tensor, dcontext: torch.Tensor, x: torch.Tensor, tokens: Lines, key: int, space: Space
    ) -> torch.Tensor:
        """Add to the gradients of the projections, and return that of x; d, that of the first tokens, is added there."""
        asking, queries, asked, found, mass = self._made
        dcontext = dcontext.view_as(queries)
        by_head = dcontext.transpose(0, 1)
        if self._value_gradient is not None:
            self._value_gradient.baddbmm_(by_head.transpose(1, 2), found.transpose(0, 1))
        if self._value.bias_gradient is not None:
            self._value.bias_gradient += (dcontext * mass).sum(0).view(-1)
        dfound = torch.bmm(by_head, self._value_weight).transpose(0, 1).contiguous()
        dmass = (dcontext * self._value_bias).sum(-1)
        dasked, below = torch.empty_like(asked), space("below", 0, tokens.total, self._width)
        weights = self._weights(space, tokens)
        self._call("first_backward", tokens, x, asked, key, space, weights, dfound, dmass, dasked, below)
        if self._key_gradient is not None:
            self._key_gradient.baddbmm_(queries.permute(1, 2, 0), dasked.transpose(0, 1))
        dqueries = torch.bmm(dasked.transpose(0, 1), self._key_weight.transpose(1, 2)).transpose(0, 1).flatten(1)
        self._query.backward_weight(dqueries, asking)
        return below.index_add_(0, tokens.starts[:-1], self._query.backward_input(dqueries, d, add=True))

    def _by_head(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.view(self._heads, self._depth, self._width)

    def _weights(self, space: Space, tokens: Lines) -> torch.Tensor:
        return space.whole("weights", self._k, tokens.rows * self._heads * (tokens.longest + 7))

    def _call(
        self,
        name: str,
        tokens: Lines,
        x: torch.Tensor,
        asked: torch.Tensor,
        key: int | None,
        space: Space,
        *rest: torch.Tensor | None,
    ) -> None:
        longest = tokens.longest + 7
        scratch = space.whole("scratch", 0, 2 * self._heads * (self._width + longest + 1) + self._width * longest)
        call(
            name, *tokens[:3], self._heads, self._width, x, asked, self._depth**-0.5,
            *dropout(key, 1 + 3 * self._k, self._p), scratch, *rest,
        )  # fmt: skip
