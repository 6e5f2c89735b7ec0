"""Do the C kernels compute what torch computes?"""

import ctypes
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seedwise.engines import kernels
from seedwise.training.hashed_masks import keep, line_keys, threshold
from tolerances import ulps

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.reason()))


def grid(low: float, high: float) -> torch.Tensor:
    return torch.linspace(low, high, 200_000)


def gelu(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    out, slope = torch.empty_like(x), torch.empty_like(x)
    kernels.call("gelu_forward", 1, len(x), x, torch.zeros_like(x), slope, out)
    return out, slope


def adam_state(n: int, seed: int) -> list[torch.Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    p, g, m = (torch.randn(n, generator=drawn) for _ in range(3))
    return [p, g, m * 0.1, torch.rand(n, generator=drawn) * 0.1]


@pytest.mark.parametrize(("low", "high"), [(-12, 12), (-1, 1), (-1e-3, 1e-3)])
def test_gelu_is_that_of_the_error_function(low, high):
    x = grid(low, high)
    wide = x.double()
    expected = (wide * 0.5 * torch.erfc(-wide / math.sqrt(2))).float()
    torch.testing.assert_close(gelu(x)[0], expected, atol=ulps(1), rtol=ulps(4))


def test_slope_of_gelu_is_its_derivative():
    x = grid(-12, 12)
    wide = x.double().requires_grad_()
    torch.nn.functional.gelu(wide).sum().backward()
    torch.testing.assert_close(gelu(x)[1], wide.grad.float(), atol=ulps(4), rtol=0)


def test_gelu_of_what_is_no_number_is_no_number():
    x = torch.full((8,), math.nan)
    assert gelu(x)[0].isnan().all()


def test_gelu_far_out_is_the_identity_or_zero():
    x = torch.tensor([-1e4, -40.0, -20.0, 20.0, 40.0, 1e4, 0.0, 1e30])
    torch.testing.assert_close(gelu(x)[0], x.clamp(min=0), atol=1e-30, rtol=0)


def softmax(scores: torch.Tensor) -> torch.Tensor:
    """Attention of a first token whose query is 1 and finds the scores: the weights that it keeps."""
    n = len(scores)
    tokens, query = torch.zeros(n, 8), torch.zeros(1, 8)
    tokens[:, 5], query[0, 5] = scores, 1.0
    weights, mass, out, space = torch.empty(n + 7), torch.empty(1), torch.empty(1, 8), torch.empty(10 * (n + 7) + 17)
    nothing_dropped = (0, 0, threshold(0.0), 1.0)
    kernels.call(
        "first_forward", 1, torch.tensor([0, n]), torch.tensor([0]), 1, 8, tokens, query, 1.0, *nothing_dropped, space,
        weights, mass, out,
    )  # fmt: skip
    return weights[:n]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 16, 23, 24, 100])
def test_softmax_is_exact_to_float_rounding(n):
    drawn = torch.Generator().manual_seed(n)
    scores = torch.randint(-3000, 3000, (n,), generator=drawn) / 64  # differences have no rounding
    torch.testing.assert_close(
        softmax(scores), scores.double().softmax(0).float(), atol=1e-30, rtol=ulps(4)
    )  # an exponential, a sum, a quotient; 1e-30: denormal numbers


def test_softmax_of_a_score_that_is_no_number_is_no_number():
    assert softmax(torch.tensor([0.0, math.nan, 1.0])).isnan().all()


def dropped(key: int, site: int, slots: list[int], starts: list[int], width: int, p: float) -> torch.Tensor:
    """What residual_backward passes on where the norm's own gradient is known: it is dropped as in the forward pass."""
    lines = starts[-1]
    d, out, unused = torch.randn(lines, width), torch.empty(lines, width), torch.zeros(width)
    normal, inverse = torch.randn(lines, width), torch.ones(lines)
    gamma = torch.ones(width)
    kernels.call(
        "residual_backward", len(slots), torch.tensor(starts), torch.tensor(slots), width, gamma, key, site, threshold(p),
        1 / (1 - p), normal, inverse, d, out, unused, unused.clone(), unused.clone(),
    )  # fmt: skip
    return out / d


