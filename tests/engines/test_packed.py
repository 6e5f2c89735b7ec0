"""Do the engines packed and compiled compute what the plain loop computes, when all keep the same numbers?"""

import pytest
import torch

from curves import close, curves, split
from seedwise import Recipe, Seeds, Splits, Task, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines import kernels
from seedwise.engines.engine import COMPILED, PACKED
from seedwise.errors import CheckpointError, RequestError
from seedwise.executors.workers.export import export_model
from seedwise.training import loop
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from seedwise.training.loop import train
from seedwise.values.recipe import TRACKED
from tolerances import SEVERAL_LAYERS, drift
from toys import toy_model, toy_recipe, toy_task

pytestmark = pytest.mark.slow  # whole trainings of every family, beside the plain loop

needs_kernels = pytest.mark.skipif(not kernels.available(), reason=str(kernels.reason()))
WITHOUT_PADDING = [PACKED, pytest.param(COMPILED, marks=needs_kernels)]
SWITCHES = {
    "decay": {"weight_decay": 0.1, "adam_beta2": 0.98},
    "uncorrected": {"bias_correction": False, "max_grad_norm": 0.3},
    "reinit": {"reinit_layers": 1, "reinit_pooler": True},
    "rates": {"layerwise_lr_decay": 0.8},
    "home": {"pretrained_weight_decay": 0.2},
    "mixout": {"mixout": 0.7},
    "frozen": {"freeze_layers": 1},
    "accumulated": {"batch_size": 3, "gradient_accumulation_steps": 3},
    "all": {"mixout": 0.3, "pretrained_weight_decay": 0.1, "bias_correction": False, "layerwise_lr_decay": 0.9}
    | {"reinit_layers": 1, "weight_decay": 0.05, "track": TRACKED, "dropout": 0.2},
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A toy model's task, recipe and rows; its widths suit the kernels."""
    folder = tmp_path_factory.mktemp("toy")
    task = toy_task(folder / "task")
    recipe = toy_recipe(
        toy_model(folder / "model"), num_train_steps=50, learning_rate=5e-4, evaluations="every 10 steps"
    )
    return task, recipe, tokenize(task, recipe.model, recipe.max_length)


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.0}], ids=["dropout", "none"])
def test_each_family_has_the_losses_and_evaluations_of_the_plain_loop(family, task, changes, reference):
    recipe = toy_recipe(family, num_train_steps=50, learning_rate=5e-4, evaluations="every 10 steps", **changes)
    data = tokenize(task, recipe.model, recipe.max_length)
    trial = Trial(task, recipe, Seeds(1, 2))
    close(curves(PACKED.begin(trial, data)), curves(reference(trial, data)))


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
@pytest.mark.parametrize("changes", SWITCHES.values(), ids=SWITCHES)
def test_each_switch_does_what_it_does_in_the_plain_loop(toy, engine, changes, reference):
    task, recipe, data = toy
    trial = Trial(task, recipe.with_changes(num_train_steps=20, **changes), Seeds(3, 4))
    ours, theirs = engine.begin(trial, data), reference(trial, data)
    mine, plain = list(train(ours)), list(train(theirs))
    close(split(mine), split(plain))
    for one, other in zip(mine, plain, strict=True):
        for name in one.tracked or {}:  # norms of small gradients and short ways, of which digits have cancelled out
            assert one.tracked[name] == pytest.approx(other.tracked[name], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
def test_a_regression_is_trained_alike(toy, tmp_path, engine, reference):
    task = toy_task(tmp_path, label="value", kind="regression", metric="pearson_spearman")
    recipe = toy[1]
    data = tokenize(task, recipe.model, recipe.max_length)
    trial = Trial(task, recipe, Seeds(1, 1))
    ours, theirs = engine.begin(trial, data), reference(trial, data)
    close((curves(ours)[0], []), (curves(theirs)[0], []))
    # Not the correlations: predictions that hardly differ have ranks that a rounding error turns over.
    mine, plain = (training.computation.logits(data.validation) for training in (ours, theirs))
    assert mine == pytest.approx(plain, abs=drift(50))


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.0}], ids=["dropout", "none"])
def test_mixed_precision_stays_near_full_precision(toy, changes):
    """Weights and moments are float32: the losses differ by what bfloat16 rounds, 8 bits, and do not drift."""
    task, recipe, data = toy
    full, mixed = (
        curves(PACKED.begin(Trial(task, recipe.with_changes(dtype=dtype, **changes), Seeds(1, 1)), data), 30)[0]
        for dtype in ("float32", "bfloat16")
    )
    differences = [abs(a - b) for a, b in zip(full, mixed, strict=True)]
    assert 0 < max(differences) < 0.05


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
def test_without_our_masks_the_two_differ(toy, engine):
    """The proof above would show a difference: with the library's own dropout the losses are others."""
    task, recipe, data = toy
    trial = Trial(task, recipe, Seeds(1, 1))
    ours, theirs = (curves(start, 10)[0] for start in (engine.begin(trial, data), loop.begin(trial, data)))
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > 1e-3


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
@pytest.mark.parametrize("task", ["entailment", "acceptability", "similarity"])
def test_whole_trials_of_the_embedded_tasks_end_at_the_plain_scores(engine, task, reference):
    where = Task.embedded(task)
    recipe = Recipe(model="embedded", learning_rate=5e-4, num_train_epochs=1, evaluations="2 per epoch")
    data = tokenize(where, recipe.model, recipe.max_length)
    trial = Trial(where, recipe, Seeds(1, 1))
    ours, theirs = engine.begin(trial, data), reference(trial, data)
    losses, mine = curves(ours)
    plain, other = curves(theirs)
    assert losses == pytest.approx(plain, abs=10 * drift(len(plain)))
    row = 4 / len(data.validation)  # where two logits are equal to rounding, the answer to a row may turn over
    assert mine[-1][where.metric] == pytest.approx(other[-1][where.metric], abs=row)
    assert loop.at_best(ours)[0] == pytest.approx(loop.at_best(theirs)[0], abs=4 / len(data.test))


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
def test_pausing_after_any_step_changes_nothing(toy, tmp_path, engine):
    task, recipe, data = toy
    trial = Trial(task, recipe.with_changes(mixout=0.2, num_train_steps=12, evaluations="every 3 steps"), Seeds(5, 6))

    def start(*arguments):
        return engine.begin(*arguments)

    whole = curves(start(trial, data))
    training, found = start(trial, data), ([], [])
    for step in range(1, 13):
        losses, evaluations = curves(training, step)
        found[0].extend(losses)
        found[1].extend(evaluations)
        save_checkpoint(training, tmp_path / "checkpoint")
        training = load_checkpoint(trial, data, tmp_path / "checkpoint", begin=start)
    assert found == whole


