"""Is one trial trained like a plain Hugging Face loop, and does looking, pausing and resuming change nothing?"""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.training.checkpoint import load_checkpoint, save_checkpoint
from seedwise.training.loop import at_best, begin, train
from seedwise.training.plain import predict
from seedwise.training.randomness import permutation
from tolerances import drift
from toys import toy_recipe, toy_task

pytestmark = pytest.mark.slow  # trains beside a plain loop


def curve(trial, data, until=None):
    return list(train(begin(trial, data), until))


def losses(trial, data, until=None):
    return [measurement.loss for measurement in curve(trial, data, until)]


def plain_losses(trial, data, steps, *, bert_adam=False):
    """A loop as one would write it with transformers alone, on the same batches and from the same head."""
    recipe = trial.recipe
    ours = begin(trial, data).model
    kind = {"problem_type": "regression"} if data.kind == "regression" else {}
    model = AutoModelForSequenceClassification.from_pretrained(recipe.model, num_labels=ours.config.num_labels, **kind)
    model.load_state_dict(ours.state_dict())
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    plain, decayed = [], []
    for name, parameter in model.named_parameters():
        (plain if "bias" in name or "LayerNorm" in name else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, eps=recipe.adam_epsilon)
    total = recipe.steps(len(data.train))
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(recipe.warmup_ratio * total), total)
    moments = {}
    found = []
    model.train()
    for step in range(steps):
        epoch, place = divmod(step, recipe.steps_per_epoch(len(data.train)))
        rows = permutation(trial.seeds.order, epoch, len(data.train))[place * recipe.batch_size :][: recipe.batch_size]
        sequences = [data.train.ids[data.train.offsets[r] : data.train.offsets[r + 1]].tolist() for r in rows]
        width = max(map(len, sequences))
        ids = torch.tensor([s + [0] * (width - len(s)) for s in sequences])
        labels = torch.tensor(np.array(data.train.labels[rows]))
        loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
        if bert_adam:
            bert_adam_step(groups, moments, recipe.learning_rate * schedule.lr_lambdas[0](step), recipe)
        else:
            optimizer.step()
            schedule.step()
        model.zero_grad()
        found.append(loss.item())
    return found


def bert_adam_step(groups, moments, rate, recipe):
    """Devlin et al.'s update, written out: raw moments, decoupled decay."""
    with torch.no_grad():
        for group in groups:
            for p in group["params"]:
                m, v = moments.setdefault(p, (torch.zeros_like(p), torch.zeros_like(p)))
                m.mul_(recipe.adam_beta1).add_(p.grad, alpha=1 - recipe.adam_beta1)
                v.mul_(recipe.adam_beta2).addcmul_(p.grad, p.grad, value=1 - recipe.adam_beta2)
                p.sub_(rate * (m / (v.sqrt() + recipe.adam_epsilon) + group["weight_decay"] * p))


FIFTY = {"dropout": 0.0, "num_train_epochs": 7, "learning_rate": 1e-3}


@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
def test_fifty_steps_equal_a_plain_hugging_face_loop(task, model, bias_correction):
    recipe = toy_recipe(model, bias_correction=bias_correction, adam_epsilon=1e-6, weight_decay=0.01, **FIFTY)
    trial, data = Trial(task, recipe, Seeds(1, 2)), tokenize(task, recipe.model, 128)
    expected = plain_losses(trial, data, 50, bert_adam=not bias_correction)
    actual = losses(trial, data, 50)
    assert max(expected[:10]) - min(expected) > 0.05  # it does learn
    assert actual == pytest.approx(expected, rel=0, abs=drift(50))


def test_fifty_steps_of_regression_equal_a_plain_hugging_face_loop(tmp_path, model):
    task = toy_task(tmp_path, kind="regression", label="value")
    recipe = toy_recipe(model, **FIFTY)
    trial, data = Trial(task, recipe, Seeds(1, 2)), tokenize(task, recipe.model, 128)
    assert losses(trial, data, 50) == pytest.approx(plain_losses(trial, data, 50), rel=0, abs=drift(50))


