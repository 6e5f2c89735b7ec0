"""Which tokenizer belongs to a model, and which token ids does it give each row?"""

import hashlib
import importlib.util
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedwise.data.pretrained import not_loaded, resolve_model
from seedwise.errors import RequestError

__all__ = ["Encoded", "Tokenizer", "encode", "load_tokenizer"]

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 4096  # bounds the memory of the Python lists between tokenizer and array
NO_LIMIT = 1_000_000  # transformers writes 1e30 where a tokenizer knows no limit

# These count positions from the padding token's id + 1, so that many of max_position_embeddings are no tokens.
POSITIONS_AFTER_PADDING = frozenset(
    {
        "camembert",
        "data2vec-text",
        "ibert",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)


class Encoded(NamedTuple):
    """Token ids of rows, end to end, and how many rows were cut."""

    ids: NDArray[np.int32]
    type_ids: NDArray[np.int8] | None
    offsets: NDArray[np.int64]
    truncated: int


@dataclass(frozen=True, slots=True, eq=False)
class Tokenizer:
    """A model's tokenizer and what is read off it before its first use."""

    inner: Any  # the tokenizer of transformers
    limit: int | None  # the longest input that the model takes; None where nothing says
    fingerprint: str  # hash of everything that decides which ids a text gets
    pad_id: int  # the id that fills a batch: padding, or end of text where the tokenizer has no padding token
    padding_side: str  # right or left
    vocabulary: int  # how many ids there are


def load_tokenizer(model: str) -> Tokenizer:
    """Load the tokenizer of a recipe's model."""
    from transformers import AutoTokenizer

    place = resolve_model(model)
    try:
        inner = AutoTokenizer.from_pretrained(place)
    except Exception as error:  # files, network and missing packages each fail in their own way
        # Where sentencepiece is missing, transformers takes its files for those of tiktoken, and asks for that.
        if "`tiktoken` is required" in str(error) and importlib.util.find_spec("sentencepiece") is None:
            raise RequestError(
                f"the tokenizer of the model {model!r} needs the package sentencepiece, which is not installed; "
                "pip install sentencepiece."
            ) from error
        if not Path(place).is_dir():
            raise not_loaded(model, error) from error
        reason = " ".join(str(error).split("\n", 1)[0].split()).rstrip(".:")
        raise RequestError(
            f"the model {model!r} must have a tokenizer, but none can be loaded ({reason}); check the name, or save the "
            "tokenizer into the model's folder."
        ) from error
    # NOTE: a folder with config.json alone gives a tokenizer that knows its special tokens and nothing else.
    if set(inner.get_vocab()) <= set(inner.all_special_tokens):
        raise RequestError(
            f"the model {model!r} must have a tokenizer, but its folder holds no vocabulary; "
            "save the tokenizer into it."
        )
    pad_id = inner.pad_token_id if inner.pad_token_id is not None else inner.eos_token_id
    if pad_id is None:
        raise RequestError(
            f"the tokenizer of {model!r} must have a padding or an end-of-text token, but has neither; "
            "set tokenizer.pad_token and save it."
        )
    return Tokenizer(inner, _limit(place, inner), _fingerprint(inner), pad_id, inner.padding_side, len(inner))


def encode(tokenizer: Tokenizer, texts: Sequence[str], pairs: Sequence[str] | None, *, max_length: int) -> Encoded:
    """Return the token ids of rows; rows longer than ``max_length`` are cut, of a pair the longer text first."""
    with_types = "token_type_ids" in tokenizer.inner.model_input_names
    ids: list[NDArray[np.int32]] = []
    types: list[NDArray[np.int8]] = []
    lengths: list[int] = []
    truncated = 0
    for start in range(0, len(texts), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        found, cut = _encode_some(tokenizer.inner, texts[rows], pairs[rows] if pairs else None, max_length)
        some = [row or [tokenizer.pad_id] for row in found["input_ids"]]
        lengths += map(len, some)
        ids.append(np.fromiter((number for row in some for number in row), dtype=np.int32))
        if with_types:
            some = [row or [0] for row in found["token_type_ids"]]
            types.append(np.fromiter((number for row in some for number in row), dtype=np.int8))
        truncated += cut
    return Encoded(
        ids=np.concatenate(ids),
        type_ids=np.concatenate(types) if with_types else None,
        offsets=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)]),
        truncated=truncated,
    )


def _encode_some(
    inner: Any, texts: Sequence[str], pairs: Sequence[str] | None, max_length: int
) -> tuple[dict[str, list[list[int]]], int]:
    """Tokenise some rows whole, and those that turn out too long once more; return them and how many were cut."""

    def call(rows: list[int] | range, **truncation: Any) -> dict[str, list[list[int]]]:
        first = [texts[row] for row in rows]
        second = None if pairs is None else [pairs[row] for row in rows]
        return dict(inner(first, second, return_attention_mask=False, verbose=False, **truncation))

    found = call(range(len(texts)), truncation=False)
    too_long = [row for row, ids in enumerate(found["input_ids"]) if len(ids) > max_length]
    if too_long:
        cut = call(too_long, truncation="longest_first", max_length=max_length)
        for name, rows in cut.items():
            for place, row in enumerate(too_long):
                found[name][row] = rows[place]
    return found, len(too_long)


def _limit(place: str, inner: Any) -> int | None:
    """Return the longest input by the tokenizer's word and the model's, the smaller of the two."""
    from transformers import AutoConfig

    limits = [inner.model_max_length] if inner.model_max_length < NO_LIMIT else []
    try:
        config = AutoConfig.from_pretrained(place)
    except (OSError, ValueError):  # a folder of a tokenizer alone
        config = None
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        shift = (config.pad_token_id or 0) + 1 if getattr(config, "model_type", "") in POSITIONS_AFTER_PADDING else 0
        limits.append(positions - shift)
    return min(limits, default=None)


def _fingerprint(inner: Any) -> str:
    """Hash what decides the ids; before the first use, since truncation settings become part of the state."""
    if inner.is_fast:
        state = inner.backend_tokenizer.to_str()
    else:
        state = json.dumps([type(inner).__name__, sorted(inner.get_vocab().items()), str(inner.init_kwargs)])
    special = json.dumps([inner.pad_token_id, inner.eos_token_id, inner.padding_side, inner.model_input_names])
    return hashlib.sha256(f"{state}\n{special}".encode()).hexdigest()
