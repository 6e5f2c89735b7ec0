"""The plain loop in its reference mode: the library's model with eager attention, whose dropout keeps what ours keeps."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.nn import functional

from families import FAMILIES, save_family
from seedwise.engines.architecture import Dropout, architecture
from seedwise.training import loop, plain
from seedwise.training.hashed_masks import keep, line_keys, step_key, threshold
from seedwise.training.randomness import permutation
from toys import toy_task

SUPPORTED = ["BERT", "RoBERTa", "XLM-R", "ELECTRA", "DistilBERT", "MPNet"]


@pytest.fixture(scope="module", params=SUPPORTED)
def family(request, tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"), FAMILIES[request.param])


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return toy_task(tmp_path_factory.mktemp("task"))


def sites_of(parts):
    """The sites in the order in which the library's model drops numbers."""
    blocks = range(len(parts.blocks))
    inside = [1, 3] if "transformer.layer" in parts.blocks[0].query else [1, 2, 3]  # DistilBERT lacks one
    heads = sum(isinstance(part, Dropout) for part in parts.head)
    return [
        0,
        *(3 * k + site for k in blocks for site in inside),
        *range(1 + 3 * len(blocks), 1 + 3 * len(blocks) + heads),
    ]


@pytest.fixture
def reference(monkeypatch):
    """A function that begins a trial on the plain path in its reference mode."""
    state = {}
    batch_of = plain._batch

    def noting(rows, chosen, padding, device):
        state["chosen"] = chosen
        return batch_of(rows, chosen, padding, device)

    @contextmanager
    def ours(dropout_seed, step, _part, _device):
        trial, data = state["trial"], state["data"]
        place = (step - 1) % trial.recipe.steps_per_epoch(len(data.train))
        epoch = (step - 1) // trial.recipe.steps_per_epoch(len(data.train))
        size = trial.recipe.step_rows
        rows = permutation(trial.seeds.order, epoch, len(data.train))[place * size : (place + 1) * size].tolist()
        slots = np.array([rows.index(row) for row in state["chosen"]])
        sites = iter(state["sites"])
        key = np.int64(step_key(dropout_seed, step))

        def dropout(x, p=0.5, training=True, inplace=False):  # noqa: ARG001 - torch's signature
            if not training:
                return x
            site = next(sites)
            if p == 0:
                return x
            lines = [np.arange(n) for n in x.shape[1:-1]] or [np.zeros(1, dtype=np.int64)]
            if len(lines) == 2:  # attention: heads and queries
                lines = [lines[0][:, None] * 2**16 + lines[1]]
            where = slots.reshape(-1, *(1,) * (lines[0].ndim))
            keys = line_keys(key, site, where, lines[0]).reshape(x.shape[:-1])
            return x * torch.from_numpy(keep(keys, x.shape[-1], threshold(p))) / (1 - p)

        with monkeypatch.context() as patch:
            patch.setattr(functional, "dropout", dropout)
            yield

    def begin(trial, data):
        training = loop.begin(trial, data)
        training.model.set_attn_implementation("eager")
        state.update(trial=trial, data=data, sites=sites_of(architecture(training.model.config)))
        return training

    monkeypatch.setattr(plain, "_batch", noting)
    monkeypatch.setattr(plain, "dropout_masks", ours)
    return begin
