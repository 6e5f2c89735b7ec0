"""Does a worker hold several trials, share its time out among them, and survive what one of them dies of?"""

import io
import json
import threading
import weakref
from dataclasses import replace

import pytest
import torch

from seedwise import Seeds, Trial
from seedwise.data.tokens import tokenize
from seedwise.engines.engine import COMPILED, FUSED, PACKED, PLAIN, Alone, Engine
from seedwise.engines.stack import Stack
from seedwise.executors.base import Job
from seedwise.executors.workers import job as attempt
from seedwise.executors.workers.job import Clock
from seedwise.executors.workers.worker import Worker
from seedwise.values.facts import Environment

pytestmark = pytest.mark.slow  # trains in a worker


@pytest.fixture
def data(task, recipe):
    return tokenize(task, recipe.model, recipe.max_length).folder


@pytest.fixture
def jobs(task, recipe):
    return [Job(Trial(task, recipe, Seeds(k, k)), 4, 0) for k in range(1, 4)]


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def held(tmp_path, out, stop):
    """A worker that is this process."""
    return Worker(tmp_path, "cpu", out, stop)


def said(out):
    """Kind of message and whose it is, of all messages but measurements."""
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    return [(message["message"], message["trial_id"]) for message in messages if message["message"] != "Measured"]


def ids(jobs):
    return [job.trial.id for job in jobs]


def to_the_end(held):
    while held.busy:
        held.advance()


@pytest.mark.parametrize(("engine", "kind"), [(PLAIN, Alone), (PACKED, Alone), (COMPILED, Alone), (FUSED, Stack)])
def test_only_fused_trials_train_together(engine, kind):
    assert isinstance(engine.stepper("cpu"), kind)


def test_trials_join_at_any_step_and_each_leaves_at_its_own(held, out, jobs, data):
    first, second, _ = jobs
    held.take_up(first, data, FUSED, 2)
    held.advance()
    held.take_up(second, data, FUSED, 2)
    to_the_end(held)
    assert said(out) == [
        ("Started", first.trial.id),
        ("Started", second.trial.id),
        ("Paused", first.trial.id),
        ("Paused", second.trial.id),
    ]


def test_a_stop_puts_all_trials_aside_after_the_step_and_takes_none_up(held, out, stop, jobs, data, tmp_path):
    for job in jobs[:2]:
        held.take_up(job, data, FUSED, 3)
    stop.set()
    held.take_up(jobs[2], data, FUSED, 3)
    held.advance()
    assert not held.busy
    assert said(out)[2:] == [("Interrupted", trial_id) for trial_id in [jobs[2].trial.id, *ids(jobs[:2])]]
    assert {path.name.split(".")[0] for path in tmp_path.glob("*.safetensors")} == set(ids(jobs[:2]))


def test_a_job_that_is_done_already_is_only_reported(held, out, jobs, data):
    held.take_up(jobs[0], data, PACKED, 1)
    to_the_end(held)
    again = Job(jobs[0].trial, 4, 4)
    held.take_up(again, data, PACKED, 1)
    assert not held.busy
    assert said(out)[2:] == [("Started", jobs[0].trial.id), ("Paused", jobs[0].trial.id)]


def test_a_trial_for_which_there_is_no_memory_goes_back_and_the_others_go_on(held, out, jobs, data, monkeypatch):
    held.take_up(jobs[0], data, FUSED, 3)
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "begin", _raising(torch.OutOfMemoryError("no memory")))
        held.take_up(jobs[1], data, FUSED, 3)
    to_the_end(held)
    assert said(out) == [
        ("Started", jobs[0].trial.id),
        ("Returned", jobs[1].trial.id),
        ("Paused", jobs[0].trial.id),
    ]


def test_a_trial_for_which_there_is_no_memory_alone_fails(held, out, jobs, data, monkeypatch):
    monkeypatch.setattr(Engine, "begin", _raising(MemoryError()))
    held.take_up(jobs[0], data, FUSED, 3)
    assert said(out) == [("Failed", jobs[0].trial.id)]


def test_memory_that_runs_out_with_several_trials_ends_the_worker_which_is_replaced(held, jobs, data, monkeypatch):
    for job in jobs[:2]:
        held.take_up(job, data, FUSED, 3)
    monkeypatch.setattr(Stack, "step", _raising(torch.OutOfMemoryError("no memory")))
    with pytest.raises(torch.OutOfMemoryError):
        held.advance()


def test_an_error_in_a_step_fails_all_that_took_it_and_the_worker_goes_on(held, out, jobs, data, monkeypatch):
    for job in jobs[:2]:
        held.take_up(job, data, FUSED, 3)
    with monkeypatch.context() as patch:
        patch.setattr(Stack, "step", _raising(ArithmeticError("it broke")))
        held.advance()
    assert said(out)[2:] == [("Failed", trial_id) for trial_id in ids(jobs[:2])]
    held.take_up(jobs[2], data, FUSED, 3)
    to_the_end(held)
    assert said(out)[-1] == ("Paused", jobs[2].trial.id)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    ],
)
def test_memory_that_runs_out_in_torchs_other_words_is_told_as_such(held, out, jobs, data, monkeypatch, error):
    held.take_up(jobs[0], data, FUSED, 3)
    monkeypatch.setattr(Engine, "begin", _raising(error))
    held.take_up(jobs[1], data, FUSED, 3)
    assert said(out)[-1] == ("Returned", jobs[1].trial.id)


def test_a_checkpoint_with_other_masks_stops_the_study_in_one_sentence_and_stays(held, out, jobs, data, tmp_path):
    first = replace(jobs[0], until=3)
    held.take_up(first, data, PLAIN, 1)
    to_the_end(held)
    (file,) = tmp_path.glob("*.safetensors")
    written = file.read_bytes()
    held.take_up(replace(first, until=4, stored=3), data, PACKED, 1)
    failed = json.loads(out.getvalue().splitlines()[-1])
    assert (failed["message"], failed["cause"], held.busy) == ("Failed", "storage", False)
    assert "must be continued with the dropout masks it was trained with (library)" in failed["error"]
    assert file.read_bytes() == written


def test_a_trial_with_other_masks_than_those_on_record_is_refused(held, out, jobs, data):
    held.take_up(replace(jobs[0], environment=Environment(engine="packed")), data, PLAIN, 1)
    failed = json.loads(out.getvalue().splitlines()[-1])
    assert failed["error"] == (
        "the trials on record have other dropout masks than the library ones of the engine plain; choose an engine that has "
        "theirs."
    )


def test_a_worker_without_trials_keeps_no_stack(held, jobs, data):
    held.take_up(jobs[0], data, FUSED, 2)
    held.advance()
    stack = weakref.ref(held._stepper)
    to_the_end(held)
    assert stack() is None


def test_time_is_shared_out_evenly_and_none_is_lost(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(attempt.time, "monotonic", lambda: now[0])
    clock = Clock()
    clock.join("a")
    now[0] = 4.0  # alone
    clock.join("b")
    now[0] = 10.0  # two
    clock.leave("b")
    now[0] = 11.0  # alone again
    assert clock.lap("a") == 4.0 + 3.0 + 1.0
    assert clock.lap("a") == 0.0


def _raising(error):
    def raises(*_, **__):
        raise error

    return raises
