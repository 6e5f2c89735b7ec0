"""Studies made of arrays that follow a design: a choice on tuning seeds, then a report on fresh ones.

study = design_study(design, score_of)     # score_of(arm, recipe, stage) is the mean of the scores of a recipe's trials
"""

from dataclasses import replace

import numpy as np

from seedwise.values.arm import Arm
from seedwise.values.choice import DesignRecord, choose
from seedwise.values.design import Design
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task
from table_studies import table_study

__all__ = ["REPORT", "TUNING", "design_study", "methods_design"]

REPORT, TUNING = tuple(Seeds.paired(12)), tuple(Seeds.paired(range(101, 105)))
BASE = Recipe(model="a/bert", evaluations="2 per run")


def methods_design(*, published=None, shows=(), tasks=("entailment", "acceptability")):
    """Three arms on embedded tasks: one without a choice, one that chooses L, one that chooses its length after it."""
    arms = []
    for task in map(Task.embedded, tasks):
        fixed = {"task": task, "seeds": REPORT}
        arms += [
            Arm(name="Standard", recipe=BASE, **fixed),
            Arm(
                name="Re-init",
                recipe=BASE.with_changes(reinit_pooler=True),
                search={"reinit_layers": (1, 2, 3)},
                tuning_seeds=TUNING,
                **fixed,
            ),
            Arm(name="Longer", recipe=BASE, search={"num_train_steps": (200, 400)}, tuning_seeds=TUNING, **fixed),
        ]
    return Design(
        name="made-up",
        title="Three methods, made up",
        source="Zhang et al. (2021), section 7",
        question="Do they help?",
        arms=tuple(arms),
        published=published,
        shows=shows,
        stands_for={"entailment": "RTE", "acceptability": "CoLA"},
        scale="small",
    )


def design_study(design, score_of, *, seed=0, sd=0.01, chosen=None):
    """Return the study of a design's report, with that of its tuning beside it.

    Args:
        design: The design.
        score_of: Takes an arm and a recipe, returns the mean of the validation scores of its trials.
        seed: Of the noise.
        sd: Standard deviation of the noise.
        chosen: (Arm's name, task's name) -> place of the candidate that is taken; the best by mean score by default.
    """
    draw = np.random.default_rng(seed)
    tuning, report, picks = None, None, {}
    for arm in design.arms:
        candidates = design.candidates(arm, picks)
        scores = []
        for candidate in candidates if arm.search else ():
            part = _trials(arm, candidate.recipe, arm.tuning_seeds, score_of, draw, sd)
            tuning = part if tuning is None else tuning + part
            scores.append([record.best[1] for record in part.records])
        place = (chosen or {}).get((arm.name, arm.task.name), choose(scores) if scores else 0)
        picks[arm.name, arm.task.id] = candidates[place].recipe
    done = {}
    for arm in design.arms:
        recipe = picks[arm.name, arm.task.id]
        if (arm.task.id, recipe.id) not in done:
            part = done[arm.task.id, recipe.id] = _trials(arm, recipe, arm.seeds, score_of, draw, sd)
            report = part if report is None else report + part
    record = DesignRecord(design=design, stage="report", chosen=picks)
    if tuning is not None:
        tuning = replace(tuning, design=replace(record, stage="tuning"))
    return replace(report, design=record, tuning=tuning)


def _trials(arm, recipe, seeds, score_of, draw, sd):
    final = np.clip(score_of(arm, recipe) + sd * draw.normal(size=len(seeds)), 0, 1)
    steps = recipe.num_train_steps or 96
    return table_study(
        np.stack([0.5 + (final - 0.5) / 2, final], axis=1),
        task=arm.task,
        recipe=recipe,
        init=[s.init for s in seeds],
        order=[s.order for s in seeds],
        test=final - 0.02,
        steps=(steps // 2, steps),
        losses=np.linspace(0.7, 0.2, steps) + 0.02 * draw.normal(size=(len(seeds), steps)),
    )
