"""Is a study run to its end as the rule says, whatever fails, is killed or is added on the way?"""

import itertools
import json
import math
import random
from dataclasses import replace

import pytest

from replay import ReplayExecutor, ReplaySession
from seedwise import Analysis, Recipe, RequestError, Seeds, StoppingRule, Study, Task, TrialState, WorkError
from seedwise.errors import StorageError
from seedwise.executors.messages import Failed
from seedwise.store.store import Store
from seedwise.values.facts import Environment
from seedwise.values.record import Cause

TASK = Task.glue("rte")
RECIPE = Recipe(model="m", batch_size=8, num_train_epochs=1, evaluations="every 1 steps")


def table(rows, columns, seed):
    generator = random.Random(seed)
    return [[round(generator.random(), 2) for _ in range(columns)] for _ in range(rows)]


def create(folder, t, rule=None, *, tasks=(TASK,), extend=False):
    return Study.create(folder, tasks=tasks, recipes=[RECIPE], seeds=Seeds.paired(t), rule=rule, extend=extend)


def run(folder, executor, rule, **more):
    with create(folder, rule.t, rule, **more) as study:
        study.run(executor)
    return states(folder)


def states(folder):
    with Study.open(folder) as study:
        return [record.state for record in study.trials]


@pytest.mark.parametrize("workers", [1, 3, 10])
@pytest.mark.parametrize("seed", range(5))
def test_the_result_is_the_best_final_score_of_the_p_best_early_ones(tmp_path, workers, seed):
    scores, rule = table(10, 10, seed), StoppingRule(t=10, f=0.3, p=4)
    run(tmp_path / "s", ReplayExecutor(scores, workers=workers), rule)
    kept = sorted(range(10), key=lambda i: (-max(scores[i][:3]), i))[:4]
    with Study.open(tmp_path / "s") as study:
        assert [i for i, r in enumerate(study.trials) if r.state is TrialState.COMPLETE] == sorted(kept)
        assert study.best_trial().best[1] == max(max(scores[i]) for i in kept)
        assert Analysis(study).summary()[0].cost == pytest.approx(rule.cost())


def test_the_live_rule_over_every_subset_of_a_small_study(tmp_path):
    scores = table(5, 4, seed=3)
    for number, subset in enumerate(itertools.combinations(range(5), 3)):
        chosen = [scores[i] for i in subset]
        run(tmp_path / str(number), ReplayExecutor(chosen), StoppingRule(t=3, f=0.5, p=1))
        survivor = max(range(3), key=lambda i: (max(chosen[i][:2]), -i))
        with Study.open(tmp_path / str(number)) as study:
            assert study.best_trial().best[1] == max(chosen[survivor])


def test_no_more_than_p_checkpoints_and_those_in_flight_are_kept(tmp_path):
    executor = ReplayExecutor(table(30, 10, seed=1), workers=2)
    run(tmp_path / "s", executor, StoppingRule(t=30, f=0.3, p=3))
    assert executor.most_kept <= 3 + 2


@pytest.mark.parametrize("crash_after", [0, 1, 5, 12, 17, 25])
def test_a_study_killed_anywhere_ends_like_an_undisturbed_one(tmp_path, crash_after):
    scores, rule = table(6, 10, seed=2), StoppingRule(t=6, f=0.3, p=2)
    expected = run(tmp_path / "a", ReplayExecutor(scores), rule)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "b", ReplayExecutor(scores, crash_after=crash_after), rule)
    assert run(tmp_path / "b", ReplayExecutor(scores), rule) == expected
    with Study.open(tmp_path / "a") as a, Study.open(tmp_path / "b") as b:
        assert [r.evaluations for r in a.trials] == [r.evaluations for r in b.trials]


def test_a_second_run_starts_nothing(tmp_path):
    scores, rule = table(4, 10, seed=2), StoppingRule(t=4, f=0.3, p=2)
    run(tmp_path / "s", ReplayExecutor(scores), rule)
    again = ReplayExecutor(scores)
    run(tmp_path / "s", again, rule)
    assert again.started == []
    assert again.exported == []


