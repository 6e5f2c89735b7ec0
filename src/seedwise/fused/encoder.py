"""What do S encoders of one shape compute? All of them at once, on streams of tokens without padding.

Every tensor has a leading axis of S trials. Linear layers see tokens end to end; attention sees blocks of rows of like
length; the last block is computed for the first token of each row alone, because the head reads nothing else. Nothing
here is an approximation: outputs and gradients are those of the library's model but for rounding.
"""

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F
from transformers.activations import ACT2FN

from seedwise.fused.architecture import Architecture, Block, Dense
from seedwise.fused.noise import Noise
from seedwise.fused.stream import RowBlock, Stream
from seedwise.fused.weights import Weights

__all__ = ["forward", "mean_losses"]


def forward(parts: Architecture, weights: Weights, stream: Stream, noise: Noise | None) -> torch.Tensor:
    """Return the logits of every trial's rows, shape (S, rows, outputs); rows that a trial lacks hold anything.

    Args:
        parts: The trials' architecture.
        weights: Their weights.
        stream: Their tokens.
        noise: What dropout keeps; None drops nothing.
    """
    x = _embedded(parts, weights, stream)
    if noise is not None:
        x = noise.embedded(x)
    if parts.projection is not None:
        x = _linear(weights, parts.projection, x)
    bias = None if parts.relative is None else _relative_bias(weights(f"{parts.relative}.weight"), stream)
    for k, block in enumerate(parts.blocks):
        last = k == len(parts.blocks) - 1
        context, residual = _attention(parts, weights, stream, noise, (k, block), x, bias, last=last)
        out = _linear(weights, block.out, context)
        if noise is not None:
            out = noise.projected(out, k, first=last)
        x = _norm(weights, block.attention_norm, residual + out, parts.eps)
        out = _linear(weights, block.down, ACT2FN[parts.activation](_linear(weights, block.up, x)))
        if noise is not None:
            out = noise.fed(out, k, first=last)
        x = _norm(weights, block.norm, x + out, parts.eps)
    for i, part in enumerate(parts.head):
        if isinstance(part, Dense):
            x = _linear(weights, part.name, x)
            x = x if part.activation is None else ACT2FN[part.activation](x)
        elif noise is not None:
            x = noise.headed(x, i)
    return x


def mean_losses(kind: str, logits: torch.Tensor, stream: Stream) -> torch.Tensor:
    """Return each trial's mean loss over its rows, shape (S,)."""
    losses = []
    for s, batch in enumerate(stream.batches):
        own = logits[s, : len(batch.slots)].float()
        if kind == "regression":
            losses.append(F.mse_loss(own.reshape(-1), batch.labels))
        else:
            losses.append(F.cross_entropy(own, batch.labels))
    return torch.stack(losses)


def _embedded(parts: Architecture, weights: Weights, stream: Stream) -> torch.Tensor:
    x = _rows(weights(f"{parts.words}.weight"), stream.ids)
    if parts.types is not None:
        types = torch.zeros_like(stream.ids) if stream.types is None else stream.types
        x = x + _rows(weights(f"{parts.types}.weight"), types)
    x = x + _rows(weights(f"{parts.positions}.weight"), stream.places + parts.first_position)
    return _norm(weights, parts.embedding_norm, x, parts.eps)


