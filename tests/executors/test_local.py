"""Do real worker processes give the same study, however many there are and however often they are killed?"""

import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from seedwise import Analysis, LocalExecutor, Seeds, SeedwiseError, StoppingRule, Study, Trial, TrialState, WorkError
from seedwise.data.tokens import tokenize
from seedwise.engines.engine import PLAIN
from seedwise.executors.base import Job
from seedwise.executors.messages import Failed, Interrupted
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.session import LocalSession
from seedwise.training.loop import begin, train
from seedwise.values.record import Cause
from tolerances import ulps
from workers import content, workers_of

pytestmark = pytest.mark.slow  # nearly every test starts worker processes

RULE = StoppingRule(t=5, f=0.3, p=2)


def run(folder, task, recipe, *, workers=1, rule=RULE, seeds=None, on_progress=None, extend=False):
    seeds = Seeds.paired(rule.t) if seeds is None else seeds
    with Study.create(folder, tasks=[task], recipes=[recipe], seeds=seeds, rule=rule, extend=extend) as study:
        study.run(LocalExecutor("plain", workers=workers), on_progress)
    return folder


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, task, recipe):
    return run(tmp_path_factory.mktemp("undisturbed") / "study", task, recipe)


def test_the_rule_starts_t_and_keeps_the_p_best(undisturbed):
    with Study.open(undisturbed) as study:
        records = study.trials
        early = [max(score for step, score in r.scores if step <= 7) for r in records]
        best = sorted(range(5), key=lambda i: (-early[i], i))[:2]
        assert [r.state for r in records] == [
            TrialState.COMPLETE if i in best else TrialState.STOPPED for i in range(5)
        ]
        assert {r.last_step for r in records if r.state is TrialState.STOPPED} == {7}
        assert {r.last_step for r in records if r.state is TrialState.COMPLETE} == {24}


def test_curves_equal_those_of_the_loop_itself(undisturbed, task, recipe):
    data = tokenize(task, recipe.model, recipe.max_length)
    with Study.open(undisturbed) as study:
        for record in study.trials:
            measured = list(train(begin(record.trial, data), record.last_step))
            assert study.store.losses(record.id).tolist() == pytest.approx(
                [m.loss for m in measured], rel=ulps(1)
            )  # kept as float32
            assert [m.metrics for m in record.evaluations] == [m.metrics for m in measured if m.metrics]


def test_nothing_but_the_winner_is_left_on_disk(undisturbed):
    assert not list((undisturbed / "checkpoints").iterdir())
    assert (undisturbed / "best" / "model.safetensors").exists()


def test_two_workers_give_the_same_study_as_one(undisturbed, tmp_path, task, recipe):
    assert content(run(tmp_path / "study", task, recipe, workers=2)) == content(undisturbed)


def test_a_second_run_has_nothing_to_do(tmp_path, task, recipe, undisturbed):
    folder = run(tmp_path / "study", task, recipe)
    with Study.open(folder) as study:
        before = len(study.store.events())
    run(folder, task, recipe)
    with Study.open(folder) as study:
        assert len(study.store.events()) == before
    assert content(folder) == content(undisturbed)


def test_predictions_are_kept_and_agree_with_the_metrics(undisturbed, task, recipe):
    data = tokenize(task, recipe.model, recipe.max_length)
    with Study.open(undisturbed) as study:
        right = study.targets(task)
        assert [right.validation.tolist(), right.test.tolist()] == [
            data.validation.labels.tolist(),
            data.test.labels.tolist(),
        ]
        for record in study.trials:
            kept = study.predictions(record.id)
            assert kept.step == record.best_step == record.best[0]
            assert (kept.validation.argmax(1) == data.validation.labels).mean() == pytest.approx(record.best[1])
            assert (kept.test.argmax(1) == data.test.labels).mean() == pytest.approx(record.test_metrics["accuracy"])


def test_the_winners_card_says_how_sure_its_test_score_is(undisturbed):
    with Study.open(undisturbed) as study:
        found = Analysis(study).test_interval()
    said = f"{found.lower:.4f} to {found.upper:.4f}, a 95% interval)"
    assert said in (undisturbed / "best" / "README.md").read_text("utf-8")


def test_an_extended_study_equals_one_that_was_whole_from_the_start(tmp_path, task, recipe, undisturbed):
    folder = run(tmp_path / "study", task, recipe, rule=StoppingRule(t=3, f=0.3, p=1))
    run(folder, task, recipe, extend=True)
    extended, whole = content(folder), content(undisturbed)
    # What was once among the best of three stays complete; all that the whole study holds is there, equal.
    for key, (state, *rest) in whole.items():
        if state is TrialState.COMPLETE:
            assert extended[key] == (state, *rest)
        assert extended[key][1][: len(rest[0])] == rest[0]


def test_a_killed_worker_is_replaced_and_its_trial_goes_on_bit_for_bit(tmp_path, task, recipe, undisturbed):
    killed = []

    def kill_once(progress):
        victims = workers_of(os.getpid())
        if progress.evaluations_done in (2, 6) and progress.evaluations_done not in killed and victims:
            killed.append(progress.evaluations_done)
            os.kill(victims[0], signal.SIGKILL)

    folder = run(tmp_path / "study", task, recipe, on_progress=kill_once)
    assert killed
    assert content(folder) == content(undisturbed)
    with Study.open(folder) as study:
        assert sum(r.attempts for r in study.trials) > 5 + 2
        assert not [e for e in study.store.events() if e.kind == "replay differs"]


