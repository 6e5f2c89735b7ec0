"""How is the embedded encoder pretrained?

A small BERT learns to fill in masked words of generated texts and, through its pooler, what would join the two sentences of a
text and whether a sentence has been garbled. It is saved as an ordinary Hugging Face folder, in half precision, without the heads of pretraining.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from embedded_corpus import JOINTS, Text, texts
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import WordPiece
from torch import Tensor, nn
from transformers import BertConfig, BertModel, BertTokenizer

__all__ = ["Pretraining", "pretrain"]

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'-"
_VOCABULARY = 1400
_POSITIONS = 64
_MASKED_TEXTS = 0.7  # the others are shown whole, as in fine-tuning, and teach the pooler alone
_LOSSES = ("words", "joints", "garbled")


class Pretraining(NamedTuple):
    """The choices of pretraining."""

    texts: int = 150_000
    epochs: int = 3
    batch: int = 64
    learning_rate: float = 1.5e-3
    warmup: float = 0.06
    masked: float = 0.3
    layers: int = 3
    width: int = 128
    heads: int = 4
    inner: int = 256
    spread: float = 0.05


class Corpus(NamedTuple):
    """Encoded texts: token ids and segments padded to equal length, and what the pooler learns (-1: nothing)."""

    ids: Tensor  # [text, position]
    segments: Tensor  # [text, position]
    lengths: Tensor  # [text]
    joints: Tensor  # [text]
    garbled: Tensor  # [text]


def pretrain(folder: Path, settings: Pretraining, *, threads: int) -> None:
    """Generate the corpus, train vocabulary and encoder, and save both in `folder`."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    started = time.monotonic()
    drawn = list(texts(settings.texts, "seedwise embedded corpus"))
    print(f"{len(drawn):,} texts after {time.monotonic() - started:.0f} s")
    tokenizer = _train_vocabulary(drawn)
    corpus = _encode(drawn, tokenizer)
    words, longest = tokenizer.get_vocab_size(), corpus.ids.shape[1]
    print(f"vocabulary of {words}, longest text {longest} tokens, {time.monotonic() - started:.0f} s")
    model = _Pretrainer(settings, words)
    _train(model, corpus, settings, _SPECIAL.index("[MASK]"))
    _save(folder, model.encoder, tokenizer)


def _train_vocabulary(drawn: list[Text]) -> Tokenizer:
    """Train a WordPiece vocabulary that can spell every word."""
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    words = [f"{left}{right}" for left in _ALPHABET for right in _ALPHABET]  # every letter, first and inside a word
    trainer = trainers.WordPieceTrainer(
        vocab_size=_VOCABULARY, min_frequency=20, special_tokens=list(_SPECIAL), show_progress=False
    )
    lines = [line for text in drawn for line in (text.first, text.second) if line]
    tokenizer.train_from_iterator([*words, *lines], trainer)
    first, separator = _SPECIAL.index("[CLS]"), _SPECIAL.index("[SEP]")  # special tokens have the first ids
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", separator), ("[CLS]", first))
    return tokenizer


def _encode(drawn: list[Text], tokenizer: Tokenizer) -> Corpus:
    inputs = [(text.first, text.second) if text.second else text.first for text in drawn]
    pairs = zip(drawn, tokenizer.encode_batch(inputs), strict=True)
    fitting = [(text, encoding) for text, encoding in pairs if len(encoding.ids) <= _POSITIONS]
    kept, encodings = [text for text, _ in fitting], [encoding for _, encoding in fitting]
    longest = max(len(encoding.ids) for encoding in encodings)
    ids = torch.zeros(len(encodings), longest, dtype=torch.int16)
    segments = torch.zeros(len(encodings), longest, dtype=torch.int8)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids, dtype=torch.int16)
        segments[row, : len(encoding.ids)] = torch.tensor(encoding.type_ids, dtype=torch.int8)
    joints = torch.tensor([-1 if text.joint is None else text.joint for text in kept])
    garbled = torch.tensor([-1 if text.garbled is None else int(text.garbled) for text in kept])
    return Corpus(ids, segments, torch.tensor([len(encoding.ids) for encoding in encodings]), joints, garbled)


class Batch(NamedTuple):
    """Texts with some words masked."""

    ids: Tensor  # [text, position]
    segments: Tensor  # [text, position]
    original: Tensor  # [text, position]
    chosen: Tensor  # [text, position], bool: to be predicted
    joints: Tensor  # [text]
    garbled: Tensor  # [text]