def test_accumulated_gradients_equal_the_whole_batch(task, model):
    whole = toy_recipe(model, dropout=0.0, batch_size=8)
    parts = toy_recipe(model, dropout=0.0, batch_size=3, gradient_accumulation_steps=3)
    whole = replace(whole, batch_size=9)
    data = tokenize(task, whole.model, 128)
    a = losses(Trial(task, whole, Seeds(1, 1)), data)
    b = losses(Trial(task, parts, Seeds(1, 1)), data)
    assert b == pytest.approx(a, rel=0, abs=drift(len(a)))


def test_the_same_seeds_give_the_same_curve(trial, data):
    assert curve(trial, data) == curve(trial, data)


@pytest.mark.parametrize("seeds", [Seeds(2, 1, 1), Seeds(1, 2, 1), Seeds(1, 1, 2)], ids=["init", "order", "dropout"])
def test_each_seed_changes_the_curve(trial, data, seeds):
    assert losses(replace(trial, seeds=seeds), data) != losses(trial, data)


def test_evaluating_often_or_once_changes_no_loss(task, recipe, data):
    often = Trial(task, replace(recipe, evaluations="10 per epoch"), Seeds(1, 1))
    seldom = Trial(task, replace(recipe, evaluations="1 per run"), Seeds(1, 1))
    assert losses(often, data) == losses(seldom, data)


def test_the_global_generators_neither_matter_nor_change(trial, data):
    expected = losses(trial, data)
    torch.manual_seed(123)
    np.random.seed(123)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    assert losses(trial, data) == expected
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_predicting_in_between_changes_nothing(trial, data):
    training, found = begin(trial, data), []
    for measurement in train(training):
        predict(training.model, data.validation, data)
        found.append(measurement)
    assert found == curve(trial, data)


@pytest.mark.parametrize("pause", [1, 4, 7, 13, 23])
def test_paused_trial_resumes_bit_for_bit(trial, data, tmp_path, pause):
    whole = begin(trial, data)
    expected = list(train(whole))
    first = begin(trial, data)
    found = list(train(first, pause))
    save_checkpoint(first, tmp_path / "c.safetensors")
    second = load_checkpoint(trial, data, tmp_path / "c.safetensors")
    assert second.pending == first.pending
    found += list(train(second))
    assert found == expected
    weights = zip(whole.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    assert second.best.step == whole.best.step
    assert at_best(second)[0] == at_best(whole)[0]


def test_the_best_weights_are_those_of_the_best_evaluation(trial, data):
    training = begin(trial, data)
    evaluated = [m for m in train(training) if m.metrics]
    scores = [m.metrics["accuracy"] for m in evaluated]
    assert training.best.step == evaluated[int(np.argmax(scores))].step
    at_best(training)
    logits = predict(training.model, data.validation, data)
    assert np.array_equal(logits, training.best.logits)
    assert (logits.argmax(1) == data.validation.labels).mean() == pytest.approx(max(scores))


def test_a_diverged_trial_ends_with_its_last_loss(task, recipe, data):
    wild = Trial(task, replace(recipe, learning_rate=1e30, max_grad_norm=0.0, warmup_ratio=0.0), Seeds(1, 1))
    measured = curve(wild, data)
    assert not math.isfinite(measured[-1].loss)
    assert all(math.isfinite(m.loss) for m in measured[:-1])
    assert len(measured) < wild.recipe.steps(len(data.train))


def test_bfloat16_follows_float32_closely(task, recipe, data):
    exact = losses(Trial(task, replace(recipe, dropout=0.0), Seeds(1, 1)), data, 8)
    mixed = losses(Trial(task, replace(recipe, dropout=0.0, dtype="bfloat16"), Seeds(1, 1)), data, 8)
    assert mixed != exact
    assert mixed == pytest.approx(exact, abs=8 * 2**-8)  # bfloat16 keeps 8 bits; one unit of a loss of 1 for each step


def test_a_toy_is_learnt(task, recipe, data):
    trial = Trial(task, replace(recipe, num_train_epochs=25.0, learning_rate=5e-3), Seeds(1, 1))
    training = begin(trial, data)
    list(train(copy.copy(training)))
    best = max(m.metrics["accuracy"] for m in curve(trial, data) if m.metrics)
    assert best > 0.8