def test_stopping_does_not_wait_for_workers_that_are_still_loading(tmp_path, task, recipe, monkeypatch):
    monkeypatch.setattr("seedwise.executors.workers.session.PATIENCE", math.inf)  # it would wait for good
    trial = Trial(task, recipe, Seeds(1, 1))
    session = LocalSession(
        tmp_path, PreparedTasks({(task.id, recipe.id): tmp_path}), ["cpu"], 1, engine_of=lambda _: PLAIN
    )
    session._processes[0]._command = [sys.executable, "-c", "import time; time.sleep(1000)"]
    with session:
        session.submit(Job(trial, 3, 0))
        assert session.stop() == [Interrupted(trial.id)]


def test_half_a_report_of_a_worker_that_dies_is_none(tmp_path, task, recipe):
    half = 'import sys; sys.stdin.readline(); print(\'{"message": "Paused", "tri\', end=\'\')'
    trial = Trial(task, recipe, Seeds(1, 1))
    session = LocalSession(
        tmp_path, PreparedTasks({(task.id, recipe.id): tmp_path}), ["cpu"], 1, engine_of=lambda _: PLAIN
    )
    session._processes[0]._command = [sys.executable, "-c", half]
    with session:
        session.submit(Job(trial, 3, 0))
        while not (reports := session.wait(1.0)):
            pass
    assert reports == [Failed(trial.id, "the worker died 3 times, last: exit code 0")]


def test_a_trial_whose_worker_dies_three_times_fails_and_the_rest_goes_on(tmp_path, task, recipe):
    def kill_the_first_trial(progress):
        if progress.states[TrialState.FAILED] == 0:
            for victim in workers_of(os.getpid()):
                os.kill(victim, signal.SIGKILL)
            time.sleep(0.2)

    folder = run(tmp_path / "study", task, recipe, on_progress=kill_the_first_trial, rule=StoppingRule(t=3, f=0.3, p=1))
    with Study.open(folder) as study:
        states = [r.state for r in study.trials]
        assert states.count(TrialState.FAILED) == 1
        assert states.count(TrialState.COMPLETE) == 1
        failed = next(r for r in study.trials if r.state is TrialState.FAILED)
        assert "died 3 times" in failed.error
        assert "signal 9" in failed.error


STUDY_IN_A_PROCESS = """
import sys
sys.path.insert(0, sys.argv[1])
from seedwise import *
task, recipe = Task.from_json({task}), Recipe.from_json({recipe})
with Study.create(sys.argv[2], tasks=[task], recipes=[recipe], seeds=Seeds.paired(5), rule=StoppingRule(5, 0.3, 2)) as s:
    s.run(LocalExecutor("plain", workers=2))
"""


def start_study(folder, task, recipe):
    code = STUDY_IN_A_PROCESS.format(task=task.to_json(), recipe=recipe.to_json())
    return subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(folder)], stderr=subprocess.PIPE
    )


def wait_for_evaluations(folder, count, process):
    while process.poll() is None:
        try:
            with Study.open(folder) as study:
                if sum(len(r.evaluations) for r in study.trials) >= count:
                    return
        except SeedwiseError:  # not there yet
            pass
        time.sleep(0.02)


def test_a_study_killed_twice_equals_an_undisturbed_one(tmp_path, task, recipe, undisturbed):
    folder = tmp_path / "study"
    for count in (3, 9):
        process = start_study(folder, task, recipe)
        wait_for_evaluations(folder, count, process)
        process.kill()
        process.wait()
        process.stderr.close()
    process = start_study(folder, task, recipe)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert content(folder) == content(undisturbed)


def test_ctrl_c_puts_trials_aside_and_the_same_command_continues(tmp_path, task, recipe, undisturbed):
    folder = tmp_path / "study"
    process = start_study(folder, task, recipe)
    wait_for_evaluations(folder, 3, process)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    with Study.open(folder) as study:
        assert not [r for r in study.trials if r.state is TrialState.RUNNING]
    run(folder, task, recipe)
    assert content(folder) == content(undisturbed)


def test_a_diverged_trial_fails_with_its_curve_and_is_never_promoted(tmp_path, task, recipe):
    wild = replace(recipe, learning_rate=1e30, max_grad_norm=0.0)
    with Study.create(tmp_path / "s", tasks=[task], recipes=[recipe, wild], seeds=Seeds.paired(2)) as study:
        with pytest.raises(WorkError, match="trial"):
            study_with_only(tmp_path / "w", task, wild)
        study.run(LocalExecutor("plain", workers=1))
        by_recipe = {r.trial.recipe.id: [] for r in study.trials}
        for record in study.trials:
            by_recipe[record.trial.recipe.id].append(record)
        assert all(r.state is TrialState.FAILED and r.cause is Cause.DIVERGED for r in by_recipe[wild.id])
        assert all(r.evaluations for r in by_recipe[wild.id])
        assert study.best_trial().trial.recipe == recipe


def study_with_only(folder, task, recipe):
    with Study.create(folder, tasks=[task], recipes=[recipe], seeds=Seeds.paired(2)) as study:
        study.run(LocalExecutor("plain", workers=1))


@contextmanager
def little_room():
    """Let no file grow beyond 150 kB: enough for the study file, too little for a checkpoint."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_the_study_which_stays_readable_and_goes_on_later(tmp_path, task, recipe, undisturbed):
    folder = tmp_path / "study"
    with little_room(), pytest.raises(WorkError, match=r"cannot be written.*run again"):
        run(folder, task, recipe)
    with Study.open(folder) as study:
        assert study.trials[0].evaluations
    run(folder, task, recipe)
    assert content(folder) == content(undisturbed)


def test_no_worker_outlives_the_study(tmp_path, task, recipe):
    run(tmp_path / "study", task, recipe, workers=2, rule=StoppingRule(t=2, f=0.3, p=1))
    assert workers_of(os.getpid()) == []
    assert threading.active_count() < 10
