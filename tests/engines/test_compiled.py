"""Do the hand-written forward and backward passes agree with a plain model whose gradients torch finds?"""

import dataclasses
import math

import numpy as np
import pytest
import torch
import transformers
from torch.nn import functional as F
from transformers.activations import ACT2FN

from seedwise.engines import kernels
from seedwise.engines.architecture import Dense, architecture
from seedwise.engines.batches import Batch
from seedwise.engines.compiled import CompiledEncoder, objection
from seedwise.training.hashed_masks import keep, line_keys, threshold
from tolerances import SEVERAL_LAYERS, drift

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.reason()))

WORDS = 50
LENGTHS = [1, 3, 8, 11, 16, 17, 23, 40]
BERT_LIKE = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 72}
CONFIGS = {
    "BERT": transformers.BertConfig(**BERT_LIKE),
    "RoBERTa": transformers.RobertaConfig(**BERT_LIKE, type_vocab_size=1),
    "ELECTRA": transformers.ElectraConfig(**BERT_LIKE, embedding_size=24),
    "one block": transformers.ElectraConfig(**{**BERT_LIKE, "num_hidden_layers": 1}, embedding_size=48),
    "DistilBERT": transformers.DistilBertConfig(dim=48, n_layers=2, n_heads=2, hidden_dim=72),
}


def tiny(name: str, outputs: int = 2) -> transformers.PreTrainedModel:
    """A random model with weights large enough that every part of it shows."""
    config = CONFIGS[name]
    config.vocab_size, config.num_labels, config.max_position_embeddings = WORDS, outputs, 64
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    drawn = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        start = 0.0 if parameter.dim() == 2 else parameter.detach()
        parameter.data = start + torch.randn(parameter.shape, generator=drawn) * (0.2 if parameter.dim() == 2 else 0.1)
    return model


def batch_of(lengths, *, types=True, kind="classification", seed=0) -> Batch:
    drawn = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    values = drawn.normal(size=len(lengths)).astype(np.float32)
    return Batch(
        ids=torch.from_numpy(drawn.integers(5, WORDS, starts[-1])),
        types=torch.from_numpy(drawn.integers(0, 2, starts[-1])) if types else None,
        places=torch.from_numpy(np.concatenate([np.arange(n) for n in lengths])),
        slots=drawn.permutation(len(lengths)),
        starts=starts,
        labels=torch.from_numpy(values if kind == "regression" else (values > 0).astype(np.int64)),
    )


class Reference:
    """The same model written down plainly: one row after the other, every token of every block."""

    def __init__(self, parts, values):
        self.parts, self.values = parts, values

    def logits(self, batch, key=None):
        return torch.cat([self.row(batch, r, key) for r in range(len(batch.slots))])

    def row(self, batch, r, key):
        parts, tokens, slot = self.parts, slice(batch.starts[r], batch.starts[r + 1]), batch.slots[r]

        def dropped(x, site, p, lines=None):
            if key is None:
                return x
            lines = np.arange(len(x)) if lines is None else lines
            kept = keep(line_keys(np.array(key), site, slot, lines), x.shape[-1], threshold(p))
            return x * torch.from_numpy(kept) / (1 - p)

        def linear(name, x):
            return F.linear(x, self.values[f"{name}.weight"], self.values[f"{name}.bias"])

        def norm(name, x):
            return F.layer_norm(x, x.shape[-1:], self.values[f"{name}.weight"], self.values[f"{name}.bias"], parts.eps)

        x = self.values[f"{parts.words}.weight"][batch.ids[tokens]]
        x = x + self.values[f"{parts.positions}.weight"][parts.first_position :][: len(x)]
        if parts.types is not None:
            x = x + self.values[f"{parts.types}.weight"][0 if batch.types is None else batch.types[tokens]]
        x = dropped(norm(parts.embedding_norm, x), 0, parts.hidden_dropout)
        if parts.projection is not None:
            x = linear(parts.projection, x)
        for k, block in enumerate(parts.blocks):
            query, key_, value = (
                linear(name, x).view(len(x), parts.heads, -1).transpose(0, 1)
                for name in (block.query, block.key, block.value)
            )
            weights = (query @ key_.transpose(1, 2) / math.sqrt(query.shape[-1])).softmax(-1)
            lines = np.arange(parts.heads)[:, None] * 65536 + np.arange(len(x))
            weights = dropped(weights, 1 + 3 * k, parts.attention_dropout, lines)
            out = linear(block.out, (weights @ value).transpose(0, 1).flatten(1))
            x = norm(block.attention_norm, x + dropped(out, 2 + 3 * k, parts.output_dropout))
            out = linear(block.down, F.gelu(linear(block.up, x)))
            x = norm(block.norm, x + dropped(out, 3 + 3 * k, parts.hidden_dropout))
        x, site = x[:1], 1 + 3 * len(parts.blocks)
        for part in parts.head:
            if isinstance(part, Dense):
                x = linear(part.name, x)
                x = x if part.activation is None else ACT2FN[part.activation](x)
            else:
                x, site = dropped(x, site, part.p), site + 1
        return x

    def gradients(self, batch, kind, key, share):
        leaves = {name: value.clone().requires_grad_() for name, value in self.values.items()}
        logits = Reference(self.parts, leaves).logits(batch, key)
        if kind == "regression":
            loss = F.mse_loss(logits.reshape(-1), batch.labels)
        else:
            loss = F.cross_entropy(logits, batch.labels)
        (loss * share).backward()
        return float(loss.detach()) * share, {name: leaf.grad for name, leaf in leaves.items()}


