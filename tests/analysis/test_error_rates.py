"""How often is what is said of recipes wrong? `benchmarks/verdicts.py` in short: few studies, the claims that are told first."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import verdicts
from verdict_designs import DESIGNS

STUDIES = 40
SLACK = 3 * np.sqrt(0.05 * 0.95 / STUDIES)
BY_NAME = {design.name: design for design in DESIGNS}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        "paired, 20 seeds",
        "crossed 6 x 6, seeds apart",
        "nested, 5 inits x 5 own orders",
        "grid 6 x 6 against 20 independent",
        "10 % fail, 20 each",
        "ties, 8 pairs",
    ],
)
def test_equal_recipes_are_rarely_told_apart_and_intervals_hold(name):
    rates = verdicts.measured(BY_NAME[name], STUDIES, equal=True, seed=1)
    assert rates[verdicts.WRONG].share <= 0.05 + SLACK
    for claim in ("difference", "P(A beats B)", "failed, A - B", "expected best", "gap"):
        assert rates[claim].share >= 0.95 - SLACK, claim


def test_the_worse_recipe_is_hardly_ever_named():
    rates = verdicts.measured(BY_NAME["30 % fail, 20 each"], STUDIES, equal=False, seed=1)
    assert rates[verdicts.WRONG].share <= 0.025
    assert rates["equal within the margin, though not"].share <= 0.05 + SLACK


def test_no_winner_is_named_where_recipe_and_seed_cannot_be_told_apart():
    rates = verdicts.measured(BY_NAME["one init seed each, 20 orders"], 20, equal=False, seed=1)
    assert rates[verdicts.WRONG].hits == rates["difference"].told == 0


def test_many_equal_recipes_are_rarely_told_apart():
    assert verdicts.many_recipes(STUDIES, 5, 6, seed=1).share <= 0.05 + SLACK


def test_looking_after_every_pair_keeps_the_rate():
    sequential, ordinary = verdicts.looks(STUDIES, 40, verdicts.Recipe(failing=0.3), seed=1)
    assert sequential.share <= 0.05 + SLACK
    assert ordinary.share > 0.05 + SLACK


def test_on_new_rows_equal_recipes_are_rarely_told_apart():
    rates = verdicts.rows(20, 20, 140, 0.5, seed=1)
    assert rates["on new rows"].share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20)