def test_a_study_that_is_extended_runs_only_what_is_missing(tmp_path):
    scores = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.2, 0.9]]
    run(tmp_path / "s", ReplayExecutor(scores), StoppingRule(t=2, f=0.5, p=1))
    more = ReplayExecutor(scores)
    assert run(tmp_path / "s", more, StoppingRule(t=4, f=0.5, p=1), extend=True) == [
        TrialState.STOPPED,
        TrialState.COMPLETE,
        TrialState.COMPLETE,
        TrialState.STOPPED,
    ]
    assert more.started == [3, 4, 3]


def test_the_executor_is_told_what_is_left_to_train(tmp_path):
    told = []

    class Told(ReplayExecutor):
        def open(self, folder, work):
            told.append([(item.trials, item.steps, item.environment.to_json()) for item in work])
            return super().open(folder, work)

    scores, rule = table(4, 10, seed=2), StoppingRule(t=4, f=0.3, p=2)
    run(tmp_path / "s", Told(scores), rule)
    run(tmp_path / "s", Told(scores), rule)
    assert told == [[(4, 4 * 3 + 2 * 7, {})], [(0, 0, {})]]


def test_a_larger_p_takes_a_stopped_trial_up_again(tmp_path):
    scores = [[0.1, 0.9], [0.3, 0.4]]
    run(tmp_path / "s", ReplayExecutor(scores), StoppingRule(t=2, f=0.5, p=1))
    executor = ReplayExecutor(scores)
    assert run(tmp_path / "s", executor, StoppingRule(t=2, f=0.5, p=2), extend=True) == [TrialState.COMPLETE] * 2
    with Study.open(tmp_path / "s") as study:
        assert study.best_trial().best == (2, 0.9)
        assert json.loads((tmp_path / "s" / "best" / "seedwise.json").read_text())["trial"] == study.best_trial().id


def test_trials_without_a_finite_score_are_not_promoted(tmp_path):
    scores = [[math.nan, math.nan], [0.1, 0.2], [math.nan, 0.9]]
    found = run(tmp_path / "s", ReplayExecutor(scores), StoppingRule(t=3, f=0.5, p=1))
    assert found == [TrialState.STOPPED, TrialState.COMPLETE, TrialState.STOPPED]


def test_a_failed_trial_leaves_its_place_to_the_next_and_is_tried_again_later(tmp_path):
    scores, rule = table(3, 2, seed=0), StoppingRule(t=3, f=0.5, p=1)
    first = run(tmp_path / "s", ReplayExecutor(scores, fail=[2]), rule)
    assert first[1] is TrialState.FAILED
    assert first.count(TrialState.COMPLETE) == 1
    assert TrialState.FAILED not in run(tmp_path / "s", ReplayExecutor(scores), rule)


def test_a_trial_that_diverges_after_its_promotion_gives_its_place_to_the_next(tmp_path):
    scores, rule = [[0.5, 0.6], [0.9, 0.9], [0.7, 0.8]], StoppingRule(t=3, f=0.5, p=1)
    executor = ReplayExecutor(scores, diverge={2: 2})
    found = run(tmp_path / "s", executor, rule)
    assert found == [TrialState.STOPPED, TrialState.FAILED, TrialState.COMPLETE]
    assert executor.started == [1, 2, 3, 2, 3]
    assert run(tmp_path / "s", ReplayExecutor(scores), rule) == found  # and is not tried again
    with Study.open(tmp_path / "s") as study:
        assert study.best_trial().best == (2, 0.8)
        diverged = study.trials[1]
        assert (diverged.best_step, study.store.predictions(diverged.id).step) == (1, 1)


