"""Does one step do what Adam, BERTAdam, weight decay, clipping, warm-up and layer-wise rates are defined to do?"""

import numpy as np
import pytest
import torch
from transformers import AlbertConfig, AlbertForSequenceClassification

from families import FAMILIES, IDS
from seedwise import Recipe, RequestError
from seedwise.training.model import load_model
from seedwise.training.optimizer import Optimizer
from tolerances import ulps
from toys import toy_recipe

STEPS = 10  # each rounds a weight, up to 4 here, once for either decay and once for the update: ulps(2 or 4 a step, 4)
RATES = [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]  # two of ten steps warm up, then linear to 0
DECAYED = ("dense.weight",)


class Toy(torch.nn.Module):
    """A linear layer and a normalisation, whose gradients are put in by hand."""

    def __init__(self):
        super().__init__()
        self.dense = torch.nn.Linear(4, 3)
        self.norm = torch.nn.LayerNorm(3)
        draw = np.random.default_rng(1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.from_numpy(draw.normal(size=parameter.shape)))


def recipe(**fields):
    return Recipe(model="m", learning_rate=0.01, warmup_ratio=0.2, **fields)


def gradients(step):
    """The gradients of one step by name, float64: of different sizes, so that some steps are clipped and some not."""
    draw = np.random.default_rng([7, step])
    return {name: draw.normal(size=p.shape) * 2.0 ** (step % 4 - 3) for name, p in Toy().named_parameters()}


def taken(recipe, steps=STEPS):
    """The parameters after each step, and the norms that the optimiser returned."""
    model = Toy()
    optimizer = Optimizer(model, recipe, STEPS)
    found, norms = [], []
    for step in range(1, steps + 1):
        for name, parameter in model.named_parameters():
            parameter.grad = torch.from_numpy(gradients(step)[name]).float()
        norms.append(float(optimizer.step(step)))
        found.append({name: p.detach().double().numpy().copy() for name, p in model.named_parameters()})
    return found, norms


def expected(recipe):
    """The same, written out in float64: Zhang et al. (2021), Algorithm 1, lines 6 to 11, with decoupled decay."""
    w = {name: p.detach().double().numpy().copy() for name, p in Toy().named_parameters()}
    m = {name: np.zeros_like(value) for name, value in w.items()}
    v = {name: np.zeros_like(value) for name, value in w.items()}
    found, norms = [], []
    for t in range(1, STEPS + 1):
        g = gradients(t)
        norm = np.sqrt(sum((value**2).sum() for value in g.values()))
        if recipe.max_grad_norm and norm > recipe.max_grad_norm:
            g = {name: value * recipe.max_grad_norm / norm for name, value in g.items()}
        rate = recipe.learning_rate * RATES[t - 1]
        for name, value in w.items():
            m[name] = recipe.adam_beta1 * m[name] + (1 - recipe.adam_beta1) * g[name]
            v[name] = recipe.adam_beta2 * v[name] + (1 - recipe.adam_beta2) * g[name] ** 2
            first, second = m[name], v[name]
            if recipe.bias_correction:
                first, second = first / (1 - recipe.adam_beta1**t), second / (1 - recipe.adam_beta2**t)
            update = first / (np.sqrt(second) + recipe.adam_epsilon)
            decay = recipe.weight_decay * value if name in DECAYED else 0.0
            w[name] = value - rate * (update + decay)
        found.append({name: value.copy() for name, value in w.items()})
        norms.append(norm)
    return found, norms


@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0], ids=["unclipped", "clipped"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1], ids=["plain", "decayed"])
@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
def test_ten_steps_equal_those_computed_by_hand(bias_correction, weight_decay, max_grad_norm):
    chosen = recipe(
        bias_correction=bias_correction, weight_decay=weight_decay, max_grad_norm=max_grad_norm, adam_epsilon=1e-6
    )
    actual, by_hand = taken(chosen)[0], expected(chosen)[0]
    for step, (ours, theirs) in enumerate(zip(actual, by_hand, strict=True), start=1):
        for name, value in theirs.items():
            np.testing.assert_allclose(
                ours[name], value, rtol=0, atol=ulps(2 * step, 4), err_msg=f"{name} after step {step}"
            )


@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
def test_a_large_epsilon_and_other_moments_are_taken_as_given(bias_correction):
    chosen = recipe(bias_correction=bias_correction, adam_epsilon=0.5, adam_beta1=0.5, adam_beta2=0.7, weight_decay=0.3)
    for ours, theirs in zip(taken(chosen)[0], expected(chosen)[0], strict=True):
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value, rtol=0, atol=ulps(2 * STEPS, 4))


