"""Do jobs find a worker that they can join, and come back where a worker has no memory for one more?"""

import sys
from dataclasses import replace

import pytest

from seedwise import Seeds, Trial
from seedwise.engines.engine import FUSED, PACKED
from seedwise.executors.base import Job
from seedwise.executors.messages import Interrupted, Started
from seedwise.executors.tasks import PreparedTasks
from seedwise.executors.workers.session import LocalSession

pytestmark = pytest.mark.slow  # nearly every test starts worker processes

# A worker that takes up as many trials as its argument says, and returns the others.
WORKER = """
import json, sys
held = 0
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] != "train":
        continue
    name = NAMES[command["job"]["trial"]["seeds"]["init"] - 1]
    held += 1
    if held <= FITS:
        answer = {"message": "Started", "trial_id": name, "fingerprint": {}, "environment": {}}
    else:
        answer = {"message": "Returned", "trial_id": name, "reason": "OutOfMemoryError"}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def jobs(task, recipe):
    return [Job(Trial(task, recipe, Seeds(k, k)), 3, 0) for k in range(1, 7)]


@pytest.fixture
def open_session(tmp_path, task, recipe, jobs):
    def opened(*, workers=1, width=4, fits=100, engine=FUSED, other=None):
        recipes = [recipe] if other is None else [recipe, other]
        tasks = PreparedTasks({(task.id, one.id): tmp_path for one in recipes})
        devices = ["cpu"] * workers
        session = LocalSession(tmp_path, tasks, devices, 1, width=width, engine_of=lambda _: engine)
        names = [job.trial.id for job in jobs]
        code = WORKER.replace("NAMES", repr(names)).replace("FITS", str(fits))
        for process in session._processes:
            process._command = [sys.executable, "-c", code]
        return session

    return opened


def started(session, count):
    found = []
    while len(found) < count:
        found += [report.trial_id for report in session.wait(5.0) if isinstance(report, Started)]
    return found


def ids(jobs):
    return [job.trial.id for job in jobs]


def test_a_wide_worker_takes_several_jobs(open_session, jobs):
    with open_session(width=4) as session:
        assert session.free == 4
        for job in jobs[:4]:
            session.submit(job)
        assert session.free == 0
        assert started(session, 4) == ids(jobs[:4])


def test_jobs_are_spread_over_the_workers(open_session, jobs):
    with open_session(workers=2, width=4) as session:
        for job in jobs[:4]:
            session.submit(job)
        assert [len(process.jobs) for process in session._processes] == [2, 2]


def test_on_other_paths_a_worker_holds_one_job(open_session, jobs):
    with open_session(width=4, engine=PACKED) as session:
        session.submit(jobs[0])
        assert session.free == 0


def test_a_job_that_cannot_be_stacked_waits_and_the_next_goes_first(open_session, jobs, recipe):
    other = replace(recipe, batch_size=4)
    apart = replace(jobs[1], trial=replace(jobs[1].trial, recipe=other))
    with open_session(width=4, other=other) as session:
        session.submit(jobs[0])
        session.submit(apart)
        session.submit(jobs[2])
        assert list(session._processes[0].jobs) == ids([jobs[0], jobs[2]])
        assert session.free == 1  # four places, two taken, one job that waits
        assert Interrupted(apart.trial.id) in _stopped(session)


def test_a_job_for_which_there_is_no_memory_waits_and_the_worker_is_narrower(open_session, jobs, caplog):
    with open_session(width=4, fits=2) as session:
        for job in jobs[:3]:
            session.submit(job)
        assert started(session, 2) == ids(jobs[:2])
        while session._processes[0].width == 4:
            session.wait(5.0)
        assert session._processes[0].width == 2
        assert [job.trial.id for job in session._waiting] == ids(jobs[2:3])
        assert session.free == 0
    assert caplog.messages == [
        "one trial more does not fit into a worker (OutOfMemoryError); from now on it holds 2 at once."
    ]


def _stopped(session):
    for process in session._processes:
        process.taken_up.clear()  # so that nothing is waited for
    return session.stop()
