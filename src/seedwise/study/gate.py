"""Which trials does a gate run in a study, and which has it run: pairs on seeds that nothing else in it has used?"""

import json
from collections.abc import Sequence
from pathlib import Path

from seedwise.errors import RequestError
from seedwise.store.store import Store
from seedwise.study.folder import check_own
from seedwise.values.choice import DesignRecord
from seedwise.values.gate import GATE, GateSeeds
from seedwise.values.recipe import Recipe
from seedwise.values.record import TrialRecord
from seedwise.values.seeds import Seeds
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import Trial

__all__ = ["GatePairs", "check_can_gate", "gates_in", "without_gates"]


def check_can_gate(
    folder: Path, records: Sequence[TrialRecord], rule: StoppingRule | None, design: DesignRecord | None
) -> None:
    """Refuse a study that takes no fresh pairs of full trainings."""
    check_own(folder, records)
    if design is not None:
        raise RequestError(
            f"{folder} holds the study {design.design.words}, which takes no other trials; gate the two recipes in a study of "
            "their own (`seedwise run` with --seeds, then with --extend)."
        )
    if rule is not None:
        raise RequestError(
            f"{folder} holds a study whose rule stops trials early, so that their final scores are not known; gate the two "
            "recipes in a study without one (`seedwise run` with --seeds, then with --extend)."
        )


def gates_in(store: Store) -> list[GateSeeds]:
    """Return what the gates of a study have set aside, the oldest first."""
    return [GateSeeds.from_json(json.loads(event.detail)) for event in store.events(GATE)]


def without_gates(store: Store, records: Sequence[TrialRecord], asked: Sequence[Trial]) -> list[TrialRecord]:
    """Return a study's trials without those that a gate has added and that are not asked for now."""
    gates = gates_in(store)
    of_gates = {(gate.task, recipe, seeds) for gate in gates for recipe in gate.recipes for seeds in gate.seeds}
    wanted = {trial.id for trial in asked}
    return [
        record
        for record in records
        if record.id in wanted or (record.trial.task.id, record.trial.recipe.id, record.trial.seeds) not in of_gates
    ]


class GatePairs:
    """The pairs of one gate in a study: recipes A and B on one task, on the seeds that were set aside for them.

    Args:
        store: The study's open store.
        task: The task.
        recipes: A and B.
    """

    def __init__(self, store: Store, task: Task, recipes: tuple[Recipe, Recipe]) -> None:
        self._store, self._task, self._recipes = store, task, recipes
        self._ids = (recipes[0].id, recipes[1].id)

    @property
    def held(self) -> tuple[GateSeeds, ...]:
        """What was set aside so far, in the order in which it counts."""
        return tuple(aside for aside in gates_in(self._store) if aside.is_of(self._task.id, self._ids))

    @property
    def seeds(self) -> tuple[Seeds, ...]:
        """The seeds of the gate's pairs, in the order in which they count."""
        return tuple(one for aside in self.held for one in aside.seeds)

    @property
    def pairs(self) -> tuple[tuple[Trial, Trial], ...]:
        """The pairs, in the order in which they count."""
        a, b = self._recipes
        return tuple((Trial(self._task, a, one), Trial(self._task, b, one)) for one in self.seeds)

    def set_aside(self, pairs: int, split: str, confidence: float) -> None:
        """Set fresh seeds aside, remember whose they are, and add their trials to the study."""
        first = 1 + max(max(seeds.init, seeds.order, seeds.dropout) for seeds in self._seeds_used())
        aside = GateSeeds(
            task=self._task.id,
            recipes=self._ids,
            split=split,
            confidence=confidence,
            first=first,
            last=first + pairs - 1,
        )
        self._store.add_event(GATE, json.dumps(aside.to_json()))
        self.add_missing()

    def add_missing(self) -> None:
        """Add the trials of seeds that were set aside, where a kill kept them from being added."""
        self._store.add_trials([trial for pair in self.pairs for trial in pair])

    def _seeds_used(self) -> list[Seeds]:
        return [
            *(record.trial.seeds for record in self._store.records()),
            *(aside.seeds[-1] for aside in gates_in(self._store)),
        ]