def test_without_memory_both_forms_are_the_same():
    chosen = {"adam_beta1": 0.0, "adam_beta2": 0.0, "weight_decay": 0.1}
    corrected, raw = taken(recipe(**chosen))[0], taken(recipe(**chosen, bias_correction=False))[0]
    assert all(np.array_equal(corrected[-1][name], raw[-1][name]) for name in raw[-1])


def test_the_norm_of_all_gradients_before_clipping_is_returned():
    unclipped, clipped = taken(recipe(max_grad_norm=0.0))[1], taken(recipe(max_grad_norm=1.0))[1]
    by_hand = expected(recipe())[1]
    assert min(by_hand) < 1 < max(by_hand)  # some steps are clipped and some are not
    assert unclipped == pytest.approx(by_hand, rel=ulps(16))
    assert clipped == pytest.approx(by_hand, rel=ulps(16))


def test_the_first_step_of_a_warm_up_changes_nothing():
    found, start = taken(recipe(weight_decay=0.5), steps=1)[0][0], dict(Toy().named_parameters())
    assert all(np.array_equal(found[name], start[name].detach().double().numpy()) for name in start)


def test_the_gradients_are_forgotten_after_a_step():
    model = Toy()
    optimizer = Optimizer(model, recipe(), STEPS)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(1)
    assert all(parameter.grad is None for parameter in model.parameters())


def at_rest(recipe, *, start=None, steps=STEPS):
    """A toy after steps with zero gradients, as float64 arrays by name."""
    model = Toy()
    optimizer = Optimizer(model, recipe, STEPS, start)
    for step in range(1, steps + 1):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step(step)
    return {name: p.detach().double().numpy() for name, p in model.named_parameters()}


@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
def test_weight_decay_alone_shrinks_by_one_minus_rate_times_decay(bias_correction):
    found = at_rest(recipe(weight_decay=2.0, bias_correction=bias_correction))
    start = {name: p.detach().double().numpy() for name, p in Toy().named_parameters()}
    factor = np.prod([1 - 0.01 * rate * 2.0 for rate in RATES])
    np.testing.assert_allclose(found["dense.weight"], factor * start["dense.weight"], rtol=ulps(2 * STEPS))
    for name in ("dense.bias", "norm.weight", "norm.bias"):
        assert np.array_equal(found[name], start[name]), name


def homes():
    """Starting values away from the parameters, for all of them."""
    draw = np.random.default_rng(3)
    return {name: torch.from_numpy(draw.normal(size=p.shape)).float() for name, p in Toy().named_parameters()}


@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_decay_towards_the_start_closes_its_share_of_the_distance_at_every_step(strength, bias_correction):
    """w - u shrinks by 1 - rate x lambda a step, which is lambda (w - u) taken from w as Zhang et al. (section 7) say."""
    chosen = recipe(pretrained_weight_decay=strength, weight_decay=0.0, bias_correction=bias_correction)
    w = Toy().dense.weight.detach().double().numpy()
    u = homes()["dense.weight"].double().numpy()
    for steps in (1, 2, 5, STEPS):
        found = at_rest(chosen, start=homes(), steps=steps)["dense.weight"]
        factor = np.prod([1 - 0.01 * rate * strength for rate in RATES[:steps]])
        np.testing.assert_allclose(found - u, factor * (w - u), atol=ulps(2 * STEPS, 4))


def test_the_start_is_the_fixed_point_of_the_decay_towards_it():
    start = {name: p.detach().clone() for name, p in Toy().named_parameters()}
    found = at_rest(recipe(pretrained_weight_decay=10.0, weight_decay=0.0), start=start)
    assert all(np.array_equal(found[name], value.double().numpy()) for name, value in start.items())


def test_biases_and_normalisations_do_not_decay_towards_the_start():
    found = at_rest(recipe(pretrained_weight_decay=10.0, weight_decay=0.0), start=homes())
    for name in ("dense.bias", "norm.weight", "norm.bias"):
        assert np.array_equal(found[name], dict(Toy().named_parameters())[name].detach().double().numpy()), name


def test_a_parameter_without_a_start_does_not_decay_towards_one():
    found = at_rest(recipe(pretrained_weight_decay=10.0, weight_decay=0.0), start={})
    assert np.array_equal(found["dense.weight"], Toy().dense.weight.detach().double().numpy())


def test_both_decays_act_together():
    chosen = recipe(pretrained_weight_decay=3.0, weight_decay=2.0)
    w, u = Toy().dense.weight.detach().double().numpy(), homes()["dense.weight"].double().numpy()
    for rate in (0.01 * r for r in RATES):
        w = (w + rate * 3.0 * (u - w)) * (1 - rate * 2.0)
    np.testing.assert_allclose(at_rest(chosen, start=homes())["dense.weight"], w, atol=ulps(4 * STEPS, 4))


