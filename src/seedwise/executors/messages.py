"""What does a worker say about a trial? Six messages, and how each travels as one line of JSON, so that nothing is pickled."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from seedwise.values.facts import Environment
from seedwise.values.record import Cause
from seedwise.values.trial import Measurement

__all__ = [
    "Completed",
    "Failed",
    "Interrupted",
    "Measured",
    "Message",
    "Outcome",
    "Paused",
    "Returned",
    "Started",
    "read_message",
    "write_message",
]


@dataclass(frozen=True, slots=True)
class Started:
    """A worker has taken a trial up: what its seeds drew, and what it runs on."""

    trial_id: str
    fingerprint: Mapping[str, str]
    environment: Environment


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements since the last message, up to and including an evaluation."""

    trial_id: str
    measurements: tuple[Measurement, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial at its best evaluation."""

    step: int  # the best evaluation's step
    test_metrics: Mapping[str, float] | None  # metrics on the test rows there; None without test rows
    validation: Sequence[Sequence[float]]  # logits of the validation rows, one list a row
    test: Sequence[Sequence[float]] | None  # logits of the test rows; None without test rows


@dataclass(frozen=True, slots=True)
class Paused:
    """A trial reached its job's step and waits there in a checkpoint."""

    trial_id: str
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Completed:
    """A trial reached the end of its run; the weights of its best evaluation are kept until they are dropped."""

    trial_id: str
    outcome: Outcome | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A trial was put aside because the session was asked to stop."""

    trial_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial cannot go on."""

    trial_id: str  # the trial
    error: str  # why, in one sentence; that of a trial that diverged begins with this word
    cause: Cause = Cause.CRASHED  # what kind of failure it is
    outcome: Outcome | None = None  # the trial at its best evaluation, if it had one


Message = Started | Measured | Paused | Completed | Interrupted | Failed


@dataclass(frozen=True, slots=True)
class Returned:
    """A worker has no memory for one more trial beside those it holds; the session has to place it elsewhere."""

    trial_id: str
    reason: str


_KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (Started, Measured, Paused, Completed, Interrupted, Failed, Returned)
}


def write_message(message: Message | Returned) -> str:
    """Return a message as one line of JSON; numbers come back equal, including those that are not finite."""
    content = asdict(message)
    if isinstance(message, Measured):
        content["measurements"] = [m.to_json() for m in message.measurements]
    if isinstance(message, Started):
        content["environment"] = message.environment.to_json()
    return json.dumps({"message": type(message).__name__, **content})


def read_message(line: str) -> Message | Returned:
    """Build a message from what ``write_message`` returned."""
    content = json.loads(line)
    kind = _KINDS[content.pop("message")]
    if kind is Measured:
        content["measurements"] = tuple(Measurement.from_json(m) for m in content["measurements"])
    if kind is Started:
        content["environment"] = Environment.from_json(content["environment"])
    if content.get("outcome") is not None:
        content["outcome"] = Outcome(**content["outcome"])
    if "cause" in content:
        content["cause"] = Cause(content["cause"])
    message: Message | Returned = kind(**content)
    return message