def test_a_checkpoint_goes_on_with_the_masks_that_it_was_written_with(toy, tmp_path):
    task, recipe, data = toy
    trial = Trial(task, recipe, Seeds(1, 1))
    training = loop.begin(trial, data)
    list(train(training, 2))
    save_checkpoint(training, tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="masks it was trained with"):
        load_checkpoint(trial, data, tmp_path / "checkpoint", begin=PACKED.begin)


@needs_kernels
def test_a_packed_checkpoint_goes_on_compiled(toy, tmp_path):
    task, recipe, data = toy
    trial = Trial(task, recipe, Seeds(1, 1))
    whole = curves(PACKED.begin(trial, data), 20)
    training = PACKED.begin(trial, data)
    before = curves(training, 10)
    save_checkpoint(training, tmp_path / "checkpoint")
    again = load_checkpoint(trial, data, tmp_path / "checkpoint", begin=COMPILED.begin)
    after = curves(again, 20)
    close([before[i] + after[i] for i in (0, 1)], whole)


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
@pytest.mark.parametrize(
    "changes",
    [
        {"weight_decay": 20.0},
        {"pretrained_weight_decay": 20.0},
        {"weight_decay": 20.0, "pretrained_weight_decay": 20.0, "layerwise_lr_decay": 0.8},
    ],
)
def test_the_winner_has_every_word_as_the_plain_loop_leaves_it(toy, tmp_path, engine, changes, reference):
    """Also the words that no row holds: they have moved by weight decay alone."""
    task, recipe, _ = toy
    trial = Trial(task, recipe.with_changes(learning_rate=2e-3, **changes), Seeds(1, 1))
    data = tokenize(toy_task(tmp_path / "small", rows=8, test=False), recipe.model, recipe.max_length)
    ours, theirs = engine.begin(trial, data), reference(trial, data)
    for training, name in ((ours, "ours"), (theirs, "theirs")):
        list(train(training, 20))
        save_weights(training, tmp_path / name)
    from safetensors.torch import load_file

    mine, plain = load_file(tmp_path / "ours"), load_file(tmp_path / "theirs")
    assert ours.best.step == theirs.best.step
    assert mine.keys() == plain.keys()
    for name, weight in plain.items():
        assert mine[name].shape == weight.shape
        torch.testing.assert_close(
            mine[name], weight, rtol=0, atol=20 * 2e-3 / 1000
        )  # a thousandth of the way of 20 steps: tiny gradients have few true digits


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
def test_a_padding_token_in_a_text_learns_nothing_as_in_the_library(toy, tmp_path, engine, reference):
    recipe = toy[1].with_changes(num_train_steps=10)
    rows = [("[PAD] was bright", "good"), ("the [PAD] was cold", "bad")] * 8
    for name in ("train", "validation"):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "".join(f"{t},{label}\n" for t, label in rows))
    files = {"text": "text", "label": "label", "splits": Splits()}
    task = Task.files(tmp_path / "train.csv", validation=tmp_path / "validation.csv", **files)
    data = tokenize(task, recipe.model, recipe.max_length)
    trial = Trial(task, recipe, Seeds(1, 1))
    assert data.pad_id in data.train.ids
    close(curves(engine.begin(trial, data)), curves(reference(trial, data)))


