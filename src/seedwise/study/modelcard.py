"""What should someone who finds the winner's folder know? The model card, in Markdown."""

import json
from collections.abc import Iterable, Iterator, Sequence

from seedwise.values.caveats import row_caveats, score_caveats
from seedwise.values.facts import TaskFacts
from seedwise.values.record import TrialRecord, own_trial
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import TrialState

__all__ = ["model_card"]


def model_card(
    best: TrialRecord,
    trials: Sequence[TrialRecord],
    rule: StoppingRule | None,
    facts: TaskFacts,
    test_interval: tuple[float, float] | None = None,
) -> str:
    """Return the card of a study's winner.

    Args:
        best: The winner.
        trials: All trials of its task.
        rule: The study's stopping rule.
        facts: What preparing the task found.
        test_interval: Between which scores the winner's would lie on new rows, where that is known.
    """
    trial = own_trial(best)
    task, recipe = trial.task, trial.recipe
    score = best.best[1] if best.best else None
    caveats = [*row_caveats(facts), *score_caveats(task, score, _baseline(best, facts))]
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-classification",
        *([f"base_model: {json.dumps(recipe.model)}"] if _on_the_hub(recipe.model) else []),
        "tags: [seedwise]",
        "---",
        "",
        f"# {_escaped(task.name)}: the best of {_tried(trials)}",
        "",
        f"{_escaped(recipe.model)}, fine-tuned on {_escaped(task.name)} ({task.kind}) by seedwise.",
        "",
        *_table(_results(best, trials, rule, facts, test_interval)),
        "",
        _OPTIMISM + (" The test score was not used to choose." if best.test_metrics else ""),
        "",
        *[f"- {caveat}" for caveat in caveats],
        *([""] if caveats else []),
        "## Recipe",
        "",
        *_table(recipe.to_json().items()),
        "",
        "## Made with",
        "",
        *[f"- {name}: {_escaped(value)}" for name, value in best.environment.to_json().items()],
        "",
    ]
    return "\n".join(lines)


def _results(
    best: TrialRecord,
    trials: Sequence[TrialRecord],
    rule: StoppingRule | None,
    facts: TaskFacts,
    test_interval: tuple[float, float] | None,
) -> Iterator[tuple[str, object]]:
    """Return everything known about the winner and its study, as names and values."""
    task, seeds = best.trial.task, best.trial.seeds
    step, score = best.best or (0, float("nan"))
    complete = sum(trial.state is TrialState.COMPLETE for trial in trials)
    yield f"validation {task.metric}", f"{score:.4f} (best evaluation, step {step} of {facts.steps or '?'})"
    if (baseline := _baseline(best, facts)) is not None:
        yield "best constant guess", f"{baseline:.4f}"
    yield from _error_size(best, facts)
    for name, value in (best.test_metrics or {}).items():
        around = ""
        if test_interval is not None and name == task.metric:
            lower, upper = test_interval
            around = f" (on new rows like these {facts.rows['test']:,}: {lower:.4f} to {upper:.4f}, a 95% interval)"
        yield f"test {name}", f"{value:.4f}{around}"
    yield "seeds tried", f"{_started(trials)} started, {complete} trained to the end"
    yield "stopping rule", _rule(rule)
    yield "seeds of this model", f"init {seeds.init}, order {seeds.order}, dropout {seeds.dropout}"
    yield "rows", ", ".join(f"{count} {split}" for split, count in facts.rows.items() if count)
    if facts.max_length is not None:
        yield "texts cut at", f"{facts.max_length} tokens"
    yield "trial", best.id


def _table(rows: Iterable[tuple[str, object]]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {_escaped(value)} |" for name, value in rows)]


def _tried(trials: Sequence[TrialRecord]) -> str:
    """Say how many trials the winner was chosen from."""
    recipes = len({record.trial.recipe.id for record in trials})
    return f"{_started(trials)} seeds" if recipes == 1 else f"{_started(trials)} trials of {recipes} recipes"


def _started(trials: Sequence[TrialRecord]) -> int:
    return sum(bool(trial.evaluations) for trial in trials)  # trials without a finite score count too


def _baseline(best: TrialRecord, facts: TaskFacts) -> float | None:
    return facts.baselines.get(best.trial.task.metric)


_OPTIMISM = "The validation score chose this model among its seeds, so it is optimistic: expect less on new data."


def _error_size(best: TrialRecord, facts: TaskFacts) -> Iterator[tuple[str, object]]:
    """Return a regression's squared error as well, since a correlation says nothing about scale."""
    if own_trial(best).task.kind != "regression" or best.trial.task.metric == "loss":
        return
    guess = facts.baselines.get("loss")
    compared = "" if guess is None else f"; the best constant guess has {guess:.4f}"
    for measurement in best.evaluations:
        if measurement.step == best.best_step and measurement.metrics:
            yield "validation mean squared error", f"{measurement.metrics['loss']:.4f}{compared}"


def _on_the_hub(model: str) -> bool:
    """Whether a model's name may be a hub name; a local folder means nothing elsewhere."""
    return model != "embedded" and not model.startswith(("/", ".", "~")) and "\\" not in model


def _rule(rule: StoppingRule | None) -> str:
    if rule is None or not rule.stops:
        return "none: every trial ran to the end"
    return f"started {rule.t}, judged after {rule.f:g} of the run, kept {rule.p}"


def _escaped(value: object) -> str:
    """Keep a value from being read as Markdown or HTML."""
    text = str(value).replace("\n", " ")
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(sign, escaped)
    return text
