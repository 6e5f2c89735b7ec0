"""What should somebody know who finds the winner's folder: the model card, Markdown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seedwise.caveats import row_caveats, score_caveats
from seedwise.record import TrialRecord
from seedwise.stopping import StoppingRule
from seedwise.trial import TrialState

__all__ = ["model_card"]


def model_card(
    best: TrialRecord, trials: Sequence[TrialRecord], rule: StoppingRule | None, facts: Mapping[str, Any]
) -> str:
    """Return the card of a study's winner.

    Args:
        best: The winner.
        trials: All trials of its task, the winner among them.
        rule: The stopping rule; None when all ran to the end.
        facts: What preparing the task found: rows, baselines.

    Returns:
        Markdown with the front matter that the Hugging Face hub reads.
    """
    task, recipe, seeds = best.trial.task, best.trial.recipe, best.trial.seeds
    step, score = best.best or (0, float("nan"))
    started = sum(bool(trial.evaluations) for trial in trials)  # those without a finite score were tried as well
    complete = sum(trial.state is TrialState.COMPLETE for trial in trials)
    baseline = facts.get("baselines", {}).get(task.metric)
    caveats = [*row_caveats(facts), *score_caveats(task, score, baseline)]
    rows = facts.get("rows", {})
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-classification",
        *([f"base_model: {json.dumps(recipe.model)}"] if _on_the_hub(recipe.model) else []),
        "tags: [seedwise]",
        "---",
        "",
        f"# {_escaped(task.name)}: the best of {started} seeds",
        "",
        f"{_escaped(recipe.model)}, fine-tuned on {_escaped(task.name)} ({task.kind}) by seedwise.",
        "",
        "| | |",
        "|---|---|",
        f"| validation {task.metric} | {score:.4f} (best evaluation, step {step} of {facts.get('steps', '?')}) |",
        *([] if baseline is None else [f"| best constant guess | {baseline:.4f} |"]),
        *_error_size(best, facts),
        *[f"| test {name} | {value:.4f} |" for name, value in (best.test_metrics or {}).items()],
        f"| seeds tried | {started} started, {complete} trained to the end |",
        f"| stopping rule | {_rule(rule)} |",
        f"| seeds of this model | init {seeds.init}, order {seeds.order}, dropout {seeds.dropout} |",
        f"| rows | {', '.join(f'{count} {split}' for split, count in rows.items() if count)} |",
        *([f"| texts cut at | {facts['max_length']} tokens |"] if "max_length" in facts else []),
        f"| trial | {best.id} |",
        "",
        _OPTIMISM + (" The test score was not used to choose." if best.test_metrics else ""),
        "",
        *[f"- {caveat}" for caveat in caveats],
        *([""] if caveats else []),
        "## Recipe",
        "",
        "| | |",
        "|---|---|",
        *[f"| {name} | {_escaped(value)} |" for name, value in recipe.to_json().items()],
        "",
        "## Made with",
        "",
        *[f"- {name}: {_escaped(value)}" for name, value in best.origin.items()],
        "",
    ]
    return "\n".join(lines)


_OPTIMISM = "The validation score chose this model among its seeds, so it is optimistic: expect less on new data."


def _error_size(best: TrialRecord, facts: Mapping[str, Any]) -> list[str]:
    """Tell a regression's squared error as well: a correlation says nothing about scale."""
    if best.trial.task.kind != "regression" or best.trial.task.metric == "loss":
        return []
    loss = next((m.metrics["loss"] for m in best.evaluations if m.step == best.best_step and m.metrics), None)
    guess = facts.get("baselines", {}).get("loss")
    compared = "" if guess is None else f"; the best constant guess has {guess:.4f}"
    return [] if loss is None else [f"| validation mean squared error | {loss:.4f}{compared} |"]


def _on_the_hub(model: str) -> bool:
    """Whether a model's name may be one of the hub's; a folder says nothing to anybody else."""
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
