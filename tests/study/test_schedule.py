"""Does the live rule end with the p best of t, whatever the order in which trials report?"""

import itertools
import math
import random

import pytest

from seedwise import RequestError, Schedule, StoppingRule
from seedwise.study.schedule import Goal, Progress, Standing, fractions

EVALUATIONS = tuple(range(1, 11))


def play(rule, early, *, workers, seed=0, fails=()):
    """Run a schedule to its end over a table of early scores; trials end in random order. Return those that went on."""
    schedule, generator = Schedule.of(rule, EVALUATIONS), random.Random(seed)
    progress = [Progress() for _ in early]
    running, finished, dropped, paused_at_once = {}, [], set(), 0
    while True:
        decision = schedule.decide(progress)
        dropped |= set(decision.drop)
        for i, goal in decision.run[: workers - len(running)]:
            assert i not in dropped
            running[i] = goal
            progress[i] = Progress(progress[i].standing, progress[i].early, running=True)
        waiting = [i for i, p in enumerate(progress) if p.standing is Standing.JUDGED and not p.running]
        paused_at_once = max(paused_at_once, len([i for i in waiting if i not in dropped]))
        if not running:
            return finished, dropped, paused_at_once
        i = generator.choice(sorted(running))
        goal = running.pop(i)
        if i in fails and progress[i].early is None:
            progress[i] = Progress(Standing.DONE)
        elif goal is Goal.END:
            progress[i] = Progress(Standing.DONE, early[i])
            finished.append(i)
        else:
            progress[i] = Progress(Standing.JUDGED, early[i])


def ranked(early):
    return sorted(
        range(len(early)), key=lambda i: (not math.isfinite(early[i]), -early[i] if early[i] == early[i] else 0, i)
    )


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("seed", range(20))
def test_exactly_the_p_best_go_on_whatever_the_order_of_reports(workers, seed):
    generator = random.Random(seed)
    early = [generator.choice([0.1, 0.2, 0.3, 0.4, math.nan]) for _ in range(9)]  # ties and diverged trials
    p = generator.randint(1, 9)
    finished, dropped, paused = play(StoppingRule(t=9, f=0.3, p=p), early, workers=workers, seed=seed)
    assert sorted(finished) == sorted(ranked(early)[:p])
    assert dropped == set(range(9)) - set(finished)
    assert paused <= p


def test_every_order_of_four_trials_gives_the_same_winners():
    early = [0.5, 0.7, 0.7, 0.2]
    found = {tuple(sorted(play(StoppingRule(t=4, f=0.5, p=2), early, workers=4, seed=s)[0])) for s in range(200)}
    assert found == {(1, 2)}


def test_ties_go_to_the_earlier_trial():
    assert play(StoppingRule(t=3, f=0.5, p=1), [0.5, 0.5, 0.5], workers=3)[0] == [0]


def test_a_trial_without_a_finite_score_is_never_promoted_over_a_finite_one():
    assert play(StoppingRule(t=3, f=0.5, p=1), [math.nan, -math.inf, 0.0], workers=1)[0] == [2]


def test_a_trial_that_fails_before_it_is_judged_takes_no_place():
    finished, _, _ = play(StoppingRule(t=3, f=0.5, p=2), [0.9, 0.5, 0.4], workers=1, fails={0})
    assert sorted(finished) == [1, 2]


def test_the_leader_goes_on_before_all_are_judged_only_when_that_is_certain():
    schedule = Schedule.of(StoppingRule(t=3, f=0.5, p=2), EVALUATIONS)
    judged = [Progress(Standing.JUDGED, 0.9), Progress(Standing.JUDGED, 0.8), Progress(running=True)]
    assert schedule.decide(judged).run == ((0, Goal.END),)


def test_without_a_rule_every_trial_runs_straight_to_its_end():
    decision = Schedule.of(StoppingRule.full(3), EVALUATIONS).decide([Progress()] * 3)
    assert decision.run == tuple((i, Goal.END) for i in range(3))


def test_a_stopped_trial_goes_on_when_p_grows():
    progress = [Progress(Standing.DONE, 0.9), Progress(Standing.JUDGED, 0.8), Progress(Standing.JUDGED, 0.1)]
    assert Schedule.of(StoppingRule(t=3, f=0.5, p=2), EVALUATIONS).decide(progress).run == ((1, Goal.END),)


def test_decisions_are_a_function_of_progress_alone():
    schedule = Schedule.of(StoppingRule(t=2, f=0.5, p=1), EVALUATIONS)
    states = [Progress(), Progress(Standing.JUDGED, 0.3), Progress(Standing.DONE, 0.4)]
    for progress in itertools.product(states, repeat=2):
        assert schedule.decide(progress) == schedule.decide(list(progress))


def test_a_fraction_between_evaluations_is_refused_with_those_there_are():
    with pytest.raises(
        RequestError,
        match=r"must fall on an evaluation, not 0\.5; the evaluations are at these fractions: 0\.333, 0\.667, 1",
    ):
        Schedule.of(StoppingRule(t=4, f=0.5, p=1), (78, 156, 234))


def test_of_many_evaluations_the_nearest_are_named():
    with pytest.raises(
        RequestError,
        match=r"not 0\.015; of its 80 evaluations the nearest are at these fractions: 0\.013, 0\.025, 0\.03[78], 0\.05\.",
    ):
        Schedule.of(StoppingRule(t=4, f=0.015, p=1), tuple(range(100, 8001, 100)))


@pytest.mark.parametrize("steps", [(23, 47, 70, 94, 117, 140, 164, 187, 211, 234), (78, 156, 234), (3333, 6666, 10000)])
def test_every_fraction_that_is_printed_is_accepted(steps):
    for step, fraction in zip(steps, fractions(steps), strict=True):
        assert Schedule.of(StoppingRule(t=4, f=fraction, p=1), steps).fraction_step == step


def test_a_schedule_survives_json():
    schedule = Schedule.of(StoppingRule(t=4, f=0.5, p=1), EVALUATIONS)
    assert Schedule.from_json(schedule.to_json()) == schedule
