"""Does the packed path compute what the plain loop computes, when both keep the same numbers?"""

import numpy as np
import pytest
import torch

from families import FAMILIES, save_family
from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.fused.begin import begin, reason_against
from seedwise.training.loop import train
from toys import toy_model, toy_recipe, toy_task

SUPPORTED = ["BERT", "RoBERTa", "XLM-R", "ELECTRA", "DistilBERT", "MPNet"]


@pytest.fixture(scope="module", params=SUPPORTED)
def family(request, tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"), FAMILIES[request.param])


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return toy_task(tmp_path_factory.mktemp("task"))


def curves(training, steps=None):
    measured = list(train(training, steps))
    losses = np.array([m.loss for m in measured])
    return losses, [m.metrics for m in measured if m.metrics is not None]


def close(ours, theirs, tolerance=1e-5):
    losses, evaluations = ours
    their_losses, their_evaluations = theirs
    np.testing.assert_allclose(losses, their_losses, rtol=0, atol=tolerance)
    assert len(evaluations) == len(their_evaluations)
    for mine, other in zip(evaluations, their_evaluations, strict=True):
        for name in mine:
            np.testing.assert_allclose(mine[name], other[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.0}], ids=["dropout", "none"])
def test_each_family_has_the_losses_and_evaluations_of_the_plain_loop(family, task, changes, reference):
    recipe = toy_recipe(family, num_train_steps=50, learning_rate=5e-4, evaluations="every 10 steps", **changes)
    data = tokenize(task, recipe.model, recipe.max_length)
    trial = Trial(task, recipe, Seeds(1, 2))
    close(curves(begin(trial, data)), curves(reference(trial, data)))
