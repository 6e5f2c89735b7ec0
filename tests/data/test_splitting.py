"""Are rows told apart exactly, in proportion, and by the split seed alone?"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data.splitting import arrange, draw, stratified_counts
from seedwise.errors import DataError
from seedwise.values.splits import Splits

seeds = st.integers(0, 2**63)


@st.composite
def strata_and_size(draw_value):
    strata = draw_value(st.lists(st.integers(0, 4), min_size=3, max_size=200))
    return np.array(strata), draw_value(st.integers(0, len(strata)))


@given(strata_and_size(), seeds)
def test_draw_is_exact_ascending_and_within_one_row_of_each_stratums_share(case, seed):
    strata, size = case

    drawn = draw(np.arange(len(strata)), size, strata, seed=seed, purpose="train")

    assert len(drawn) == size
    assert (np.diff(drawn) > 0).all()
    for stratum in set(strata.tolist()):
        share = size * np.mean(strata == stratum)
        assert abs(np.sum(strata[drawn] == stratum) - share) < 1 + 1e-9


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.floats(0, 1))
def test_counts_are_within_one_of_their_share_and_never_more_than_there_are(sizes, share):
    size = int(share * sum(sizes))

    counts = stratified_counts(size, sizes)

    assert sum(counts) == size
    assert all(abs(n - size * of / sum(sizes)) < 1 and n <= of for n, of in zip(counts, sizes, strict=True))


@given(st.integers(20, 300), seeds)
def test_splits_are_disjoint_and_lose_no_row(rows, seed):
    strata = [n % 3 for n in range(rows)]

    parts = arrange(Splits(seed=seed, validation_size=0.25, test_size=4), {"train": strata})

    everything = np.concatenate([parts[split].positions for split in ("train", "validation", "test")])
    assert sorted(everything.tolist()) == list(range(rows))
    assert len(parts["test"].positions) == 4
    assert len(parts["validation"].positions) == int(0.25 * rows + 0.5)


@given(seeds)
def test_same_seed_draws_the_same_rows_and_another_seed_others(seed):
    strata = np.zeros(500, dtype=np.int64)
    pool = np.arange(500)

    drawn = draw(pool, 250, strata, seed=seed, purpose="train")

    assert (drawn == draw(pool, 250, strata, seed=seed, purpose="train")).all()
    assert (drawn != draw(pool, 250, strata, seed=seed + 1, purpose="train")).any()
    assert (drawn != draw(pool, 250, strata, seed=seed, purpose="test")).any()


def test_draw_is_the_same_on_every_machine_and_in_every_version():
    drawn = draw(np.arange(20), 6, np.array([0, 1] * 10), seed=0, purpose="train")

    assert drawn.tolist() == [2, 3, 8, 12, 15, 19]  # a change here changes every published split


def test_smaller_training_sample_of_two_classes_lies_inside_a_larger_one():
    strata = {"train": [0] * 37 + [1] * 63, "validation": [0, 1]}

    samples = [set(arrange(Splits(train_size=n), strata)["train"].positions.tolist()) for n in range(2, 101)]

    assert all(small < large for small, large in itertools.pairwise(samples))


@pytest.mark.parametrize(("rows", "validation", "test"), [(277, 139, 138), (408, 204, 204), (1043, 522, 521)])
def test_halves_of_the_validation_rows(rows, validation, test):
    strata = {"train": [0, 1], "validation": [n % 2 for n in range(rows)]}

    parts = arrange(Splits(halve_validation=True), strata)

    assert (len(parts["validation"].positions), len(parts["test"].positions)) == (validation, test)
    assert (parts["validation"].source, parts["test"].source) == ("validation", "validation")
    assert parts["train"].positions.tolist() == [0, 1]
    assert not set(parts["validation"].positions) & set(parts["test"].positions)


def test_thousand_row_tasks_of_zhang_validate_on_training_rows_and_test_on_the_validation_rows():
    strata = {"train": [n % 2 for n in range(2490)], "validation": [n % 2 for n in range(277)]}

    parts = arrange(Splits(train_size=1000, validation_size=1000), strata)

    assert {split: (part.source, len(part.positions)) for split, part in parts.items()} == {
        "train": ("train", 1000),
        "validation": ("train", 1000),
        "test": ("validation", 277),
    }
    assert not set(parts["train"].positions) & set(parts["validation"].positions)


def test_given_rows_are_used_as_they_are():
    parts = arrange(Splits(seed=3), {"train": [0, 1, 0], "validation": [1, 0], "test": [1]})

    assert {split: part.positions.tolist() for split, part in parts.items()} == {
        "train": [0, 1, 2],
        "validation": [0, 1],
        "test": [0],
    }


@pytest.mark.parametrize(
    ("splits", "given_rows", "essentials"),
    [
        (Splits(train_size=11), {"train": 10, "validation": 2}, "train_size must be at most 10, .*not 11"),
        (Splits(train_size=9), {"train": 10}, "train_size must be at most 8, .*not 9"),
        (Splits(validation_size=10), {"train": 10}, "10 of 10 training rows is 10 where 10 are left; give smaller"),
        (Splits(validation_size=6, test_size=4), {"train": 10}, "10 training rows is 6 where 6 are left"),
        (Splits(test_size=11), {"train": 10, "validation": 2}, "test_size must leave .* 11 of 10 training rows"),
        (
            Splits(validation_size=0.01),
            {"train": 10},
            "0.01 of 10 training rows is 0 where 10 are left; give more rows",
        ),
        (Splits(), {"train": 2}, "validation_size must leave .*0.2 of 2 training rows is 0"),
        (Splits(halve_validation=True), {"train": 9, "validation": 1}, "at least 2 validation rows, not 1"),
        (Splits(test_size=2), {"train": 9, "validation": 2, "test": 2}, "only one source.*test rows are given"),
        (Splits(validation_size=2), {"train": 9, "validation": 2, "test": 2}, "only one source.*test rows are given"),
        (Splits(validation_size=2, test_size=2), {"train": 9, "validation": 2}, "only one source.*already do so"),
    ],
)
def test_size_that_cannot_be_had_is_refused(splits, given_rows, essentials):
    with pytest.raises(DataError, match=essentials):
        arrange(splits, {split: [0] * rows for split, rows in given_rows.items()})