def test_a_disk_that_is_full_for_one_worker_costs_the_other_nothing(tmp_path, monkeypatch):
    wait = ReplaySession.wait

    def wait_in_vain_for_the_first(session, seconds):
        reports = wait(session, seconds)
        if {report.trial_id for report in reports} == {first}:
            return [reports[0], Failed(first, "the disk is full", Cause.STORAGE), *wait(session, seconds)]
        return reports

    monkeypatch.setattr(ReplaySession, "wait", wait_in_vain_for_the_first)
    scores = table(2, 2, 0)
    with create(tmp_path / "s", 2) as study:
        second, first = (record.id for record in study.trials)  # the last to be submitted is the first to report
        with pytest.raises(StorageError, match="the disk is full"):
            study.run(ReplayExecutor(scores, workers=2))
        assert {r.id: r.state for r in study.trials} == {second: TrialState.COMPLETE, first: TrialState.WAITING}


def test_after_a_report_that_could_not_be_stored_the_trial_waits_for_another_time(tmp_path, monkeypatch):
    append, full = Store.append, True

    def append_to_a_small_disk(store, trial_id, measurements, seconds):
        if full and measurements[0].step == 2 and trial_id == first:
            raise StorageError("the disk is full")
        append(store, trial_id, measurements, seconds)

    monkeypatch.setattr(Store, "append", append_to_a_small_disk)
    executor = ReplayExecutor(table(2, 4, 0), workers=2)
    with create(tmp_path / "s", 2) as study:
        second, first = (record.id for record in study.trials)
        with pytest.raises(StorageError, match="the disk is full"):
            study.run(executor)
        assert len(study.store.record(first).evaluations) == 1
        full = False
        study.run(executor)
        assert [record.state for record in study.trials] == [TrialState.COMPLETE] * 2
        assert study.store.record(second).attempts <= 2


def test_when_every_trial_fails_the_study_says_why(tmp_path):
    with pytest.raises(WorkError, match=r"no trial of rte could be completed: 2 started.*it would not.*is kept"):
        run(tmp_path / "s", ReplayExecutor(table(2, 2, 0), fail=[1, 2]), StoppingRule(t=2, f=0.5, p=1))


def test_seeds_that_draw_the_same_are_refused(tmp_path, monkeypatch):
    import replay

    start = replay.Started
    monkeypatch.setattr(
        replay, "Started", lambda trial_id, *_: start(trial_id, {"init": "same", "order": trial_id}, Environment())
    )
    with pytest.raises(WorkError, match="your seeds are secretly one: init seeds 2 and 1"):
        run(tmp_path / "s", ReplayExecutor(table(2, 2, 0)), StoppingRule(t=2, f=0.5, p=1))


def test_a_fraction_on_no_evaluation_is_refused_before_anything_runs_and_may_be_mended(tmp_path):
    executor = ReplayExecutor(table(2, 10, 0))
    twice = RECIPE.with_changes(evaluations="2 per run")

    def run_at(f):
        rule = StoppingRule(t=2, f=f, p=1)
        with Study.create(tmp_path / "s", tasks=[TASK], recipes=[twice], seeds=Seeds.paired(2), rule=rule) as study:
            study.run(executor)

    with pytest.raises(
        RequestError, match=r"must fall on an evaluation, not 0\.3; the evaluations are at these fractions: 0\.5, 1"
    ):
        run_at(0.3)
    assert executor.started == []
    run_at(0.5)


def test_what_cannot_be_run_is_taken_back_and_the_study_goes_on(tmp_path):
    executor, rule = ReplayExecutor(table(2, 10, 0)), StoppingRule(t=2, f=0.3, p=1)
    before = run(tmp_path / "s", executor, rule)
    twice = RECIPE.with_changes(evaluations="2 per run")
    larger = StoppingRule(t=2, f=0.3, p=2)
    with Study.create(
        tmp_path / "s", tasks=[TASK], recipes=[twice], seeds=Seeds.paired(2), rule=larger, extend=True
    ) as study:
        assert len(study.trials) == 4
        with pytest.raises(RequestError, match="must fall on an evaluation"):
            study.run(executor)
        assert study.rule == rule
    assert run(tmp_path / "s", executor, rule) == before


