"""Does the packed path compute what the plain loop computes, when both keep the same numbers?"""

import pytest

from curves import close, curves
from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.fused.begin import begin
from toys import toy_recipe


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.0}], ids=["dropout", "none"])
def test_each_family_has_the_losses_and_evaluations_of_the_plain_loop(family, task, changes, reference):
    recipe = toy_recipe(family, num_train_steps=50, learning_rate=5e-4, evaluations="every 10 steps", **changes)
    data = tokenize(task, recipe.model, recipe.max_length)
    trial = Trial(task, recipe, Seeds(1, 2))
    close(curves(begin(trial, data)), curves(reference(trial, data)))