def _attention(
    parts: Architecture,
    weights: Weights,
    stream: Stream,
    noise: Noise | None,
    numbered: tuple[int, Block],
    x: torch.Tensor,
    bias: torch.Tensor | None,
    *,
    last: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what each token gathers from its row, and the tokens themselves; of the last block, the first token's."""
    k, block = numbered
    S, _, width = x.shape
    names = (block.query, block.key, block.value)
    found = []
    if last:
        flat = x.reshape(-1, width)
        x = flat.index_select(0, stream.first.view(-1)).view(S, stream.rows, width)
        queries = _joint(weights, names[:1], x).reshape(S * stream.rows, 1, 1, -1)
        both = _joint(weights, names[1:], flat.view(S, stream.tokens, width)).reshape(S * stream.tokens, 2, -1)
        for rows in stream.blocks:
            query = queries if stream.row_back is None and len(stream.blocks) == 1 else queries[rows.rows]
            pair = _taken(both, rows)
            found.append(_attend(parts, query, pair[:, :, 0:1], pair[:, :, 1:2], noise, k, rows, bias))
        context = torch.cat([piece.flatten(0, 1) for piece in found])
        context = context if stream.row_back is None else context.index_select(0, stream.row_back)
        return context.view(S, stream.rows, -1), x
    all_three = _joint(weights, names, x).reshape(S * stream.tokens, 3, -1)
    for rows in stream.blocks:
        taken = _taken(all_three, rows)
        found.append(_attend(parts, taken[:, :, 0:1], taken[:, :, 1:2], taken[:, :, 2:3], noise, k, rows, bias))
    context = torch.cat([piece.flatten(0, 1) for piece in found])
    context = context if stream.back is None else context.index_select(0, stream.back)
    return context.view(S, stream.tokens, -1), x


def _attend(
    parts: Architecture,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    noise: Noise | None,
    k: int,
    rows: RowBlock,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    """Attend within rows; arguments are of shape (rows, tokens, 1, heads x size)."""
    query, key, value = (t.view(t.shape[0], t.shape[1], parts.heads, -1).transpose(1, 2) for t in (query, key, value))
    weights = (query * (1 / math.sqrt(query.shape[-1]))) @ key.transpose(-1, -2)
    if bias is not None:
        weights = weights + bias[rows.trials, :, : weights.shape[2], : weights.shape[3]]
    if rows.hidden is not None:
        weights = weights.masked_fill(rows.hidden, -math.inf)
    weights = weights.softmax(-1)
    if noise is not None:
        weights = noise.attended(weights, k, rows)
    return (weights @ value).transpose(1, 2).flatten(2)


def _taken(flat: torch.Tensor, rows: RowBlock) -> torch.Tensor:
    """Return a block's rows of a flat stream, shape (rows, length, ...)."""
    n, length = rows.shape
    if rows.contiguous is not None:
        return flat[rows.contiguous : rows.contiguous + n * length].view(n, length, *flat.shape[1:])
    return flat.index_select(0, rows.index.view(-1)).view(n, length, *flat.shape[1:])


def _relative_bias(table: torch.Tensor, stream: Stream) -> torch.Tensor:
    """Return what MPNet adds to the attention's scores by the distance of two tokens, shape (S, heads, length, length).

    Distances fall into 32 buckets: half for each side, of which half again are single distances and the rest grow
    logarithmically up to 128 (Raffel et al. 2020, section 2.1).
    """
    length = max(rows.shape[1] for rows in stream.blocks)
    place = torch.arange(length, device=table.device)
    distance = place[:, None] - place
    side, near = 16 * (distance < 0).long(), distance.abs()
    far = 8 + (torch.log(near.float() / 8) / math.log(128 / 8) * 8).long().clamp(max=7)
    bucket = side + torch.where(near < 8, near, far)
    return table[:, bucket].permute(0, 3, 1, 2)


def _joint(weights: Weights, names: Sequence[str], x: torch.Tensor) -> torch.Tensor:
    return _product(x, weights(*(f"{n}.weight" for n in names)), weights(*(f"{n}.bias" for n in names)))


def _linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return _product(x, weights(f"{name}.weight"), weights(f"{name}.bias"))


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if len(weight) == 1:
        return F.linear(x[0], weight[0], bias[0])[None]
    return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))


def _norm(weights: Weights, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    weight, bias = weights(f"{name}.weight"), weights(f"{name}.bias")
    if len(weight) == 1:
        return F.layer_norm(x, x.shape[-1:], weight[0], bias[0], eps)
    return torch.addcmul(bias[:, None], F.layer_norm(x, x.shape[-1:], eps=eps), weight[:, None])


def _rows(table: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Look numbers up in each trial's own table."""
    if len(table) == 1:
        return F.embedding(numbers, table[0])
    return table[torch.arange(len(table), device=table.device)[:, None], numbers]