class _Pretrainer(nn.Module):
    """The encoder with the three heads of pretraining."""

    def __init__(self, settings: Pretraining, vocabulary: int) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=vocabulary,
            hidden_size=settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=settings.inner,
            max_position_embeddings=_POSITIONS,
            initializer_range=settings.spread,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.encoder = BertModel(config)
        self.encoder.embeddings.position_embeddings.weight.data = settings.spread * _waves(settings.width)
        self.transform = nn.Sequential(
            nn.Linear(settings.width, settings.width), nn.GELU(), nn.LayerNorm(settings.width)
        )
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.joint = nn.Linear(settings.width, len(JOINTS))
        self.garbled = nn.Linear(settings.width, 2)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the losses of the masked words, of the joints and of the garbled sentences."""
        shown = (batch.ids != 0).long()
        output = self.encoder(input_ids=batch.ids, token_type_ids=batch.segments, attention_mask=shown)
        hidden = self.transform(output.last_hidden_state[batch.chosen])
        logits = hidden @ self.encoder.embeddings.word_embeddings.weight.T + self.bias
        words = F.cross_entropy(logits, batch.original[batch.chosen], reduction="sum") / batch.chosen.sum().clamp(min=1)
        pooled = output.pooler_output
        return words, _judged(self.joint(pooled), batch.joints), _judged(self.garbled(pooled), batch.garbled)


def _waves(width: int) -> Tensor:
    """Return sines and cosines of the positions: from them, attention to neighbours is learnt much sooner."""
    angles = torch.arange(_POSITIONS)[:, None] / 100 ** (torch.arange(0, width, 2) / width)
    return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)


def _judged(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean loss over the texts that have something to learn; a batch may hold none."""
    return F.cross_entropy(logits, wanted, ignore_index=-1, reduction="sum") / (wanted >= 0).sum().clamp(min=1)


def _train(model: _Pretrainer, corpus: Corpus, settings: Pretraining, mask: int) -> None:
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    total = settings.epochs * -(-len(corpus.ids) // settings.batch)
    warmup = settings.warmup * total
    started, means = time.monotonic(), torch.zeros(3)
    for step, rows in enumerate(_batches(corpus.lengths, settings, generator)):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * min((step + 1) / warmup, (total - step) / (total - warmup))
        losses = model(_mask(corpus, rows, settings.masked, mask, generator))
        optimizer.zero_grad()
        sum(losses).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        means = 0.99 * means + 0.01 * torch.stack(losses).detach()
        if step % 200 == 199:
            seconds = time.monotonic() - started
            values = ", ".join(f"{name} {mean:.3f}" for name, mean in zip(_LOSSES, means.tolist(), strict=True))
            print(f"step {step + 1}/{total}: {values}, {seconds:.0f} s", flush=True)


def _batches(lengths: Tensor, settings: Pretraining, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the rows of each batch: texts of about equal length together, batches in random order."""
    for _ in range(settings.epochs):
        noisy = lengths + 2 * torch.rand(len(lengths), generator=generator)
        batches = torch.split(noisy.argsort(), settings.batch)
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield batches[index]


def _mask(corpus: Corpus, rows: Tensor, share: float, mask: int, generator: torch.Generator) -> Batch:
    """Choose the words to predict: 8 of 10 masked, 1 replaced, 1 kept; none in sentences whose soundness is judged."""
    width = int(corpus.lengths[rows].max())
    original, segments = corpus.ids[rows, :width].long(), corpus.segments[rows, :width].long()
    chosen = (torch.rand(original.shape, generator=generator) < share) & (original >= len(_SPECIAL))
    masked = torch.rand(len(rows), 1, generator=generator) < _MASKED_TEXTS
    garbled = corpus.garbled[rows]
    chosen &= masked & (garbled != 1)[:, None]
    garbled = torch.where(masked[:, 0] & (garbled == 0), -1, garbled)  # a mask must not give away that a text is sound
    dice = torch.rand(original.shape, generator=generator)
    other = torch.randint(len(_SPECIAL), int(corpus.ids.max()) + 1, original.shape, generator=generator)
    ids = torch.where(chosen & (dice < 0.8), mask, torch.where(chosen & (dice >= 0.9), other, original))
    return Batch(ids, segments, original, chosen, corpus.joints[rows], garbled)


def _save(folder: Path, encoder: BertModel, tokenizer: Tokenizer) -> None:
    """Write an ordinary model folder: weights in half precision that load as float32."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder.config.initializer_range = 0.02
    encoder.config.hidden_dropout_prob = encoder.config.attention_probs_dropout_prob = 0.1
    encoder.half().save_pretrained(folder)  # type: ignore[no-untyped-call]
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["dtype"] = "float32"
    (folder / "config.json").write_bytes((json.dumps(settings, indent=2, sort_keys=True) + "\n").encode("utf-8"))
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    (folder / "vocab.txt").write_bytes(("\n".join(token for token, _ in vocabulary) + "\n").encode("utf-8"))
    wrapped = BertTokenizer(tokenizer_object=tokenizer, do_lower_case=True, model_max_length=_POSITIONS)
    wrapped.save_pretrained(folder)
