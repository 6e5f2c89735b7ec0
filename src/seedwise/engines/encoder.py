"""How are S encoders of one shape computed? All at once, on streams of tokens without padding.

Every tensor has a leading axis of S trials, except the weights of a single trial. Linear layers see tokens end to end;
attention sees blocks of rows of like length; the last block is computed for the first token of each row alone, because the
head reads nothing else. Nothing here is an approximation: outputs and gradients are those of the library's model up to
rounding.
"""

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F
from transformers.activations import ACT2FN

from seedwise.engines.architecture import Architecture, Block, Dense
from seedwise.engines.noise import Noise
from seedwise.engines.stream import RowBlock, Stream
from seedwise.engines.weights import Weights

__all__ = ["forward", "mean_losses"]


def forward(parts: Architecture, weights: Weights, stream: Stream, noise: Noise | None) -> torch.Tensor:
    """Return the logits of every trial's rows, shape (S, rows, outputs); rows that a trial lacks are undefined."""
    x = _embedded(parts, weights, stream)
    if noise is not None:
        x = noise.after_embeddings(x)
    if parts.projection is not None:
        x = _linear(weights, parts.projection, x)
    bias = None if parts.relative is None else _relative_bias(weights(f"{parts.relative}.weight"), stream)
    for k, block in enumerate(parts.blocks):
        last = k == len(parts.blocks) - 1
        context, residual = _attention(parts, weights, stream, noise, (k, block), x, bias, last=last)
        out = _linear(weights, block.out, context)
        if noise is not None:
            out = noise.after_attention(out, k, first=last)
        x = _norm(weights, block.attention_norm, residual + out, parts.eps)
        out = _linear(weights, block.down, ACT2FN[parts.activation](_linear(weights, block.up, x)))
        if noise is not None:
            out = noise.after_feed_forward(out, k, first=last)
        x = _norm(weights, block.norm, x + out, parts.eps)
    for i, part in enumerate(parts.head):
        if isinstance(part, Dense):
            x = _linear(weights, part.name, x)
            x = x if part.activation is None else ACT2FN[part.activation](x)
        elif noise is not None:
            x = noise.in_head(x, i)
    return x


def mean_losses(kind: str, logits: torch.Tensor, stream: Stream) -> torch.Tensor:
    """Return each trial's mean loss over its rows, times its share, shape (S,)."""
    if kind == "regression":
        losses = (logits.float().squeeze(-1) - stream.labels).square()
    else:
        losses = F.cross_entropy(logits.float().transpose(1, 2), stream.labels, reduction="none")
    return (losses * stream.row_shares).sum(1)


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
    """Return what each token attends to in its row, and the tokens themselves; in the last block, only first tokens."""
    k, block = numbered
    names = (block.query, block.key, block.value)
    shape = (x.shape[0], stream.rows if last else stream.tokens, -1)
    if last:
        flat = x.reshape(-1, x.shape[-1])
        residual = flat.index_select(0, stream.first.view(-1)).view(shape)
        queries = _into_blocks(_joint(weights, names[:1], residual), stream, first=True)
        pairs = [
            block.unflatten(-1, (2, -1)).unbind(2) for block in _into_blocks(_joint(weights, names[1:], x), stream)
        ]
        taken = [(query, *pair) for query, pair in zip(queries, pairs, strict=True)]
    else:
        residual = x
        found = _into_blocks(_joint(weights, names, x), stream)
        taken = [block.unflatten(-1, (3, -1)).unbind(2) for block in found]
    pieces = [_attend(parts, three, noise, k, rows, bias) for three, rows in zip(taken, stream.blocks, strict=True)]
    context = torch.cat([piece.flatten(0, 1) for piece in pieces])
    back = stream.scatter_rows if last else stream.scatter
    context = context if back is None else context.index_select(0, back)
    return context.view(shape), residual


def _attend(
    parts: Architecture,
    three: tuple[torch.Tensor, ...],
    noise: Noise | None,
    k: int,
    rows: RowBlock,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    """Attend within rows: query, key and value are of shape (rows, tokens, heads x size)."""
    query, key, value = (t.unflatten(-1, (parts.heads, -1)).transpose(1, 2) for t in three)
    weights = (query * (1 / math.sqrt(query.shape[-1]))) @ key.transpose(-1, -2)
    if bias is not None:
        weights = weights + bias[rows.trials, :, : weights.shape[2], : weights.shape[3]]
    if rows.hidden is not None:
        weights = weights + rows.hidden
    weights = weights.softmax(-1)
    if noise is not None:
        weights = noise.attention_weights(weights, k, rows)
    gathered: torch.Tensor = (weights @ value).transpose(1, 2).flatten(2)
    return gathered


def _into_blocks(x: torch.Tensor, stream: Stream, *, first: bool = False) -> list[torch.Tensor]:
    """Return the blocks of streams, shape (rows, length, width) each; of one token a row where these are the first."""
    way = stream.gather_rows if first else stream.gather
    flat = x.reshape(-1, x.shape[-1])
    flat = flat if way is None else flat.index_select(0, way)
    lengths = [1 if first else rows.length for rows in stream.blocks]
    pieces = flat.split([len(rows) * length for rows, length in zip(stream.blocks, lengths, strict=True)])
    return [piece.unflatten(0, (len(rows), -1)) for piece, rows in zip(pieces, stream.blocks, strict=True)]


def _relative_bias(table: torch.Tensor, stream: Stream) -> torch.Tensor:
    """Return MPNet's bias of the attention scores by the distance of two tokens, shape (S, heads, length, length).

    Distances fall into 32 buckets: half for each side, of which half again are single distances and the rest grow
    logarithmically up to 128 (Raffel et al. 2020, section 2.1).
    """
    length = max(rows.length for rows in stream.blocks)
    place = torch.arange(length, device=table.device)
    distance = place[:, None] - place
    side, near = 16 * (distance < 0).long(), distance.abs()
    far = 8 + (torch.log(near.float() / 8) / math.log(128 / 8) * 8).long().clamp(max=7)
    bucket = side + torch.where(near < 8, near, far)
    return (table if table.dim() == 3 else table[None])[:, bucket].permute(0, 3, 1, 2)


def _joint(weights: Weights, names: Sequence[str], x: torch.Tensor) -> torch.Tensor:
    return _product(x, weights(*(f"{n}.weight" for n in names)), weights(*(f"{n}.bias" for n in names)))


def _linear(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return _product(x, weights(f"{name}.weight"), weights(f"{name}.bias"))


def _product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))


def _norm(weights: Weights, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    weight, bias = weights(f"{name}.weight"), weights(f"{name}.bias")
    if weight.dim() == 1:
        return F.layer_norm(x, x.shape[-1:], weight, bias, eps)
    return torch.addcmul(bias[:, None], F.layer_norm(x, x.shape[-1:], eps=eps), weight[:, None])


def _rows(table: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Look numbers up in each trial's own table."""
    if table.dim() == 2:
        return F.embedding(numbers, table)
    return table[torch.arange(len(table), device=table.device)[:, None], numbers]
