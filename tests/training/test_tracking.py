"""Are distance, gradient norm and bias ratio what they are defined to be, and does looking change nothing?"""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from seedwise import Seeds, Trial
from seedwise.training.loop import begin, train
from seedwise.training.optimizer import Optimizer
from seedwise.training.randomness import permutation
from seedwise.values.recipe import TRACKED
from tolerances import SEVERAL_LAYERS, ulps

pytestmark = pytest.mark.slow  # trains step by step

ALL = ",".join(TRACKED)
BLOCKS = ("bert.encoder.layer.0.", "bert.encoder.layer.1.")


@pytest.fixture(scope="module")
def tracking(task, recipe):
    """Nine steps without dropout, each a tenth of whose gradients is clipped away or more."""
    chosen = replace(recipe, track=ALL, num_train_steps=9, warmup_ratio=0.3, dropout=0.0, max_grad_norm=0.05)
    return Trial(task, chosen, Seeds(1, 1))


def with_switches(trial, **switches):
    return replace(trial, recipe=replace(trial.recipe, **switches))


def followed(trial, data, steps=None):
    """Each measurement, with all parameters right after its step; the first pair is the start."""
    training = begin(trial, data)
    copies = [(None, {name: p.detach().double().numpy().copy() for name, p in training.model.named_parameters()})]
    for measurement in train(training, steps):
        weights = {name: p.detach().double().numpy().copy() for name, p in training.model.named_parameters()}
        copies.append((measurement, weights))
    return copies


def by_hand(start, weights):
    """The L2 distance of each block from its start, all its parameters put into one vector."""
    return [
        np.linalg.norm(np.concatenate([(weights[n] - start[n]).ravel() for n in weights if n.startswith(block)]))
        for block in BLOCKS
    ]


def test_distances_equal_those_computed_by_hand(tracking, data):
    (_, start), *steps = followed(tracking, data)
    for measurement, weights in steps:
        assert measurement.tracked["distance"] == pytest.approx(by_hand(start, weights), rel=ulps(16), abs=1e-12)


def test_distance_is_zero_until_something_moves_and_grows_with_training(tracking, data):
    first, second, *_, last = (m.tracked["distance"] for m, _ in followed(tracking, data)[1:])
    assert first == (0.0, 0.0)  # the first step of a warm-up has rate 0
    assert 0 < min(second) <= max(second) < min(last)


def test_blocks_drawn_anew_are_measured_from_what_was_drawn(tracking, data):
    changed = with_switches(tracking, reinit_layers=1)
    (_, start), *steps = followed(changed, data, 3)
    assert steps[0][0].tracked["distance"] == (0.0, 0.0)
    assert steps[-1][0].tracked["distance"] == pytest.approx(by_hand(start, steps[-1][1]), rel=ulps(16))


def test_frozen_blocks_stay_where_they_are(tracking, data):
    lower, upper = followed(with_switches(tracking, freeze_layers=1), data, 4)[-1][0].tracked["distance"]
    assert lower == 0.0 < upper


def test_with_lora_the_matrices_are_measured(tracking, data):
    pytest.importorskip("peft", reason="needs the extra [lora]")
    (_, start), *steps = followed(with_switches(tracking, lora_rank=2), data, 4)
    measurement, weights = steps[-1]
    assert measurement.tracked["distance"] == pytest.approx(by_hand(start, weights), rel=ulps(16))
    assert min(measurement.tracked["distance"]) > 0


def gradient_norm(trial, data, step):
    """The norm of all gradients of one step's rows, from the library's own loss on a model of the same weights."""
    recipe, training = trial.recipe, begin(trial, data)
    list(train(training, step - 1))
    model = AutoModelForSequenceClassification.from_pretrained(recipe.model, num_labels=2)
    model.load_state_dict(training.model.state_dict())
    rows = permutation(trial.seeds.order, 0, len(data.train))[(step - 1) * 8 : step * 8]
    sequences = [data.train.ids[data.train.offsets[r] : data.train.offsets[r + 1]].tolist() for r in rows]
    width = max(map(len, sequences))
    ids = torch.tensor([s + [0] * (width - len(s)) for s in sequences])
    labels = torch.tensor(np.array(data.train.labels[rows]))
    model.eval()(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss.backward()
    return float(torch.cat([p.grad.ravel() for p in model.parameters() if p.grad is not None]).double().norm())


@pytest.mark.parametrize("step", [1, 2, 5])
def test_gradient_norm_is_that_of_a_plain_model_before_clipping(tracking, data, step):
    *_, (measurement, _) = followed(tracking, data, step)
    (found,) = measurement.tracked["gradient_norm"]
    assert found == pytest.approx(gradient_norm(tracking, data, step), rel=2 * SEVERAL_LAYERS)  # forth and back
    assert found > tracking.recipe.max_grad_norm


def test_clipping_changes_no_norm_of_the_first_step(tracking, data):
    unclipped = followed(with_switches(tracking, max_grad_norm=0.0), data, 1)[-1][0]
    assert followed(tracking, data, 1)[-1][0].tracked["gradient_norm"] == unclipped.tracked["gradient_norm"]


def test_bias_ratio_is_measured_on_the_updates_moments(tracking, data):
    """A large epsilon makes the ratio differ from the closed formula, which knows none."""
    chosen = with_switches(tracking, bias_correction=False, adam_epsilon=1e-3)
    training = begin(chosen, data)
    for measurement in train(training):
        t, moments = measurement.step, training.optimizer.moments()
        firsts = [name for name in moments if name.startswith("exp_avg.")]
        m = np.concatenate([moments[name].double().numpy().ravel() for name in firsts])
        v = np.concatenate([moments[name.replace("avg.", "avg_sq.")].double().numpy().ravel() for name in firsts])
        taken = m / (np.sqrt(v) + 1e-3)
        corrected = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-3)
        (found,) = measurement.tracked["bias_ratio"]
        assert found == pytest.approx(np.linalg.norm(taken) / np.linalg.norm(corrected), rel=ulps(16))
        assert abs(found / closed_form(t) - 1) > 0.1


