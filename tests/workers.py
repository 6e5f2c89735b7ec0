"""What tests of executors look at: the content of a study, and the processes that run it."""

from pathlib import Path

from seedwise import Study


def content(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that a study says of its trials, but not when and how fast."""
    with Study.open(folder) as study:
        return {
            r.id: (
                r.state,
                r.evaluations,
                r.fingerprint,
                r.best_step,
                r.test_metrics,
                study.store.losses(r.id).tolist(),
            )
            for r in study.trials
        }


def workers_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
