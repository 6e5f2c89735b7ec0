"""What do the turns of ``training.py`` say: a whole trial's time, its share of the machine, and the time of many trials?"""

import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from training_inputs import Setting
from training_peak import Peak
from training_turns import Ready, Rival, Turn

from seedwise.data.tokens import TokenizedTask

__all__ = [
    "BEST",
    "RUN_GLUE",
    "Result",
    "Work",
    "at_once",
    "plain_json",
    "report",
    "report_trained",
    "result_of",
    "work_of",
]

RUN_GLUE, BEST = "Trainer as run_glue sets it", "Trainer as well as can be"
SAME_MASKS = ("packed", "compiled", "fused")  # and so the same losses, but for rounding
COUNTS = (1, 2, 4, 8, 16, 32, 64)


class Result(NamedTuple):
    """What was measured of one rival; times in seconds, of each round.

    Args:
        rival: The rival.
        ready: How long its processes and trials took to begin.
        step: One step of one trial, given all that are trained at once.
        evaluation: One evaluation likewise.
        trial: A whole trial likewise.
        memory: Bytes for each trial that is trained at once.
        losses: Training losses of one trial, the same for all paths of one kind of masks; empty for the Trainer.
        recording: What a round's steps took longer the first time, where they were taken twice; not in the others.
    """

    rival: Rival
    ready: Ready
    step: list[float]
    evaluation: list[float]
    trial: list[float]
    memory: float
    losses: list[float]
    recording: list[float]

    @property
    def seconds(self) -> float:
        """The median of a trial's time."""
        return statistics.median(self.trial)


class Work(NamedTuple):
    """How much a trial is: steps and evaluations, the arithmetic that either needs, and AdamW's bytes in a step."""

    steps: int
    evaluations: int
    step_operations: float
    evaluation_operations: float
    parameters: int
    step_bytes: float

    @property
    def operations(self) -> float:
        """The arithmetic that the whole trial needs."""
        return self.steps * self.step_operations + self.evaluations * self.evaluation_operations

    def floor(self, peak: Peak) -> float:
        """Return the seconds that a trial takes at least: of arithmetic and bytes, what takes longer."""
        step = max(self.step_operations / peak.operations, self.step_bytes / peak.bandwidth)
        return self.steps * step + self.evaluations * self.evaluation_operations / peak.operations


def result_of(rival: Rival, ready: Sequence[Ready], rounds: Sequence[Sequence[Turn]], load: Work) -> Result:
    """Put a rival's turns together.

    Args:
        rival: The rival.
        ready: How long each of its processes took to begin.
        rounds: The turns of its processes, round by round.
        load: How much a trial is.
    """
    step = [1 / sum(rival.width / turn.step for turn in turns) for turns in rounds]
    evaluation = [1 / sum(rival.width / turn.evaluation for turn in turns) for turns in rounds]
    return Result(
        rival,
        Ready(max(r.start for r in ready), max(r.begin for r in ready)),
        step,
        evaluation,
        trial=[load.steps * a + load.evaluations * b for a, b in zip(step, evaluation, strict=True)],
        memory=sum(turn.memory for turn in rounds[-1]) / (rival.width * rival.processes),
        losses=[loss for turns in rounds for loss in turns[0].losses],
        recording=[max(turn.recording for turn in turns) for turns in rounds],
    )


def work_of(setting: Setting, rows: TokenizedTask) -> Work:
    """Count a trial's steps, evaluations and operations: a multiplication and an addition are two.

    A block multiplies each of T tokens by 4h^2 + 2hi weights, and the attention's scores and sums take 4h for each pair
    of tokens of a row. The last block needs keys and values of all tokens and the rest of the first alone. A backward
    pass counts as two forward passes; embeddings, norms, activations and the optimiser count nothing.

    AdamW reads weight, gradient and both moments of every parameter and writes back all but the gradient: 28 bytes, and
    2 more for the copy that bfloat16 computes with. Embeddings of words that the rows do not hold count nothing.
    """
    config = setting.config
    h, inner, blocks = config.hidden_size, config.intermediate_size, config.num_hidden_layers

    def forward(lengths: Any, batch: int) -> float:
        tokens, pairs = batch * float(lengths.mean()), batch * float((lengths.astype(float) ** 2).mean())
        block = 2 * tokens * (4 * h * h + 2 * h * inner) + 4 * h * pairs
        last = 2 * tokens * 2 * h * h + 2 * batch * (2 * h * h + 2 * h * inner) + 4 * h * tokens
        return float((blocks - 1) * block + last + 2 * batch * h * h)  # the pooler last

    recipe, train = setting.recipe, rows.train
    parameters = _parameters(config, rows)
    return Work(
        recipe.steps(len(train)),
        len(recipe.evaluation_steps(len(train))),
        3 * forward(train.lengths, recipe.batch_size),
        forward(rows.validation.lengths, len(rows.validation)),
        parameters,
        parameters * (30.0 if recipe.dtype == "bfloat16" else 28.0),
    )


def _parameters(config: Any, rows: TokenizedTask) -> int:
    """Count the parameters that a trial trains, of the word embeddings those of words that the rows hold."""
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    seen = len(np.unique(np.concatenate([split.ids for split in rows.splits.values()])))
    words, width = model.get_input_embeddings().weight.shape
    return int(sum(p.numel() for p in model.parameters()) - (words - seen) * width)


