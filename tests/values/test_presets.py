"""Do the published recipes say what the papers say?"""

import pytest

from seedwise import Recipe
from seedwise.training.optimizer import learning_rate
from seedwise.values.presets import PRESETS

# Zhang et al. (2021), Table 6, as printed: learning rate, steps, batch size, steps of warm-up.
IN_STEPS = {
    "xlnet-rte": (3e-5, 800, 32, 200),
    "xlnet-mrpc": (5e-5, 800, 32, 200),
    "xlnet-stsb": (5e-5, 3000, 32, 500),
    "xlnet-cola": (3e-5, 1200, 128, 120),
    "roberta-rte": (2e-5, 2036, 16, 122),
    "roberta-mrpc": (1e-5, 2296, 16, 137),
    "roberta-stsb": (2e-5, 3598, 16, 214),
    "roberta-cola": (1e-5, 5336, 16, 320),
    "bart-rte": (1e-5, 1018, 32, 61),
    "bart-mrpc": (2e-5, 1148, 64, 68),
    "bart-stsb": (2e-5, 1799, 32, 107),
    "bart-cola": (2e-5, 1334, 64, 80),
}
# The same of ELECTRA: learning rate, epochs; batches of 32, 10 % warm-up and a decay of 0.9 by layer in every row.
IN_EPOCHS = {
    "electra-rte": (5e-5, 10),
    "electra-mrpc": (5e-5, 3),
    "electra-stsb": (5e-5, 10),
    "electra-cola": (5e-5, 3),
}
TRAIN_ROWS = {"rte": 2490, "mrpc": 3668, "stsb": 5749, "cola": 8551}


def recipe_of(name):
    return Recipe.preset(f"zhang2021-{name}", model="m")


def peak(recipe, train_rows):
    """Return the steps that are done when the learning rate is the greatest."""
    steps = recipe.steps(train_rows)
    rates = [learning_rate(recipe, step, steps) for step in range(1, steps + 1)]
    assert max(rates) == recipe.learning_rate
    return rates.index(max(rates))


def test_every_model_and_task_of_table_6_is_there():
    models, tasks = ("xlnet", "roberta", "electra", "bart"), ("rte", "mrpc", "stsb", "cola")
    told = {name.removeprefix("zhang2021-") for name in PRESETS if name.startswith("zhang2021-")}
    assert told == {f"{model}-{task}" for model in models for task in tasks} == set(IN_STEPS) | set(IN_EPOCHS)


@pytest.mark.parametrize("name", IN_STEPS)
def test_a_row_in_steps_is_the_tables(name):
    rate, steps, batch_size, warmup = IN_STEPS[name]
    recipe = recipe_of(name)
    train_rows = TRAIN_ROWS[name.rpartition("-")[2]]
    assert (recipe.learning_rate, recipe.steps(train_rows), recipe.batch_size) == (rate, steps, batch_size)
    assert peak(recipe, train_rows) == warmup
    assert recipe.layerwise_lr_decay == 1


@pytest.mark.parametrize("name", IN_EPOCHS)
def test_a_row_in_epochs_is_the_tables(name):
    rate, epochs = IN_EPOCHS[name]
    recipe = recipe_of(name)
    assert (recipe.learning_rate, recipe.num_train_epochs, recipe.batch_size) == (rate, epochs, 32)
    assert (recipe.num_train_steps, recipe.warmup_ratio, recipe.layerwise_lr_decay) == (None, 0.1, 0.9)


@pytest.mark.parametrize("name", [*IN_STEPS, *IN_EPOCHS])
def test_all_else_is_the_set_up_of_section_3(name):
    told = "learning_rate num_train_epochs num_train_steps batch_size warmup_ratio layerwise_lr_decay".split()
    plain, own = Recipe.preset("zhang2021", model="m").to_json(), recipe_of(name).to_json()
    assert {field: own[field] for field in own if field not in told} == {
        field: plain[field] for field in plain if field not in told
    }


def test_berts_own_row_is_zhang2021_itself():
    recipe = Recipe.preset("zhang2021", model="m")
    assert (recipe.learning_rate, recipe.num_train_epochs, recipe.batch_size) == (2e-5, 3, 32)
    assert (recipe.warmup_ratio, recipe.bias_correction, recipe.weight_decay) == (0.1, True, 0)
    assert (recipe.max_grad_norm, recipe.max_length, len(recipe.evaluation_steps(2490))) == (1, 128, 10)


def test_dodges_recipe_is_bertadam_with_ten_evaluations_an_epoch():
    recipe = Recipe.preset("dodge2020", model="m")
    assert (recipe.learning_rate, recipe.num_train_epochs, recipe.batch_size) == (2e-5, 3, 16)
    assert (recipe.bias_correction, recipe.weight_decay, recipe.warmup_ratio) == (False, 0.01, 0.1)
    assert len(recipe.evaluation_steps(2490)) == 30


def test_mosbachs_recipe_trains_long_with_bias_correction():
    recipe = Recipe.preset("mosbach2021", model="m")
    assert (recipe.learning_rate, recipe.num_train_epochs, recipe.batch_size) == (2e-5, 20, 16)
    assert (recipe.bias_correction, recipe.weight_decay) == (True, 0.01)
