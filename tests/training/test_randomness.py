"""Do the three streams share nothing: not with each other, not with a neighbouring seed, not with another epoch?"""

import hashlib

import numpy as np
import pytest
import torch
from scipy import stats

from seedwise import Seeds
from seedwise.training.loop import begin
from seedwise.training.randomness import dropout_masks, fingerprint, normal, permutation


def test_no_two_of_2000_seeds_x_5_epochs_share_an_order():
    orders = {hashlib.sha256(permutation(s, e, 50).tobytes()).digest() for s in range(2000) for e in range(5)}
    assert len(orders) == 2000 * 5


def test_an_order_holds_every_row_once():
    assert np.array_equal(np.sort(permutation(3, 1, 1000)), np.arange(1000))


def test_orders_are_uniform():
    first = [permutation(seed, 0, 10)[0] for seed in range(5000)]
    assert stats.chisquare(np.bincount(first, minlength=10)).pvalue > 1e-4


def test_neighbouring_seeds_and_epochs_are_uncorrelated():
    pairs = [(permutation(s, 0, 500), permutation(s + 1, 0, 500)) for s in range(200)]
    pairs += [(permutation(s, 1, 500), permutation(s + 1, 0, 500)) for s in range(200)]
    correlations = [stats.spearmanr(a, b).statistic for a, b in pairs]
    assert abs(np.mean(correlations)) < 5 / np.sqrt(500 * len(pairs))


def test_this_order_never_changes():
    # Philox's bits are promised by NumPy; a study resumed years later must find its order again.
    assert permutation(1, 0, 10).tolist() == [3, 6, 4, 2, 5, 9, 7, 1, 8, 0]


def test_new_parameters_are_normal():
    drawn = normal(1, "classifier.weight", (100, 100), 0.02).numpy().ravel()
    assert drawn.dtype == np.float32
    assert stats.kstest(drawn / 0.02, "norm").pvalue > 1e-4


def test_two_parameters_of_one_seed_differ():
    assert not torch.equal(normal(1, "a", (4, 4), 0.02), normal(1, "b", (4, 4), 0.02))


def test_the_head_of_a_seed_is_the_same_whatever_the_other_seeds(trial, data):
    from dataclasses import replace

    a = begin(replace(trial, seeds=Seeds(5, 1)), data).model.classifier.weight
    b = begin(replace(trial, seeds=Seeds(5, 9)), data).model.classifier.weight
    assert torch.equal(a, b)


def test_only_the_head_is_drawn(trial, data):
    from dataclasses import replace

    models = [begin(replace(trial, seeds=Seeds(seed, 1)), data).model for seed in (1, 2)]
    pairs = zip(models[0].named_parameters(), models[1].parameters(), strict=True)
    changed = {name for (name, a), b in pairs if not torch.equal(a, b)}
    assert changed == {"classifier.weight", "bert.pooler.dense.weight"}  # the toy checkpoint has no pooler


def test_dropout_masks_depend_on_seed_step_and_part_alone():
    def mask(*place):
        with dropout_masks(*place, torch.device("cpu")):
            return torch.nn.functional.dropout(torch.ones(64), 0.5)

    assert torch.equal(mask(1, 1, 0), mask(1, 1, 0))
    others = [mask(2, 1, 0), mask(1, 2, 0), mask(1, 1, 1)]
    assert not any(torch.equal(mask(1, 1, 0), other) for other in others)


@pytest.mark.parametrize("stream", ["init", "order", "dropout"])
def test_changing_one_seed_changes_only_its_stream(trial, data, stream):
    from dataclasses import replace

    seeds = {"init": 1, "order": 1, "dropout": 1}
    a = begin(replace(trial, seeds=Seeds(**seeds)), data).fingerprint
    b = begin(replace(trial, seeds=Seeds(**{**seeds, stream: 2})), data).fingerprint
    assert {name for name in a if a[name] != b[name]} == {stream}


def test_fingerprints_of_many_seeds_are_distinct():
    head = {"w": torch.zeros(2)}
    found = [fingerprint(Seeds(0, seed), head, 100, torch.device("cpu")) for seed in range(200)]
    assert len({f["order"] for f in found}) == len({f["dropout"] for f in found}) == 200