def test_bias_ratio_is_that_of_the_two_corrections_where_epsilon_is_small(tracking, data):
    """The corrected update divides m by 1 - beta1^t and v by 1 - beta2^t (Zhang et al. 2021, Algorithm 1, lines 9, 10)."""
    measured = [m for m, _ in followed(with_switches(tracking, bias_correction=False, adam_epsilon=1e-30), data)[1:]]
    found = [measurement.tracked["bias_ratio"][0] for measurement in measured]
    assert found == pytest.approx([closed_form(t) for t in range(1, len(found) + 1)], rel=ulps(16))


def closed_form(t):
    return (1 - 0.9**t) / math.sqrt(1 - 0.999**t)


def test_bias_ratio_is_how_much_further_the_optimiser_really_goes(tracking, data):
    """With equal gradients at every step the corrected update is the rate, and the uncorrected one the ratio times it."""
    moved = {}
    for corrected in (True, False):
        chosen = with_switches(
            tracking, bias_correction=corrected, warmup_ratio=1.0, adam_epsilon=1e-12, weight_decay=0.0
        ).recipe
        model = begin(tracking, data).model
        optimizer = Optimizer(model, chosen, 9)
        weight, moved[corrected] = model.classifier.weight, []
        for step in range(1, 10):
            before = weight.detach().double().clone()
            for parameter in model.parameters():
                parameter.grad = torch.full_like(parameter, 1e-4)
            optimizer.step(step)
            moved[corrected].append(float((before - weight.detach().double()).mean()))
    actual = [raw / right for raw, right in zip(moved[False][1:], moved[True][1:], strict=True)]  # rate 0 in the first
    assert actual == pytest.approx(
        [closed_form(t) for t in range(2, 10)], rel=1e-3
    )  # a step of 1e-3 of a weight keeps 4 of its 7 digits


def test_bias_ratio_of_the_corrected_update_is_one(tracking, data):
    assert {m.tracked["bias_ratio"] for m, _ in followed(tracking, data)[1:]} == {(1.0,)}


def test_nothing_is_tracked_unasked(tracking, data):
    assert all(m.tracked is None for m, _ in followed(with_switches(tracking, track=()), data)[1:])


CHOICES = [",".join(names) for n in (1, 2, 3) for names in combinations(TRACKED, n)]


@pytest.mark.parametrize("track", CHOICES)
def test_what_is_asked_for_is_kept_at_every_step_and_nothing_else(tracking, data, track):
    for measurement, _ in followed(with_switches(tracking, track=track), data, 4)[1:]:
        assert set(measurement.tracked) == set(track.split(","))
        assert {name: len(values) for name, values in measurement.tracked.items()} == {
            name: 2 if name == "distance" else 1 for name in track.split(",")
        }


@pytest.mark.parametrize("track", CHOICES)
def test_looking_changes_nothing(trial, data, track):
    whole = {}
    for chosen in ("", track):
        training = begin(with_switches(trial, track=chosen), data)
        curve = [(m.step, m.loss, m.metrics) for m in train(training)]
        whole[chosen] = curve, {name: p.detach() for name, p in training.model.named_parameters()}, training.best
    (plain, weights, best), (tracked, others, other_best) = whole.values()
    assert tracked == plain
    assert all(torch.equal(others[name], weights[name]) for name in weights)
    assert other_best.step == best.step
    assert all(torch.equal(other_best.weights[name], best.weights[name]) for name in best.weights)


def test_a_trial_that_is_looked_at_is_another_trial_with_the_same_draws(trial, data):
    looked_at = with_switches(trial, track=ALL)
    assert looked_at.id != trial.id
    assert begin(looked_at, data).fingerprint == begin(trial, data).fingerprint
