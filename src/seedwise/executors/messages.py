"""How do a session and its workers talk? One JSON object a line, in both directions, so that nothing is pickled."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from seedwise.executors.base import Completed, Failed, Interrupted, Job, Measured, Outcome, Paused, Report, Started
from seedwise.values.trial import Measurement, Trial

__all__ = ["Returned", "job_from_json", "job_to_json", "read_report", "write_report"]


@dataclass(frozen=True, slots=True)
class Returned:
    """A worker has no memory for one trial more beside those that it holds; the session has to find it another place."""

    trial_id: str
    reason: str


_REPORTS: dict[str, type] = {
    kind.__name__: kind for kind in (Started, Measured, Paused, Completed, Interrupted, Failed, Returned)
}


def job_to_json(job: Job) -> dict[str, Any]:
    """Return a job as plain JSON."""
    return {"trial": job.trial.to_json(), "until": job.until, "stored": job.stored, "masks": job.masks}


def job_from_json(content: dict[str, Any]) -> Job:
    """Build a job from what ``job_to_json`` returned."""
    return Job(Trial.from_json(content["trial"]), content["until"], content["stored"], content["masks"])


def write_report(report: Report | Returned) -> str:
    """Return a report as one line of JSON; numbers come back equal, also those that are not finite."""
    content = asdict(report)
    if isinstance(report, Measured):
        content["measurements"] = [m.to_json() for m in report.measurements]
    return json.dumps({"report": type(report).__name__, **content})


def read_report(line: str) -> Report | Returned:
    """Build a report from what ``write_report`` returned."""
    content = json.loads(line)
    kind = _REPORTS[content.pop("report")]
    if kind is Measured:
        content["measurements"] = tuple(Measurement.from_json(m) for m in content["measurements"])
    if content.get("outcome") is not None:
        content["outcome"] = Outcome(**content["outcome"])
    report: Report | Returned = kind(**content)
    return report
