"""Which rows do the three embedded tasks have, and how is each label made?

Acceptability: a sentence of the grammar, or the same sentence with one rule broken. Entailment: a clause and a changed clause, the
label from the logic of the change. Similarity: a clause and a changed or another clause, the score from `similarity`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from embedded_acceptability import STYLE as ACCEPTABILITY_STYLE
from embedded_acceptability import VIOLATIONS, draw
from embedded_edits import Variant, variants
from embedded_grammar import Clause, Phrase, Sampler, Style
from embedded_surface import sentence
from embedded_words import Adjective, Noun, Verb

__all__ = ["PAIR_STYLE", "SIZES", "TASKS", "change", "similarity", "write_tasks"]

SIZES = {"train": 800, "validation": 300, "test": 500}
PAIR_STYLE = Style(reflexive=0.0, question=0.0, complement=0.06, relative=0.08, near=0.05, adjective=0.35, place=0.2)
_SIMILAR_STYLE = PAIR_STYLE._replace(complement=0.0, relative=0.0)
_BINS = 10
_ANY = (True, False, None)
Row = tuple[str, ...]


class Draw(NamedTuple):
    """Rows that must stay in one split, and the keys that no other split may contain."""

    rows: list[Row]
    keys: list[str]


def write_tasks(folder: Path) -> None:
    """Write the splits of every task below `folder`; the same bytes every time."""
    for name, (columns, draws) in TASKS.items():
        generator = random.Random(f"seedwise embedded {name}")
        seen: set[str] = set()
        for split, size in SIZES.items():
            rows = _fill(draws, generator, seen, size)
            lines = ["\t".join(row) for row in [columns, *rows]]
            path = folder / name / f"{split}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))


def _fill(
    draws: Callable[[random.Random, int], Draw], generator: random.Random, seen: set[str], size: int
) -> list[Row]:
    """Draw rows until the split is full; skip what repeats a sentence (or pair) that was used before."""
    rows: list[Row] = []
    number = 0
    while len(rows) < size:
        drawn = draws(generator, number)
        if not seen.intersection(drawn.keys):
            seen.update(drawn.keys)
            rows += drawn.rows
            number += 1
    rows = rows[:size]
    generator.shuffle(rows)
    return rows


def _acceptability(generator: random.Random, number: int) -> Draw:
    """Draw a sentence, sound in 6 of 10 rows; sound sentences offer an occasion for a violation as often as broken ones."""
    kind = list(VIOLATIONS)[number % len(VIOLATIONS)]
    sound, wrong = draw(Sampler(generator, ACCEPTABILITY_STYLE), kind)
    acceptable = generator.random() < 0.6
    return Draw([(sound, "1") if acceptable else (wrong, "0")], [sound, wrong])


def change(
    clause: Clause, sampler: Sampler, verdicts: tuple[bool | None, ...] = _ANY, taken: tuple[str, ...] = ()
) -> Variant | None:
    """Draw a change with one of the verdicts, every kind equally often, in a place that is not taken."""
    changes = variants(clause, sampler)
    fitting = [variant for variant in changes if variant.entailed in verdicts and variant.place not in taken]
    kinds = list(dict.fromkeys(variant.kind for variant in fitting))
    if not kinds:
        return None
    kind = sampler.generator.choice(kinds)
    return sampler.generator.choice([variant for variant in fitting if variant.kind == kind])


def _entailment(generator: random.Random, number: int) -> Draw:
    """Draw a pair: one to three changes that keep the truth, the last of them one that does not in every second row."""
    entailed = number % 2 == 0
    while True:
        sampler = Sampler(generator, PAIR_STYLE)
        premise = hypothesis = sampler.clause()
        taken: tuple[str, ...] = ()
        verdicts = [True] * generator.choice((0, 1, 1, 2)) + [entailed]
        for verdict in verdicts:
            variant = change(hypothesis, sampler, (verdict,), taken)
            if variant is None:
                break
            hypothesis, taken = variant.clause, (*taken, variant.place)
        first, second = sentence(premise), sentence(hypothesis)
        if len(taken) == len(verdicts) and "all" not in taken[:-1] and first != second:
            return Draw([(first, second, "entailment" if entailed else "not_entailment")], _pair_keys(first, second))


def _similarity(generator: random.Random, number: int) -> Draw:
    """Draw a pair whose score falls into the wanted tenth of the scale."""
    sampler = Sampler(generator, _SIMILAR_STYLE)
    while True:
        first = second = sampler.clause()
        for _ in range(generator.randint(1, 1 + 6 * (_BINS - number % _BINS) // _BINS)):
            variant = change(second, sampler, taken=("all",))
            second = variant.clause if variant else second
        if number % _BINS < 3:
            second = sampler.clause()
        score = 5 * similarity(first, second)
        left, right = sentence(first), sentence(second)
        if min(int(score / 5 * _BINS), _BINS - 1) == number % _BINS and left != right:
            return Draw([(left, right, f"{score:.2f}")], _pair_keys(left, right))


def _pair_keys(first: str, second: str) -> list[str]:
    return ["\t".join(sorted((first, second))), first]


def similarity(first: Clause, second: Clause) -> float:
    """Return how much two clauses have in common, from 0 to 1.

    0.30 verb + 0.25 subject + 0.25 object and recipient + 0.20 circumstances, over the parts that at least one of the clauses
    has; times 0.6 when one is negated and the other is not.
    """
    parts = [(0.30, _verbs(first.verb, second.verb)), (0.25, _phrases(first.subject, second.subject))]
    for weight, left, right in ((0.25, first.object, second.object), (0.10, first.recipient, second.recipient)):
        if left or right:
            parts.append((weight, _phrases(left, right) if left and right else 0.0))
    if first.place or second.place:
        parts.append((0.10, _nouns(first.place[1].noun, second.place[1].noun) if first.place and second.place else 0.0))
    parts += [
        (0.05, float(old == new))
        for old, new in ((first.time, second.time), (first.adverb, second.adverb))
        if old or new
    ]
    parts.append((0.05, float(first.tense == second.tense)))
    overlap = sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)
    return overlap * (0.6 if _denied(first) != _denied(second) else 1.0)


def _denied(clause: Clause) -> bool:
    return clause.negated or clause.subject.determiner == "no"


def _verbs(first: Verb, second: Verb) -> float:
    if second.base in (first.base, first.synonym):
        return 1.0
    if second.base == first.implies or first.base == second.implies:
        return 0.7
    return 0.2 if first.objects == second.objects and first.frame == second.frame else 0.0


def _phrases(first: Phrase, second: Phrase) -> float:
    """Compare nouns (0.75), adjectives (0.15) and number (0.10)."""
    same_number = float(first.plural == second.plural)
    adjectives = _adjectives(first.adjective, second.adjective)
    likeness = _nouns(first.noun, second.noun)
    return 0.75 * likeness + likeness * (0.15 * adjectives + 0.10 * same_number)


def _nouns(first: Noun, second: Noun) -> float:
    if first == second:
        return 1.0
    if first.singular == second.parent or second.singular == first.parent:
        return 0.7
    if first.parent and first.parent == second.parent:
        return 0.4
    return 0.2 if first.kind == second.kind else 0.0


def _adjectives(first: Adjective | None, second: Adjective | None) -> float:
    if first is None or second is None:
        return 1.0 if first is second else 0.5
    return 1.0 if first.word in (second.word, second.synonym) else 0.0


TASKS: dict[str, tuple[Sequence[str], Callable[[random.Random, int], Draw]]] = {
    "acceptability": (("sentence", "label"), _acceptability),
    "entailment": (("sentence1", "sentence2", "label"), _entailment),
    "similarity": (("sentence1", "sentence2", "score"), _similarity),
}