def bert(model, **fields):
    """A toy BERT of two blocks and a recipe that moves every number by its own rate in the first step."""
    chosen = toy_recipe(model, warmup_ratio=0.0, weight_decay=0.0, max_grad_norm=0.0, learning_rate=0.01, **fields)
    return load_model(chosen, label_names=("bad", "good"), init_seed=1).model, chosen


def place(name):
    """How many times the rate of a parameter of the toy BERT is multiplied by the decay, written out."""
    places = {"bert.embeddings.": 3, "bert.encoder.layer.0.": 2, "bert.encoder.layer.1.": 1}
    return next((power for prefix, power in places.items() if name.startswith(prefix)), 0)


@pytest.mark.parametrize("decay", [0.5, 0.95])
def test_every_group_has_the_rate_of_its_layer(model, decay):
    toy, chosen = bert(model, layerwise_lr_decay=decay)
    optimizer = Optimizer(toy, chosen, STEPS)
    for parameter in toy.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step(1)
    names = {id(p): name for name, p in toy.named_parameters()}
    rates = {names[id(p)]: group["lr"] for group in optimizer._adam.param_groups for p in group["params"]}
    assert rates == {name: pytest.approx(0.01 * decay ** place(name)) for name, _ in toy.named_parameters()}
    assert rates["classifier.weight"] == rates["bert.pooler.dense.weight"] == 0.01
    assert len({round(rate, 12) for rate in rates.values()}) == 4


@pytest.mark.parametrize("bias_correction", [True, False], ids=["AdamW", "BERTAdam"])
def test_one_step_moves_every_parameter_by_the_rate_of_its_layer(model, bias_correction):
    """With a gradient of 1 everywhere, Adam's first step is its rate; BERTAdam's is 0.1 / sqrt(0.001) of it."""
    toy, chosen = bert(model, layerwise_lr_decay=0.5, bias_correction=bias_correction)
    optimizer = Optimizer(toy, chosen, STEPS)
    before = {name: p.detach().clone() for name, p in toy.named_parameters()}
    for parameter in toy.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step(1)
    first = 1.0 if bias_correction else 0.1 / np.sqrt(0.001)
    for name, parameter in toy.named_parameters():
        moved = (before[name] - parameter).detach().numpy()
        np.testing.assert_allclose(moved, 0.01 * first * 0.5 ** place(name), rtol=0, atol=ulps(4, 2), err_msg=name)


def test_both_decays_take_the_rate_of_the_layer(model):
    toy, chosen = bert(model, layerwise_lr_decay=0.5)
    chosen = chosen.with_changes(weight_decay=2.0, pretrained_weight_decay=3.0)
    before = {name: p.detach().clone() for name, p in toy.named_parameters()}
    start = {name: torch.zeros_like(p) + 1 for name, p in toy.named_parameters()}
    optimizer = Optimizer(toy, chosen, STEPS, start)
    for parameter in toy.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step(1)
    for name, rate in (("bert.encoder.layer.0.output.dense.weight", 0.0025), ("classifier.weight", 0.01)):
        w = before[name].double()
        expected = (w + rate * 3.0 * (1 - w)) * (1 - rate * 2.0)
        torch.testing.assert_close(dict(toy.named_parameters())[name].double(), expected, rtol=0, atol=ulps(4, 2))


def test_one_rate_for_all_needs_no_blocks():
    """The toy is no Transformer, and its blocks are asked for with layer-wise rates alone."""
    Optimizer(Toy(), recipe(layerwise_lr_decay=1.0), STEPS)


def test_layer_wise_rates_are_refused_where_blocks_share_their_weights():
    model = AlbertForSequenceClassification(AlbertConfig(**IDS, **FAMILIES["ALBERT"].fields))
    with pytest.raises(RequestError, match=r"layerwise_lr_decay needs Transformer blocks with weights of their own"):
        Optimizer(model, recipe(layerwise_lr_decay=0.9), STEPS)


def test_moments_are_restored_to_the_bit():
    chosen = recipe(bias_correction=False, weight_decay=0.1)
    whole = taken(chosen)[0][-1]
    model = Toy()
    optimizer = Optimizer(model, chosen, STEPS)
    for step in range(1, STEPS + 1):
        if step == 6:
            kept = {name: moment.clone() for name, moment in optimizer.moments().items()}
            optimizer = Optimizer(model, chosen, STEPS)
            optimizer.restore(kept, 5)
        for name, parameter in model.named_parameters():
            parameter.grad = torch.from_numpy(gradients(step)[name]).float()
        optimizer.step(step)
    assert all(np.array_equal(whole[name], p.detach().double().numpy()) for name, p in model.named_parameters())