def test_the_rule_counts_every_seed_also_after_an_extension_with_fewer(tmp_path):
    scores = table(3, 2, 0)
    run(tmp_path / "s", ReplayExecutor(scores), StoppingRule(t=3, f=0.5, p=1))
    run(tmp_path / "s", ReplayExecutor(scores), StoppingRule(t=2, f=0.5, p=1), extend=True)
    with Study.open(tmp_path / "s") as study:
        assert study.rule == StoppingRule(t=3, f=0.5, p=1)


@pytest.mark.parametrize("name", ["best", "checkpoints"])
def test_a_folder_with_somebody_elses_files_is_refused(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(RequestError, match=f"holds no study but a {name} of something else"):
        create(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_winner_never_replaces_what_is_not_ours(tmp_path):
    scores, rule = table(2, 2, 0), StoppingRule(t=2, f=0.5, p=1)
    with create(tmp_path / "s", 2, rule) as study:
        (tmp_path / "s" / "best").mkdir()
        (tmp_path / "s" / "best" / "thesis.txt").write_text("mine")
        with pytest.raises(WorkError, match="holds something else than a winner of this study; move it away"):
            study.run(ReplayExecutor(scores))
    assert (tmp_path / "s" / "best" / "thesis.txt").read_text() == "mine"


def test_names_that_are_written_alike_get_folders_of_their_own(tmp_path):
    tasks = [replace(Task.glue("rte"), name=name) for name in ("a b", "a-b", "A*B", "..")]
    assert len(set(tasks)) == 4
    run(tmp_path / "s", ReplayExecutor(table(2, 2, 0)), StoppingRule(t=2, f=0.5, p=1), tasks=tasks)
    names = sorted(path.name for path in (tmp_path / "s" / "best").iterdir())
    assert [name.rpartition("-")[0].lower() for name in names if name != "task"] == ["a-b"] * 3
    assert "task" in names


def test_two_tasks_each_have_a_winner_also_when_one_comes_later(tmp_path):
    other = Task.glue("wnli")
    scores, rule = table(2, 2, 0), StoppingRule(t=2, f=0.5, p=1)
    run(tmp_path / "s", ReplayExecutor(scores), rule)
    run(tmp_path / "s", ReplayExecutor(scores), rule, tasks=(TASK, other), extend=True)
    assert sorted(path.name for path in (tmp_path / "s" / "best").iterdir()) == ["rte", "wnli"]


def test_progress_counts_down_to_nothing(tmp_path):
    seen = []
    with create(tmp_path / "s", 5, StoppingRule(t=5, f=0.3, p=2)) as study:
        study.run(ReplayExecutor(table(5, 10, 1), workers=2), seen.append)
    totals = {progress.evaluations_done + progress.evaluations_left for progress in seen}
    assert totals == {5 * 3 + 2 * 7}
    assert seen[-1].evaluations_left == 0
    assert seen[-1].states[TrialState.COMPLETE] == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tasks": (Task.glue("wnli"),)}, r"holds another study \(task rte, not wnli\); .*--extend.*another directory"),
        ({"t": 3}, r"holds another study \(2 trials, not 3"),
        ({"rule": StoppingRule(t=2, f=1.0, p=1)}, r"holds a study with f = 0\.5 and p = 1, not f = 1 and p = 1"),
        ({"rule": None}, "holds a study with f = 0.5 and p = 1, not no stopping rule"),
    ],
)
def test_a_directory_that_holds_another_study_is_refused(tmp_path, change, sentence):
    rule = StoppingRule(t=2, f=0.5, p=1)
    before = run(tmp_path / "s", ReplayExecutor(table(2, 2, 0)), rule)
    asked = {"t": 2, "rule": rule, **change}
    if asked["t"] != 2:
        asked["rule"] = StoppingRule(t=asked["t"], f=0.5, p=1)
    with pytest.raises(RequestError, match=sentence):
        create(tmp_path / "s", **asked)
    assert states(tmp_path / "s") == before


def test_a_rule_must_have_as_many_trials_as_there_are_seeds(tmp_path):
    with pytest.raises(RequestError, match="t must be the number of seeds, not t = 3 with 2 seeds"):
        create(tmp_path / "s", 2, StoppingRule(t=3, f=0.5, p=1))