def test_only_words_that_occur_are_held(toy, tmp_path):
    task, recipe, _ = toy
    data = tokenize(toy_task(tmp_path, rows=4, test=False), recipe.model, recipe.max_length)
    held = PACKED.begin(Trial(task, recipe, Seeds(1, 1)), data).parameters["bert.embeddings.word_embeddings.weight"]
    occurring = set(data.train.ids.tolist()) | set(data.validation.ids.tolist())
    assert len(held) == len(occurring) < data.vocabulary


@pytest.mark.parametrize("engine", WITHOUT_PADDING, ids=str)
def test_the_winner_is_handed_out_as_a_plain_model(toy, tmp_path, engine):
    from transformers import AutoModelForSequenceClassification

    from seedwise.training.plain import predict

    task, recipe, data = toy
    training = engine.begin(Trial(task, recipe, Seeds(1, 1)), data)
    list(train(training, 20))
    save_weights(training, tmp_path / "weights")
    export_model(training.trial, data.folder, tmp_path / "weights", tmp_path / "best", {})
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "best")
    logits = predict(model, data.validation, data)
    assert logits == pytest.approx(training.best.logits, abs=SEVERAL_LAYERS)


def test_a_seed_changes_its_own_stream_alone(toy):
    task, recipe, data = toy
    drawn = [
        PACKED.begin(Trial(task, recipe, seeds), data).fingerprint for seeds in (Seeds(1, 1), Seeds(2, 1), Seeds(1, 2))
    ]
    assert drawn[0]["init"] != drawn[1]["init"]
    assert drawn[0]["order"] == drawn[1]["order"] != drawn[2]["order"]
    assert drawn[0]["dropout"] == drawn[1]["dropout"] != drawn[2]["dropout"]


def test_looking_more_often_changes_nothing(toy):
    task, recipe, data = toy
    seldom, often = (
        curves(PACKED.begin(Trial(task, recipe.with_changes(evaluations=when), Seeds(1, 1)), data), 20)[0]
        for when in ("every 20 steps", "every 1 steps")
    )
    assert seldom == often


@pytest.mark.parametrize(("changes", "says"), [({"lora_rank": 2}, "LoRA"), ({"model": "ALBERT"}, "albert is none of")])
def test_what_cannot_be_trained_here_is_refused_with_the_reason(toy, tmp_path, changes, says):
    from families import FAMILIES, save_family

    task, recipe, data = toy
    if "model" in changes:
        changes = {"model": str(save_family(tmp_path, FAMILIES["ALBERT"]))}
    other = recipe.with_changes(**changes)
    assert says in PACKED.reason_against(other, "cpu")
    with pytest.raises(RequestError, match=says):
        PACKED.begin(Trial(task, other, Seeds(1, 1)), data)
