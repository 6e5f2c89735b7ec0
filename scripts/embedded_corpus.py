"""Which texts is the embedded encoder pretrained on?

Single sentences and pairs, all acceptable, for filling in masked words. What the encoder's pooler learns from is in the texts
themselves: which word would join the two sentences of a pair ("so" where the second follows, "but" where it is at odds with the
first, a new paragraph where it is about something else), and whether a single sentence has been garbled by chance. The corpus is
not shipped.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from embedded_acceptability import STYLE as RICH_STYLE
from embedded_edits import Variant
from embedded_grammar import Clause, Sampler
from embedded_surface import Token, sentence, words, written
from embedded_tasks import PAIR_STYLE, change
from embedded_words import all_forms

__all__ = ["JOINTS", "Text", "texts"]

JOINTS = ("paragraph", "so", "but")
_SINGLE, _GARBLED, _JOINED = 0.5, 0.3, 0.75
_AT_ODDS = (
    *("negation", "opposite", "contrary determiner", "swapped roles", "sibling", "other verb", "other name"),
    *("other place", "other time"),
)
_SMALL_WORDS = (
    *(
        "the",
        "a",
        "this",
        "that",
        "these",
        "those",
        "every",
        "some",
        "two",
        "no",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
    ),
    *(
        "do",
        "does",
        "did",
        "be",
        "been",
        "being",
        "can",
        "will",
        "not",
        "by",
        "to",
        "that",
        "and",
        "he",
        "him",
        "she",
        "her",
    ),
    *("it", "them", "himself", "herself", "itself", "themselves", "ever"),
)


class Text(NamedTuple):
    """One sentence or two; what joins the two, and whether the one is garbled (None: nothing to learn)."""

    first: str
    second: str | None = None
    joint: int | None = None
    garbled: bool | None = None


def texts(number: int, seed: str) -> Iterator[Text]:
    """Yield texts; the same seed gives the same texts."""
    generator = random.Random(seed)
    rich, paired = Sampler(generator, RICH_STYLE), Sampler(generator, PAIR_STYLE)
    for _ in range(number):
        if generator.random() < _SINGLE:
            clause = rich.clause()
            garbled = rich.chance(_GARBLED)
            tokens = _garble(words(clause), generator) if garbled else words(clause)
            yield Text(written(tokens, question=clause.question), garbled=garbled)
        elif generator.random() < _JOINED:
            yield _joined(paired)
        else:
            yield _unrelated(paired)


def _garble(tokens: list[Token], generator: random.Random) -> list[Token]:
    """Exchange two neighbours, leave a word out, repeat one elsewhere, or put in one that looks or works alike."""
    index = generator.randrange(len(tokens) - 1)
    ways = ["exchange", "omit", "repeat", *5 * ["replace"]]
    way = generator.choice(ways if len(tokens) > 3 else ["replace"])
    if way == "exchange":
        return [*tokens[:index], tokens[index + 1], tokens[index], *tokens[index + 2 :]]
    if way == "omit":
        index = generator.randrange(len(tokens))
        return tokens[:index] + tokens[index + 1 :]
    if way == "repeat":
        return [*tokens[: index + 1], generator.choice(tokens), *tokens[index + 1 :]]
    sites = [(place, other) for place, token in enumerate(tokens) if (other := _alike(token.text, generator))]
    if not sites:
        return tokens[::-1]
    place, other = generator.choice(sites)
    return [*tokens[:place], tokens[place]._replace(text=other), *tokens[place + 1 :]]


def _alike(word: str, generator: random.Random) -> str:
    """Return a small word for a small word, another word with the same beginning for a longer one, or nothing."""
    if word in _SMALL_WORDS:
        return generator.choice([other for other in _SMALL_WORDS if other != word])
    others = [other for other in all_forms().get(word[:3], ()) if other != word]
    return generator.choice(others) if others else ""


def _joined(sampler: Sampler) -> Text:
    """Draw a sentence and a changed one, and what would join them."""
    first = second = sampler.clause()
    kinds: list[Variant] = []
    for _ in range(sampler.generator.choice((1, 1, 2, 2, 3))):
        variant = change(second, sampler, (sampler.chance(0.65),), tuple(found.place for found in kinds))
        if variant is not None:
            second = variant.clause
            kinds.append(variant)
    odd = [variant for variant in kinds if not variant.entailed]
    joint = JOINTS.index("so") if not odd else JOINTS.index("but") if all(v.kind in _AT_ODDS for v in odd) else None
    return Text(sentence(first), sentence(second), joint)


def _unrelated(sampler: Sampler) -> Text:
    """Draw two sentences that share at most a participant."""
    first, second = sampler.clause(), sampler.clause()
    return Text(sentence(first), sentence(_share(first, second)), JOINTS.index("paragraph"))


def _share(first: Clause, second: Clause) -> Clause:
    """Let the second clause be about the subject of the first, where its verb allows that."""
    fits = first.subject.noun.kind in second.verb.subjects and not second.ever and not second.adverb
    plain = first.subject.determiner not in ("no", "few") and (
        second.object is None or second.object.determiner != "any"
    )
    return second._replace(subject=first.subject) if fits and plain else second