@given(
    key=st.integers(-(2**63), 2**63 - 1),
    site=st.integers(0, 2**15 - 1),
    slots=st.lists(st.integers(0, 2**20 - 1), min_size=2, max_size=2),
    eighths=st.integers(1, 9),
    p=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1e-9]),
)
def test_masks_are_those_of_python(key, site, slots, eighths, p):
    starts, width = [0, 3, 5], 8 * eighths
    keys = line_keys(np.array(key), site, np.repeat(slots, np.diff(starts)), np.array([0, 1, 2, 0, 1]))
    expected = torch.from_numpy(keep(keys, width, threshold(p))) / (1 - p)
    torch.testing.assert_close(
        dropped(key, site, slots, starts, width, p), expected.float(), atol=0, rtol=ulps(4)
    )  # a product and two quotients


@pytest.mark.parametrize("n", [1, 7, 8, 1000, 1027])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamw_is_torchs(n, decay):
    p, g, m, v = adam_state(n, seed=n)
    mine = torch.nn.Parameter(p.clone())
    rival = torch.optim.AdamW([mine], lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=decay)
    mine.grad = g * 0.5
    rival.state[mine] = {"step": torch.tensor(6.0), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    rival.step()
    corrections = {"correction1": 1 - 0.8**7, "correction2": 1 - 0.95**7}
    kernels.adamw(p, g, m, v, lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=decay, scale=0.5, **corrections)
    torch.testing.assert_close(p, mine.detach(), atol=ulps(1), rtol=ulps(8))
    torch.testing.assert_close(m, rival.state[mine]["exp_avg"], atol=ulps(1), rtol=ulps(8))
    torch.testing.assert_close(v, rival.state[mine]["exp_avg_sq"], atol=ulps(1), rtol=ulps(8))


def test_adamw_leaves_gradients_of_zero():
    p, g, m, v = adam_state(21, seed=0)
    kernels.adamw(p, g, m, v, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8)
    assert not g.any()


def test_adamw_touches_no_number_beyond_its_vectors():
    whole = adam_state(24, seed=1)
    before = [tensor[19:].clone() for tensor in whole]
    kernels.adamw(*(tensor[:19] for tensor in whole), lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8)
    assert [t.tolist() for t in before] == [tensor[19:].tolist() for tensor in whole]


@pytest.mark.parametrize("n", [0, 1, 15, 16, 1024, 1_000_003])
def test_squared_norm_is_exact_to_float_rounding(n):
    x = torch.randn(n, generator=torch.Generator().manual_seed(2))
    assert kernels.squared_norm(x) == pytest.approx(float((x.double() ** 2).sum()), rel=ulps(16))


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.zeros(8, dtype=torch.float64), "float32"),
        (torch.zeros(8, 2)[:, 0], "contiguous"),
        (torch.zeros(9), "8 numbers, not 9"),
    ],
)
def test_wrong_tensors_are_refused(tensor, words):
    right = [torch.zeros(8) for _ in range(3)]
    with pytest.raises(ValueError, match=words):
        kernels.adamw(right[0], tensor, *right[1:], lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8)


def test_library_does_not_round_tiny_numbers_to_zero():
    tiny = np.array([1e-40], dtype=np.float32)
    assert kernels.available()
    assert (tiny * np.float32(0.5))[0] > 0


def test_library_of_other_sources_is_not_taken(monkeypatch, tmp_path):
    (tmp_path / "kernels.c").write_text("int supported(void) { return 1; }")
    (tmp_path / "kernels-000000000000.so").write_bytes(b"of other sources")
    monkeypatch.setattr(kernels, "FOLDER", tmp_path)
    assert "not compiled here" in kernels._load.__wrapped__()


def test_broken_library_is_said_to_be_so(monkeypatch, tmp_path):
    (tmp_path / kernels.library_name(tmp_path)).write_bytes(b"no library")
    monkeypatch.setattr(kernels, "FOLDER", tmp_path)
    assert "cannot be loaded" in kernels._load.__wrapped__()


def test_processor_without_the_instructions_is_said_to_lack_them(monkeypatch):
    library = type("Library", (), {"supported": staticmethod(lambda: 0)})
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert "lacks AVX2" in kernels._load.__wrapped__()
