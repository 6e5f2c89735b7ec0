"""Do a recipe's switches work from the command line, and is each wrong one refused before anything is written?"""

import json

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from seedwise import Study
from seedwise.training.model import load_model


@pytest.fixture
def request_with(seedwise, rows, model, tmp_path):
    """Asks for a small study with these settings; returns what was said, and the folder."""

    def run(*settings, chosen=model, name="study"):
        files = [f"--{split}={rows / split}.csv" for split in ("train", "validation")]
        common = ("batch_size=8", "num_train_steps=4", "evaluations=every 2 steps", "learning_rate=2e-3")
        arguments = [word for setting in (*common, *settings) for word in ("--set", setting)]
        columns = ("--text", "text", "--label", "label", "--model", chosen, "--seeds", 1, "--workers", 1)
        return seedwise("run", tmp_path / name, *files, *columns, *arguments), tmp_path / name

    return run


REFUSED = [
    (["reinit_layers=9"], "reinit_layers must be at most 2, the number of blocks of "),
    (["freeze_layers=3"], "freeze_layers must be at most 2, the number of blocks of "),
    (["reinit_layers=2", "freeze_layers=1"], "freeze_layers = 1 and reinit_layers = 2 contradict each other"),
    (["reinit_layers=-1"], "reinit_layers must be a whole number of at least 0, not -1."),
    (["mixout=1.5"], "mixout must be in [0, 1], not 1.5; it is a probability, and 0 is no mixout."),
    (["mixout=0.5", "lora_rank=2"], "mixout = 0.5 and lora_rank = 2 contradict each other"),
    (["lora_targets=query"], "lora_targets needs lora_rank, which is 0"),
    (["lora_rank=2", "lora_targets=query,quarry"], "not quarry; name some of query, key, value, dense."),
    (["track=distances"], "not 'distances'; did you mean 'distance'."),
    (["layerwise_lr_decay=0"], "layerwise_lr_decay must be in (0, 1], not 0; 1 is one learning rate for all layers."),
    (["start_from=/nowhere/at/all"], "a model on the hub, not '/nowhere/at/all', where there is none"),
    (["max_step=200"], "has no key 'max_step'"),
]


@pytest.mark.parametrize(
    ("settings", "words"), REFUSED, ids=lambda part: " ".join(part) if isinstance(part, list) else ""
)
def test_it_is_refused_in_one_sentence_and_nothing_is_written(request_with, settings, words):
    if "lora_rank=2" in settings:
        pytest.importorskip("peft", reason="needs the extra [lora]")
    said, folder = request_with(*settings)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.startswith("seedwise: ")
    assert said.err.count("\n") == 1
    assert not folder.exists()


def test_a_starting_point_of_another_size_is_refused_and_nothing_is_written(request_with):
    said, folder = request_with("start_from=embedded")
    assert said.code == 2
    assert "start_from must fit the model" in said.err
    assert "whose hidden_size is 32, but embedded has 128;" in said.err
    assert not folder.exists()


@pytest.mark.slow
def test_a_study_with_lora_is_the_starting_point_of_another_with_many_switches(request_with):
    pytest.importorskip("peft", reason="needs the extra [lora]")
    said, first = request_with("lora_rank=2", "layerwise_lr_decay=0.9", "track=distance,bias_ratio", name="first")
    assert said.code == 0
    assert said.err == (
        "all trials run on the plain engine, so that they share dropout masks: toy on train has no other (LoRA puts matrices "
        "beside the weights).\n"
    )
    settings = ("mixout=0.3", "reinit_layers=1", "pretrained_weight_decay=0.1", "track=distance,gradient_norm")
    said, second = request_with(f"start_from={first}", *settings, name="second")
    assert (said.code, said.err) == (0, "")
    for folder, names in ((first, {"distance": 2, "bias_ratio": 1}), (second, {"distance": 2, "gradient_norm": 1})):
        with Study.open(folder) as study:
            (record,) = study.trials
            tracked = study.tracked(record.id)
            assert {name: values.shape for name, values in tracked.items()} == {n: (4, k) for n, k in names.items()}
            assert all(torch.from_numpy(values).isfinite().all() for values in tracked.values())
    assert "peft" not in json.dumps(json.loads((first / "best" / "config.json").read_text()))
    with Study.open(second) as study:
        (record,) = study.trials
        began = load_model(record.trial.recipe, label_names=("bad", "good"), init_seed=1).model
    given = AutoModelForSequenceClassification.from_pretrained(first / "best", dtype=torch.float32)
    assert torch.equal(began.bert.embeddings.word_embeddings.weight, given.bert.embeddings.word_embeddings.weight)
    assert torch.equal(began.bert.pooler.dense.weight, given.bert.pooler.dense.weight)
    assert not torch.equal(began.classifier.weight, given.classifier.weight)
