"""Do recipes and trials keep their ids? Stored studies are found again by them; these were computed by 684e371."""

import pytest

from seedwise import Recipe, Seeds, Task, Trial
from seedwise.values.imported import ImportedRecipe, ImportedTask, ImportedTrial

RECIPES = {
    "f96471a439168354": Recipe(model="m"),
    "aec31a9773098d5b": Recipe.preset("dodge2020", model="google-bert/bert-large-uncased"),
    "3ce7440cfb33cf24": Recipe(
        model="m",
        num_train_steps=100,
        reinit_layers=2,
        reinit_pooler=True,
        mixout=0.5,
        layerwise_lr_decay=0.9,
        pretrained_weight_decay=0.1,
        freeze_layers=1,
        start_from="s",
        track=("distance",),
        dropout=0,
        evaluations="every 100 steps",
    ),
    "91ad89f7399d058c": Recipe(model="m", lora_rank=8, lora_alpha=32, lora_targets=("query", "value")),
}
TRIALS = {
    "699f9c60cf075fca": Trial(Task.glue("rte"), Recipe.preset("zhang2021", model="m"), Seeds(1, 2)),
    "5cd366011dd2541b": Trial(Task.embedded("entailment"), Recipe(model="embedded"), Seeds(1, 2, 3)),
    "b8d86396c3b72969": ImportedTrial(
        ImportedTask("RTE", "accuracy"), ImportedRecipe("plain", {"learning_rate": 2e-5}), Seeds(1, 2)
    ),
}


@pytest.mark.parametrize("known", RECIPES | TRIALS)
def test_id(known):
    assert (RECIPES | TRIALS)[known].id == known
