"""Do any two switches of a recipe work together, and does each of them do something?"""

import math
from itertools import combinations

import pytest
import torch

from families import FAMILIES, save_family
from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.training.loop import begin, train
from seedwise.values.recipe import TRACKED
from toys import toy_recipe, toy_task

pytestmark = pytest.mark.slow  # trains each pair of switches


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return toy_task(tmp_path_factory.mktemp("rows"), rows=24, test=False)


@pytest.fixture(scope="module")
def trial_of(tmp_path_factory, rows):
    """Two steps of a tiny BERT with a pooler, with some switches on."""
    folder = save_family(tmp_path_factory.mktemp("family"), FAMILIES["BERT"])
    plain = toy_recipe(folder, num_train_steps=2, warmup_ratio=0.0, evaluations="every 2 steps")
    return lambda **switches: Trial(rows, plain.with_changes(**switches), Seeds(1, 1))


def two_steps(trial):
    """What a trial measures in two steps, after a check that all that is trained has moved."""
    training = begin(trial, tokenize(trial.task, trial.recipe.model, trial.recipe.max_length))
    before = {name: p.detach().clone() for name, p in training.parameters.items()}
    measured = list(train(training))
    matrices = [name for name, p in training.parameters.items() if p.dim() == 2 and ".lora_A." not in name]
    moved = [name for name in matrices if not torch.equal(training.parameters[name], before[name])]
    assert len(moved) > 0.8 * len(matrices)  # the rows of a few embeddings are not read at all
    return measured


def all_finite(measured):
    tracked = [value for m in measured for values in (m.tracked or {}).values() for value in values]
    return all(math.isfinite(number) for number in [m.loss for m in measured] + tracked)


EACH = {
    "reinit_layers": 1,
    "reinit_pooler": True,
    "layerwise_lr_decay": 0.8,
    "weight_decay": 0.2,
    "pretrained_weight_decay": 0.1,
    "mixout": 0.4,
    "bias_correction": False,
    "freeze_layers": 1,
    "lora_rank": 2,
    "dropout": 0.2,
    "dtype": "bfloat16",
    "gradient_accumulation_steps": 2,
    "max_grad_norm": 0.1,
    "track": TRACKED,
}
CONTRADICTIONS = {
    frozenset({"lora_rank", other})
    for other in ("reinit_layers", "reinit_pooler", "freeze_layers", "mixout", "pretrained_weight_decay")
}
ALONE = {"weight_decay", "dropout", "max_grad_norm"}  # older than the switches, and known to go with all
PAIRS = [
    pair for pair in combinations(EACH, 2) if frozenset(pair) not in CONTRADICTIONS and not ALONE.intersection(pair)
]


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_any_two_switches_work_together(trial_of, pair):
    if "lora_rank" in pair:
        pytest.importorskip("peft", reason="needs the extra [lora]")
    assert all_finite(two_steps(trial_of(**{name: EACH[name] for name in pair})))


@pytest.mark.parametrize("name", [name for name in EACH if name != "track"])
def test_each_switch_does_something(trial_of, name):
    """By the second step its loss or its weights are others than without it."""
    if name == "lora_rank":
        pytest.importorskip("peft", reason="needs the extra [lora]")

    def final(trial):
        training = begin(trial, tokenize(trial.task, trial.recipe.model, trial.recipe.max_length))
        losses = [m.loss for m in train(training)]
        return losses, training.model.classifier.weight.detach(), training.model.bert.pooler.dense.weight.detach()

    plain, switched = final(trial_of()), final(trial_of(**{name: EACH[name]}))
    same = [plain[0] == switched[0], torch.equal(plain[1], switched[1]), torch.equal(plain[2], switched[2])]
    assert not all(same)