def flat(values):
    """Copies of tensors, one after the other in one stretch of memory, weights before biases."""
    order = sorted(values, key=lambda name: not name.endswith("weight"))
    memory, found, start = torch.zeros(sum(value.numel() for value in values.values())), {}, 0
    for name in order:
        found[name] = memory[start : start + values[name].numel()].view(values[name].shape)
        found[name].copy_(values[name])
        start += values[name].numel()
    return found


def setting(name, outputs=2):
    model = tiny(name, outputs)
    values = flat({n: p.detach() for n, p in model.named_parameters()})
    gradients = flat({n: torch.zeros_like(p) for n, p in values.items()})
    return architecture(model.config), values, gradients


def check_gradients(found, expected, names=None):
    """Key biases are left out: softmax does not see them, so that their gradient is rounding and nothing else."""
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name in names or found:
        if ".key.bias" not in name and ".k_lin.bias" not in name:
            size = float(expected[name].abs().max()) + 0.01 * largest  # what cancels out keeps its rounding
            torch.testing.assert_close(
                found[name] / size, expected[name] / size, atol=4 * SEVERAL_LAYERS, rtol=0, msg=name
            )  # forth and back


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_are_those_of_the_plain_model(name):
    parts, values, gradients = setting(name)
    batch = batch_of(LENGTHS, types=name != "RoBERTa")
    found = CompiledEncoder(parts, values, gradients).logits(batch)
    torch.testing.assert_close(found, Reference(parts, values).logits(batch), atol=SEVERAL_LAYERS, rtol=0)


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("name", CONFIGS)
def test_loss_and_gradients_are_those_that_torch_finds(name, kind):
    parts, values, gradients = setting(name, outputs=2 if kind == "classification" else 1)
    batch = batch_of(LENGTHS, types=name != "RoBERTa", kind=kind)
    loss = CompiledEncoder(parts, values, gradients).backward(batch, kind, -(2**62) - 12345, 0.25)
    expected_loss, expected = Reference(parts, values).gradients(batch, kind, -(2**62) - 12345, 0.25)
    assert loss == pytest.approx(expected_loss, abs=SEVERAL_LAYERS)
    check_gradients(gradients, expected)


@pytest.mark.parametrize(
    "changes", [{"hidden_dropout": 0.0}, {"attention_dropout": 0.0}, {"output_dropout": 0.4}, {"hidden_dropout": 0.7}]
)
def test_every_place_has_its_own_probability(changes):
    parts, values, gradients = setting("BERT")
    parts = dataclasses.replace(parts, **changes)
    batch = batch_of(LENGTHS)
    loss = CompiledEncoder(parts, values, gradients).backward(batch, "classification", 7, 1.0)
    expected_loss, expected = Reference(parts, values).gradients(batch, "classification", 7, 1.0)
    assert loss == pytest.approx(expected_loss, abs=SEVERAL_LAYERS)
    check_gradients(gradients, expected)


def test_gradients_are_added_to_what_is_there():
    parts, values, gradients = setting("BERT")
    encoder, batch = CompiledEncoder(parts, values, gradients), batch_of(LENGTHS)
    for gradient in gradients.values():
        gradient.fill_(1.0)
    encoder.backward(batch, "classification", 1, 0.5)
    encoder.backward(batch, "classification", 2, 0.5)
    parts_of = [Reference(parts, values).gradients(batch, "classification", key, 0.5)[1] for key in (1, 2)]
    check_gradients(gradients, {name: parts_of[0][name] + parts_of[1][name] + 1.0 for name in values})


