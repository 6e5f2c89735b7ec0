"""Is what makes a score doubtful said, and only that?"""

from dataclasses import replace

import pytest

from seedwise import Task
from seedwise.values.caveats import row_caveats, score_caveats
from seedwise.values.facts import TaskFacts

ROWS = {"train": 90, "validation": 10, "test": 20}


def test_usual_rows_need_no_word():
    nothing = dict.fromkeys(ROWS, 0)
    assert row_caveats(TaskFacts(rows=ROWS, truncated=nothing, repeated=nothing)) == []
    assert row_caveats(TaskFacts()) == []


def test_every_unusual_thing_is_said():
    facts = TaskFacts(
        rows=ROWS,
        max_length=64,
        truncated={"train": 3, "validation": 0, "test": 2},
        repeated={"validation": 4, "test": 0},
        dropped=7,
    )
    assert row_caveats(facts) == [
        "longer than 64 tokens and truncated: 3 of 90 train rows, 2 of 20 test rows.",
        "7 rows without a text or a label were left out.",
        "4 of 10 validation rows are also among the training rows.",
    ]


@pytest.mark.parametrize(
    ("metric", "score", "baseline", "told"),
    [
        ("accuracy", 0.6, 0.5, False),
        ("accuracy", 0.5, 0.5, True),
        ("accuracy", 0.4, 0.5, True),
        ("loss", 0.4, 0.5, False),
        ("loss", 0.6, 0.5, True),
        ("accuracy", None, 0.5, False),
        ("accuracy", 0.4, None, False),
    ],
)
def test_a_winner_that_learnt_nothing_is_told(metric, score, baseline, told):
    found = score_caveats(replace(Task.glue("rte"), metric=metric), score, baseline)
    assert bool(found) == told
    assert all(
        f"the best {metric}, {score:.3f}, is no better than the best constant guess, 0.500; " in s for s in found
    )
