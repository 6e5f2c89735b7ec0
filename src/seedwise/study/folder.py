"""Does the request match the study in the folder, and if not, how do the two differ?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seedwise.errors import RequestError
from seedwise.store.store import Store
from seedwise.values.choice import DesignRecord
from seedwise.values.design import STAGES
from seedwise.values.record import TrialRecord, own_trial
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import Trial

__all__ = ["check_free", "check_own", "check_same_design", "check_same_study", "has_begun", "most_seeds"]


def check_free(folder: Path) -> None:
    """Refuse a file, and a folder that already holds other files under the study's names."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder} must be a directory for the study, not a file; choose another directory.")
    if (folder / "study.db").exists():
        return
    for name in ("best", "checkpoints"):
        if (folder / name).exists():
            raise RequestError(
                f"{folder} holds no study but a {name} of something else; choose another directory for the study."
            )


def has_begun(folder: Path, records: Sequence[TrialRecord]) -> bool:
    """Whether any trial ever ran, in this folder's study (its records) or in an earlier stage."""
    if any(record.attempts for record in records):
        return True
    for path in (folder / stage / "study.db" for stage in STAGES):
        if path.exists():
            with Store.create_or_open(path, write=False) as store:
                if any(record.attempts for record in store.records()):
                    return True
    return False


def check_own(folder: Path, records: Sequence[TrialRecord]) -> None:
    """Refuse to train beside imported runs."""
    if any(record.trial.is_imported for record in records):
        raise RequestError(
            f"{folder} holds imported runs, which cannot be run here; choose another directory for trainings of your own."
        )


def check_same_design(folder: Path, held: DesignRecord | None, asked: DesignRecord | None, *, begun: bool) -> None:
    """Refuse to mix a design's trials with other trials or another design's."""
    if held is None and (asked is None or not begun):
        return
    if asked is None:
        assert held is not None
        raise RequestError(
            f"{folder} holds the study {held.design.words}, which takes no other trials; `seedwise run {folder}` alone "
            "continues it, or choose another directory."
        )
    if held is None:
        raise RequestError(
            f"{folder} holds trials of another study than {asked.design.words}; choose another directory."
        )
    if begun and not held.is_of(asked):
        raise RequestError(
            f"{folder} holds the study {held.design.words}, not {asked.design.words} as it is now; `seedwise run "
            f"{folder}` alone continues it, or choose another directory."
        )


def check_same_study(
    folder: Path,
    records: Sequence[TrialRecord],
    kept: StoppingRule | None,
    trials: Sequence[Trial],
    wanted: StoppingRule | None,
    *,
    extend: bool,
) -> None:
    """Refuse a request that belongs to another study, and say how they differ."""
    held = {record.id: own_trial(record) for record in records}
    if not held:
        return
    asked = {trial.id: trial for trial in trials}
    cells, wanted_cells = ({(t.task.id, t.recipe.id) for t in found.values()} for found in (held, asked))
    if not extend and cells != wanted_cells:
        raise RequestError(_holds_another(folder, held, asked))
    if not _may_become(kept, wanted, extend=extend):
        way_out = "a study's f never changes and its p can only grow with --extend; use the same rule"
        raise RequestError(
            f"{folder} holds a study with {_rule_words(kept)}, not {_rule_words(wanted)}; {way_out}, or another directory."
        )
    if not extend and set(asked) != set(held):
        raise RequestError(_holds_another(folder, held, asked))


def _holds_another(folder: Path, held: Mapping[str, Trial], asked: Mapping[str, Trial]) -> str:
    return (
        f"{folder} holds another study ({_difference(held.values(), asked.values())}); "
        "repeat its own command, add --extend to add to it, or choose another directory."
    )


def _may_become(kept: StoppingRule | None, wanted: StoppingRule | None, *, extend: bool) -> bool:
    if kept is None or wanted is None:
        return kept is wanted
    return kept.f == wanted.f and (kept.p == wanted.p or (extend and wanted.p > kept.p))


def most_seeds(trials: Iterable[Trial]) -> int:
    """Return the largest number of seeds that any task and recipe have."""
    return max(Counter((trial.task.id, trial.recipe.id) for trial in {t.id: t for t in trials}.values()).values())


def _rule_words(rule: StoppingRule | None) -> str:
    return "no stopping rule" if rule is None else f"f = {rule.f:g} and p = {rule.p}"


def _difference(held: Iterable[Trial], asked: Iterable[Trial]) -> str:
    """Describe which of task, recipe and seeds differ, the most informative first."""
    held, asked = list(held), list(asked)
    if {trial.task.id for trial in held} != {trial.task.id for trial in asked}:
        return _change("task", {t.task.name for t in held}, {t.task.name for t in asked}, "rows or settings")
    if {trial.recipe.id for trial in held} != {trial.recipe.id for trial in asked}:
        return _change("model", {t.recipe.model for t in held}, {t.recipe.model for t in asked}, "settings")
    return f"{len(held)} trials, not {len(asked)}, or with other seeds"


def _change(what: str, old: set[str], new: set[str], inside: str) -> str:
    if old == new:
        return f"{what} {', '.join(sorted(old))} with other {inside}"
    return f"{what} {', '.join(sorted(old))}, not {', '.join(sorted(new))}"