def test_parameters_apart_in_memory_give_the_same_as_side_by_side():
    parts, values, gradients = setting("BERT")
    apart = {name: value.clone() for name, value in values.items()}, {n: g.clone() for n, g in gradients.items()}
    batch = batch_of(LENGTHS)
    losses = [
        CompiledEncoder(parts, *both).backward(batch, "classification", 3, 1.0) for both in ((values, gradients), apart)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=SEVERAL_LAYERS)
    check_gradients(apart[1], gradients)


@pytest.mark.parametrize(
    "frozen",
    [
        ["embeddings"],
        ["embeddings", "layer.0."],
        ["embeddings", "layer.0.", "layer.1.", "layer.2."],
        ["bert."],
        ["word_embeddings"],
        ["layer.1.attention.self.key"],
        ["LayerNorm", "bias"],
    ],
    ids=" ".join,
)
def test_what_is_frozen_gets_no_gradient_and_the_rest_its_own(frozen):
    parts, values, gradients = setting("BERT")
    trained = {name: g for name, g in gradients.items() if not any(word in name for word in frozen)}
    batch = batch_of(LENGTHS)
    CompiledEncoder(parts, values, trained).backward(batch, "classification", 3, 1.0)
    check_gradients(gradients, Reference(parts, values).gradients(batch, "classification", 3, 1.0)[1], trained)
    assert not any(gradients[name].any() for name in gradients.keys() - trained.keys())


def test_memory_of_a_larger_batch_does_not_reach_a_smaller_one():
    parts, values, gradients = setting("BERT")
    encoder, small, large = CompiledEncoder(parts, values, gradients), batch_of([3, 9]), batch_of([30, 60], seed=1)
    fresh = encoder.backward(small, "classification", 1, 1.0), encoder.logits(small)
    encoder.backward(large, "classification", 2, 1.0)
    encoder.logits(large)
    assert encoder.backward(small, "classification", 1, 1.0) == fresh[0]
    assert torch.equal(encoder.logits(small), fresh[1])


def test_logits_do_not_depend_on_the_company():
    parts, values, gradients = setting("BERT")
    lengths = np.sort(np.random.default_rng(3).integers(1, 60, 100))  # more than is computed at once
    batch = batch_of(lengths)
    found = CompiledEncoder(parts, values, gradients).logits(batch)
    torch.testing.assert_close(found, Reference(parts, values).logits(batch), atol=SEVERAL_LAYERS, rtol=0)


def test_a_diverged_model_has_a_loss_that_is_no_number():
    parts, values, gradients = setting("BERT")
    values["bert.encoder.layer.0.output.dense.weight"][0, 0] = math.nan
    assert math.isnan(CompiledEncoder(parts, values, gradients).backward(batch_of(LENGTHS), "classification", 1, 1.0))


@pytest.mark.slow
def test_fifty_steps_of_training_stay_together():
    parts, values, gradients = setting("BERT")
    for name, value in values.items():
        if name.startswith("bert") and value.dim() == 2:
            value.mul_(0.2)  # as a pretrained model has them: training that diverges takes any two computations apart
    theirs = {name: torch.nn.Parameter(value.clone()) for name, value in values.items()}
    encoder, found, expected = CompiledEncoder(parts, values, gradients), [], []
    optimizer = torch.optim.AdamW(theirs.values(), lr=1e-3, weight_decay=0.01)
    moments = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in values.items()}
    for step in range(1, 51):
        batch = batch_of(LENGTHS, seed=step % 4)
        found.append(encoder.backward(batch, "classification", step, 1.0))
        for name, value in values.items():
            kernels.adamw(
                value, gradients[name], *moments[name], lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01,
                correction1=1 - 0.9**step, correction2=1 - 0.999**step,
            )  # fmt: skip
        loss = F.cross_entropy(Reference(parts, theirs).logits(batch, step), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(float(loss.detach()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=drift(50))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"activation": "relu"}, "activation is relu"),
        ({"relative": "bias"}, "relative positions"),
        ({"heads": 4}, "multiples of 8"),
        ({"inner": 71}, "multiples of 8"),
    ],
)
def test_architectures_that_the_kernels_lack_are_named(changes, words):
    parts, values, gradients = setting("BERT")
    parts = dataclasses.replace(parts, **changes)
    assert words in objection(parts)
    with pytest.raises(ValueError, match=words):
        CompiledEncoder(parts, values, gradients)