def seconds_for(count: int, result: Result, single: float) -> float:
    """Return the time until so many trials are done: start, set-up and training, the trials spread over the processes.

    A last stack that is not full takes a time between that of one trial and that of a full one, in proportion.

    Args:
        count: Trials.
        result: The rival's times, whose processes are taken to be as fast with fewer of them at work.
        single: Seconds of one trial in a process that trains it alone.
    """
    rival = result.rival
    full, rest = divmod(math.ceil(count / rival.processes), rival.width)
    stack = result.seconds * rival.processes * rival.width
    taken = full * stack
    if rest:
        taken += single + (stack - single) * (rest - 1) / (rival.width - 1)
    return result.ready.start + (full * rival.width + rest) * result.ready.begin + taken


def report(results: Sequence[Result], load: Work, peak: Peak) -> dict[str, float]:
    """Print a cell's tables; return the time of each Trainer over that of our fastest path."""
    if not results:
        return {}
    baselines = {title: _fastest(results, title) for title in (RUN_GLUE, BEST)}
    header = f"{'':<28}{'at once':>11}{'ms/step':>9}{'s/eval.':>9}{'s/trial':>9}{'least to most':>18}{'MB/trial':>9}"
    print(f"{header}{'of peak':>9}{'run_glue':>9}{'best':>9}")
    for result in results:
        step, evaluation = statistics.median(result.step), statistics.median(result.evaluation)
        share = load.floor(peak) / result.seconds
        around = f"{_brief(min(result.trial))} to {_brief(max(result.trial))}"
        ratios = "".join(f"{baselines[title] / result.seconds:>9.2f}" for title in (RUN_GLUE, BEST))
        print(
            f"{result.rival.title:<28}{at_once(result.rival):>11}{1000 * step:>9.4g}{evaluation:>9.3g}"
            f"{_brief(result.seconds):>9}{around:>18}{result.memory / 1e6:>9.0f}{share:>9.0%}{ratios}"
        )
    print(
        f"arithmetic: {load.step_operations / 1e9:.3g} GFLOP a step, {load.operations / 1e12:.3g} TFLOP a trial; "
        f"products of these shapes: {peak.operations / 1e9:.3g} GFLOP/s\n"
        f"AdamW: {load.parameters / 1e6:.3g} million parameters, {load.step_bytes / 1e9:.3g} GB a step; "
        f"copies: {peak.bandwidth / 1e9:.3g} GB/s; a trial takes {_brief(load.floor(peak))} s at least"
    )
    for result in results:
        if any(result.recording):
            seconds = statistics.median(result.recording)
            print(f"left out: {seconds:.3g} s a turn for first steps: {result.rival.title} ({at_once(result.rival)})")
    equal = [result for result in results if result.rival.path in SAME_MASKS]
    if len(equal) > 1:
        paths = ", ".join(dict.fromkeys(result.rival.path for result in equal))
        print(f"training losses on {paths} are apart by {disagreement([r.losses for r in equal]):.1e} at most")
    _report_many(results)
    ours = [result.seconds for result in results if result.rival.path != "trainer"]
    theirs = [result for result in results if result.rival.path == "trainer" and ours]
    return {f"{result.rival.title} ({at_once(result.rival)})": result.seconds / min(ours) for result in theirs}


def disagreement(losses: Sequence[Sequence[float]]) -> float:
    """Return the largest difference between the losses of one step."""
    return max((max(step) - min(step) for step in zip(*losses, strict=True)), default=math.nan)


def at_once(rival: Rival) -> str:
    """Return processes x threads, and how many trials each process trains."""
    return f"{rival.processes} x {rival.threads}" + (f", {rival.width}" if rival.width > 1 else "")


def plain_json(result: Result, results: Sequence[Result], load: Work, peak: Peak) -> dict[str, Any]:
    """Return a rival's row as plain JSON: times in seconds, memory in bytes."""
    share = load.floor(peak) / result.seconds
    content = {**result._asdict(), "rival": result.rival._asdict(), "ready": result.ready._asdict()}
    return {**content, "share_of_peak": share, "seconds_for": dict(zip(COUNTS, _many(result, results), strict=True))}


def report_trained(rival: Rival, start: float, seconds: float, results: Sequence[Result]) -> None:
    """Print how long many trials really took, and how long they should have taken.

    Args:
        rival: How they were trained, and how many.
        start: Seconds until all processes had started.
        seconds: From there to the end of the last trial.
        results: What was measured in turns.
    """
    same = next((result for result in results if result.rival == rival._replace(trials=0)), None)
    expected = ""
    if same is not None:
        alone = next((result for result in results if result.rival.path == "packed"), same)
        guess = seconds_for(rival.trials, same, alone.seconds * alone.rival.processes) - same.ready.start
        expected = f"; {_brief(guess)} s put together from turns"
    taken = f"{_brief(seconds)} s, {_brief(seconds / rival.trials)} s each, after {_brief(start)} s to start"
    print(f"{rival.title} ({at_once(rival)}): {rival.trials} trials really trained in {taken}{expected}")


def _report_many(results: Sequence[Result]) -> None:
    print(f"\n{'minutes for so many trials':<39}" + "".join(f"{count:>9}" for count in COUNTS))
    for result in results:
        times = "".join(f"{_brief(seconds / 60):>9}" for seconds in _many(result, results))
        print(f"{result.rival.title:<28}{at_once(result.rival):>11}{times}")
    print()


def _many(result: Result, results: Sequence[Result]) -> list[float]:
    """Return the seconds for each count; what a trial takes alone is known from the packed path."""
    alone = next((r for r in results if r.rival.path == "packed"), result)
    return [seconds_for(count, result, alone.seconds * alone.rival.processes) for count in COUNTS]


def _fastest(results: Sequence[Result], title: str) -> float:
    return min((result.seconds for result in results if result.rival.title == title), default=math.nan)


def _brief(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.3g}"
