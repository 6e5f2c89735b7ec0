"""Does mixout do what Lee et al. (2020) define: which numbers are mixed, what is expected, and what gradients remain?"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seedwise import Seeds, Trial
from seedwise.training import regularizers
from seedwise.training.hashed_masks import keep_mask
from seedwise.training.loop import begin, train
from seedwise.training.metrics import score
from seedwise.training.plain import predict
from seedwise.training.regularizers import decay_towards, mixout
from tolerances import drift, ulps

pytestmark = pytest.mark.slow  # trains step by step


def drawn(seed, shape=(6, 5)):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).float()


def pair():
    """Two parameters and their starting values."""
    parameters = {"a": torch.nn.Parameter(drawn(1)), "b": torch.nn.Parameter(drawn(2, (7,)))}
    return parameters, {"a": drawn(3), "b": drawn(4, (7,))}


def mixed(p, *, dropout_seed=1, step=1, names=("a", "b")):
    """What the parameters are inside the context, by name."""
    parameters, start = pair()
    with mixout({n: parameters[n] for n in names}, start, p, dropout_seed=dropout_seed, step=step):
        return {name: parameters[name].detach().clone() for name in names}


def test_every_number_is_its_start_or_scaled_away_from_it():
    parameters, start = pair()
    for name, value in mixed(0.3).items():
        w, u = parameters[name].detach(), start[name]
        is_start = value == u
        assert torch.allclose(value[~is_start], (u + (w - u) / 0.7)[~is_start], atol=ulps(4, 4))
        assert 0 < is_start.sum() < is_start.numel()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_share_of_p_takes_its_starting_value(p):
    big = torch.zeros(100_000)
    replaced = int((keep_mask(1, 1, "a", big, p) == 0).sum())
    assert abs(replaced - 100_000 * p) < 5 * np.sqrt(100_000 * p * (1 - p))


def test_the_expectation_is_the_weight_itself():
    """Over 2,000 steps' masks, each number's mean is w within five of its standard errors |w - u| sqrt(p / (1 - p) / n)."""
    p, n = 0.4, 2000
    parameters, start = pair()
    mean = sum(mixed(p, step=step, names=("a",))["a"].double() for step in range(1, n + 1)) / n
    w = parameters["a"].detach().double()
    error = (w - start["a"]).abs() * np.sqrt(p / (1 - p) / n)
    assert ((mean - w).abs() < 5 * error).all()


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_afterwards_every_parameter_is_what_it_was(p):
    parameters, start = pair()
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    with mixout(parameters, start, p, dropout_seed=1, step=1):
        sum(parameter.square().sum() for parameter in parameters.values()).backward()
    assert all(torch.equal(parameters[name], value) for name, value in kept.items())


def test_a_failure_within_leaves_the_parameters_as_they_were():
    parameters, start = pair()
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    with pytest.raises(KeyError), mixout(parameters, start, 0.5, dropout_seed=1, step=1):
        raise KeyError
    assert all(torch.equal(parameters[name], value) for name, value in kept.items())


def test_nothing_is_touched_with_probability_zero():
    parameters, start = pair()
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    assert all(torch.equal(value, kept[name]) for name, value in mixed(0.0).items())
    with mixout(parameters, start, 0.0, dropout_seed=1, step=1):
        parameters["a"].pow(3).sum().backward()
    assert torch.equal(parameters["a"].grad, 3 * kept["a"].square())


def test_with_probability_one_the_mixed_weights_are_the_start_and_no_gradient_is_left():
    parameters, start = pair()
    assert all(torch.equal(value, start[name]) for name, value in mixed(1.0).items())
    with mixout(parameters, start, 1.0, dropout_seed=1, step=1):
        parameters["a"].pow(3).sum().backward()
    assert not parameters["a"].grad.any()


def test_gradients_are_those_of_the_formula():
    """Autograd through u + m (w - u) / (1 - p), written out with the same mask, in two backward passes that add up."""
    p, loss = 0.3, lambda a, b: a.pow(3).sum() + (a[0, 0] * b).exp().sum()
    parameters, start = pair()
    with mixout(parameters, start, p, dropout_seed=4, step=9):
        loss(*parameters.values()).backward()
        loss(*parameters.values()).backward()
    plain = {name: parameter.detach().double().requires_grad_() for name, parameter in parameters.items()}
    formula = [
        start[name] + keep_mask(4, 9, name, start[name], p) * (w - start[name]) / (1 - p) for name, w in plain.items()
    ]
    (2 * loss(*formula)).backward()
    for name, w in plain.items():
        torch.testing.assert_close(parameters[name].grad.double(), w.grad, rtol=ulps(16), atol=ulps(8))


def test_masks_depend_on_seed_step_and_name_alone():
    one = torch.zeros(64)
    mask = keep_mask(1, 1, "a", one, 0.5)
    assert torch.equal(mask, keep_mask(1, 1, "a", one + 5, 0.5))
    others = [keep_mask(2, 1, "a", one, 0.5), keep_mask(1, 2, "a", one, 0.5), keep_mask(1, 1, "b", one, 0.5)]
    assert not any(torch.equal(mask, other) for other in others)


def test_a_parameter_is_mixed_alike_whatever_else_is_mixed_and_whatever_was_drawn_before():
    expected = mixed(0.5)["b"]
    torch.manual_seed(99)
    assert torch.equal(mixed(0.5, names=("b",))["b"], expected)
    assert torch.equal(mixed(0.5, names=("b", "a"))["b"], expected)


def test_drawing_masks_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    mixed(0.5)
    assert torch.equal(before, torch.random.get_rng_state())


def masks_of(trial, data, monkeypatch):
    """Every mask that two steps of a trial draw, by step and name."""
    found = {}

    def noting(dropout_seed, step, name, like, p, rows):
        found[step, name] = keep_mask(dropout_seed, step, name, like, p, rows)
        return found[step, name].clone()

    monkeypatch.setattr(regularizers, "keep_mask", noting)
    list(train(begin(trial, data), 2))
    return found


@pytest.fixture(scope="module")
def mixing(task, recipe):
    return Trial(task, replace(recipe, mixout=0.5, warmup_ratio=0.0), Seeds(1, 1, 1))


@pytest.mark.parametrize(
    ("seeds", "same"), [(Seeds(2, 1, 1), True), (Seeds(1, 2, 1), True), (Seeds(1, 1, 2), False)], ids=str
)
def test_the_masks_of_a_trial_come_from_its_dropout_seed(mixing, data, monkeypatch, seeds, same):
    first = masks_of(mixing, data, monkeypatch)
    other = masks_of(replace(mixing, seeds=seeds), data, monkeypatch)
    assert first.keys() == other.keys()
    assert all(torch.equal(first[place], other[place]) is same for place in first if first[place].numel() > 100)


def test_pretrained_parameters_alone_are_mixed(mixing, data, monkeypatch):
    names = {name for _, name in masks_of(mixing, data, monkeypatch)}
    new = {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    assert names == {name for name, _ in begin(mixing, data).model.named_parameters()} - new


def test_what_is_drawn_anew_or_frozen_is_not_mixed(mixing, data, monkeypatch):
    changed = replace(mixing, recipe=replace(mixing.recipe, freeze_layers=1))
    names = {name for _, name in masks_of(changed, data, monkeypatch)}
    assert all(name.startswith("bert.encoder.layer.1.") for name in names)
    assert len(names) == 16
    changed = replace(mixing, recipe=replace(mixing.recipe, reinit_layers=1))
    names = {name for _, name in masks_of(changed, data, monkeypatch)}
    assert all(name.startswith(("bert.embeddings.", "bert.encoder.layer.0.")) for name in names)
    assert len(names) == 5 + 16


def test_probability_zero_is_no_mixout_over_the_whole_run(trial, data):
    """The starting values are kept for another switch, and the context is entered with p = 0."""
    expected = begin(trial, data)
    tracking = begin(replace(trial, recipe=replace(trial.recipe, mixout=0.0, track="distance")), data)
    assert tracking.start
    losses, curves = [m.loss for m in train(expected)], list(train(tracking))
    assert losses == [m.loss for m in curves]
    assert all(
        torch.equal(a, b) for a, b in zip(expected.parameters.values(), tracking.parameters.values(), strict=True)
    )


def test_with_probability_one_the_encoder_never_moves_and_the_head_learns(mixing, data):
    training = begin(replace(mixing, recipe=replace(mixing.recipe, mixout=1.0, weight_decay=0.0)), data)
    before = {name: p.detach().clone() for name, p in training.parameters.items()}
    list(train(training))
    moved = {name for name, p in training.parameters.items() if not torch.equal(p, before[name])}
    assert moved == {"classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias"}


def test_with_probability_one_the_losses_are_those_of_a_frozen_encoder(mixing, data):
    """Weight decay moves the weights outside, and what is computed with are the starting ones all the same."""
    chosen = replace(mixing.recipe, weight_decay=0.1, max_grad_norm=0.0)
    whole = [m.loss for m in train(begin(replace(mixing, recipe=replace(chosen, mixout=1.0)), data))]
    frozen = [m.loss for m in train(begin(replace(mixing, recipe=replace(chosen, mixout=0.0, freeze_layers=2)), data))]
    assert whole == pytest.approx(frozen, rel=0, abs=drift(len(frozen)))


def test_all_parts_of_a_step_are_mixed_alike(mixing, data):
    whole = replace(mixing.recipe, dropout=0.0, batch_size=9)
    parts = replace(mixing.recipe, dropout=0.0, batch_size=3, gradient_accumulation_steps=3)
    a, b = ([m.loss for m in train(begin(replace(mixing, recipe=r), data), 6)] for r in (whole, parts))
    assert b == pytest.approx(a, rel=0, abs=drift(len(a)))


def test_a_trial_is_scored_with_its_weights_and_not_with_the_mixed_ones(mixing, data):
    training = begin(replace(mixing, recipe=replace(mixing.recipe, evaluations="every 3 steps")), data)
    *_, last = train(training, 6)
    logits = predict(training.model, data.validation, data)
    assert last.metrics == score(data.kind, logits, np.asarray(data.validation.labels))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_decay_moves_by_its_share_of_the_way(share):
    w, u = drawn(1), drawn(3)
    moved = w.clone()
    decay_towards([moved], [u], share)
    torch.testing.assert_close(moved, w + share * (u - w))


def test_decay_of_what_is_at_home_changes_no_bit():
    w = drawn(1)
    moved = w.clone()
    decay_towards([moved], [w], 0.3)
    assert torch.equal(moved, w)
