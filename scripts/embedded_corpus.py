"""Which texts is the embedded encoder pretrained on?

Only acceptable sentences: single ones, and pairs whose second sentence either goes on about the first (a changed clause, at
times introduced by "so" where it follows and by "but" where it does not) or is about something else. It is not shipped.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from embedded_acceptability import STYLE as RICH_STYLE
from embedded_edits import Variant
from embedded_grammar import Clause, Sampler
from embedded_surface import sentence
from embedded_tasks import PAIR_STYLE, change

__all__ = ["Text", "texts"]

_SINGLE, _CONTINUED, _MARKED = 0.4, 0.6, 0.4


class Text(NamedTuple):
    """One sentence or two; `continued` says whether the second goes on about the first (None for a single sentence)."""

    first: str
    second: str | None = None
    continued: bool | None = None


def texts(number: int, seed: str) -> Iterator[Text]:
    """Yield texts; the same seed gives the same texts."""
    generator = random.Random(seed)
    rich, paired = Sampler(generator, RICH_STYLE), Sampler(generator, PAIR_STYLE)
    for _ in range(number):
        if generator.random() < _SINGLE:
            yield Text(sentence(rich.clause()))
        elif generator.random() < _CONTINUED:
            yield _continued(paired)
        else:
            yield _unrelated(paired)


def _continued(sampler: Sampler) -> Text:
    """Draw a sentence and a changed one."""
    first = second = sampler.clause()
    follows: bool | None = True
    for _ in range(sampler.generator.choice((1, 1, 2, 2, 3))):
        variant = change(second, sampler, (sampler.chance(0.65),))
        if variant is not None:
            second, follows = variant.clause, _and(follows, variant)
    return Text(sentence(first), _marked(sentence(second), sampler, follows=follows), continued=True)


def _and(follows: bool | None, variant: Variant) -> bool | None:
    """Combine two verdicts: what is no longer certain stays so."""
    return follows and variant.entailed if follows is not None else None


def _marked(text: str, sampler: Sampler, *, follows: bool | None) -> str:
    if follows is None or not sampler.chance(_MARKED):
        return text
    return f"{'so' if follows else 'but'} {text}"


def _unrelated(sampler: Sampler) -> Text:
    """Draw two sentences that share at most a participant."""
    first, second = sampler.clause(), sampler.clause()
    return Text(sentence(first), sentence(_share(first, second)), continued=False)


def _share(first: Clause, second: Clause) -> Clause:
    """Let the second clause be about the subject of the first, where its verb allows that."""
    fits = first.subject.noun.kind in second.verb.subjects and not second.ever and not second.adverb
    plain = first.subject.determiner not in ("no", "few") and (
        second.object is None or second.object.determiner != "any"
    )
    return second._replace(subject=first.subject) if fits and plain else second
