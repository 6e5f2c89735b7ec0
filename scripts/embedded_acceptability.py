"""Which rule of the grammar does an unacceptable sentence break?

Each function of `VIOLATIONS` breaks one rule of an acceptable clause, or returns None where the clause offers no occasion.
Care goes into what must not be touched: "the boy read" is the past tense, no false agreement, and "in church" needs no article.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from embedded_grammar import TIMES, Clause, Phrase, Sampler, Style
from embedded_surface import Token, words, written
from embedded_words import NOUNS

__all__ = ["STYLE", "VIOLATIONS", "draw"]

STYLE = Style(reflexive=0.12, relative=0.14, near=0.14, adjective=0.25, place=0.15, time=0.2, conjunct=0.08)
_NUMBERED = ("a", "an", "this", "that", "every", "one", "these", "those", "two", "three", "many", "few")
_BARE = (
    "cake",
    "soup",
    "salad",
    "pizza",
    "fruit",
    "dish",
    "school",
    "church",
    "hospital",
    "office",
    "market",
    "lemon",
    "library",
)
_TRANSITIVE = (
    *(
        "greet",
        "thank",
        "praise",
        "trust",
        "admire",
        "spot",
        "find",
        "avoid",
        "touch",
        "scare",
        "frighten",
        "devour",
        "prepare",
    ),
    *(
        "repair",
        "fix",
        "damage",
        "harm",
        "purchase",
        "select",
        "want",
        "need",
        "take",
        "grab",
        "carry",
        "use",
        "wear",
        "hold",
    ),
    *("give", "lend", "hand"),
)
_INTRANSITIVE = ("smile", "laugh", "giggle", "sleep", "doze", "yawn", "stroll", "wait", "arrive", "bloom")
_CASES = {"he": "him", "him": "he", "she": "her", "her": "she"}
_SWAPS = (
    *(
        ("determiner", "noun"),
        ("adjective", "noun"),
        ("determiner", "adjective"),
        ("agreeing", "not"),
        ("modal", "not"),
    ),
    *(("preposition", "determiner"), ("agreeing", "gerund"), ("agreeing", "participle"), ("modal", "base")),
    ("by", "determiner"),
)
_REFLEXIVES = {"himself": ("herself", "themselves"), "herself": ("himself", "themselves"), "itself": ("themselves",)}


def _intact(clause: Clause) -> str:
    """Return the acceptable sentence."""
    return written(words(clause), question=clause.question)


def _broken(clause: Clause, kind: str, generator: random.Random) -> str | None:
    """Return the sentence with one violation of this kind, or None where it has no place for it."""
    tokens = VIOLATIONS[kind](clause, words(clause), generator)
    return None if tokens is None else written(tokens, question=clause.question)


def _replace(tokens: list[Token], sites: list[tuple[int, str]], generator: random.Random) -> list[Token] | None:
    """Put another word in at one of the sites."""
    if not sites:
        return None
    index, text = generator.choice(sites)
    return [*tokens[:index], tokens[index]._replace(text=text), *tokens[index + 1 :]]


def _agreement(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    sites = []
    for index, token in enumerate(tokens):
        past = token.verb is not None and token.other == token.verb.past
        if token.part.removeprefix("gap ") in ("agreeing", "present") and not past:
            sites.append((index, token.other))
    return _replace(tokens, sites, generator)


def _number(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    sites = []
    for index, token in enumerate(tokens):
        before = [other for other in tokens[max(0, index - 2) : index] if other.part == "determiner"]
        if token.part == "noun" and before and before[-1].text in _NUMBERED and token.text not in ("fruit", "fruits"):
            sites.append((index, token.other))
    return _replace(tokens, sites, generator)


def _form(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    """Give the main verb a form that its auxiliary does not take."""
    sites = []
    for index, token in enumerate(tokens):
        if token.verb is None:
            continue
        verb, part = token.verb, token.part.removeprefix("gap ")
        forms = {
            "base": (verb.present, verb.past, verb.gerund),
            "gerund": (verb.base, verb.present),
            "participle": (verb.base, verb.present),
        }
        legal = {"base": verb.base, "gerund": verb.gerund, "participle": verb.participle}.get(part)
        sites += [(index, form) for form in forms.get(part, ()) if form != legal]
    return _replace(tokens, sites, generator)


def _order(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    pairs = list(pairwise(tokens))
    sites = [
        index for index, (left, right) in enumerate(pairs) if (left.part, right.part.removeprefix("gap ")) in _SWAPS
    ]
    if not sites:
        return None
    index = generator.choice(sites)
    return [*tokens[:index], tokens[index + 1], tokens[index], *tokens[index + 2 :]]


def _missing_object(clause: Clause, _tokens: list[Token], _generator: random.Random) -> list[Token] | None:
    fits = clause.verb.base in _TRANSITIVE and not clause.passive
    return words(clause._replace(object=None)) if fits else None


def _extra_object(clause: Clause, _tokens: list[Token], generator: random.Random) -> list[Token] | None:
    if clause.verb.base not in _INTRANSITIVE:
        return None
    noun = generator.choice([noun for noun in NOUNS if noun.kind in ("animal", "tool", "container")])
    return words(clause._replace(object=Phrase(noun, determiner=generator.choice(("the", "a", "this")))))


def _reflexive(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    several = ("himself", "herself", "itself")
    sites = [
        (index, generator.choice(_REFLEXIVES.get(token.text, several)))
        for index, token in enumerate(tokens)
        if token.part == "reflexive"
    ]
    return _replace(tokens, sites, generator)


def _missing_determiner(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    sites = []
    for index, token in enumerate(tokens):
        nouns = [other for other in tokens[index + 1 : index + 3] if other.part == "noun"]
        if token.part == "determiner" and nouns and not nouns[0].plural and nouns[0].text not in _BARE:
            sites.append(index)
    if not sites:
        return None
    index = generator.choice(sites)
    return tokens[:index] + tokens[index + 1 :]


def _polarity(clause: Clause, _tokens: list[Token], generator: random.Random) -> list[Token] | None:
    """Leave "ever" or "any" without the negation that licenses it."""
    subject, patient = clause.subject, clause.object
    if clause.ever:
        determiner = generator.choice(("these", "some", "most") if subject.plural else ("this", "the", "that"))
        return words(clause._replace(subject=subject._replace(determiner=determiner)))
    free = clause.tense in ("past", "present", "progressive", "past progressive", "perfect")
    if patient is not None and patient.determiner == "any" and clause.negated and free:
        return words(clause._replace(negated=False))
    return None


def _time(clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    wrong = {"past": TIMES["will"][:2], "will": TIMES["past"][:2]}.get(clause.tense)
    if not clause.time or wrong is None:
        return None
    return [*tokens[:-1], tokens[-1]._replace(text=generator.choice(wrong))]


def _gap(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    """Fill the gap of a relative clause ("the cup that the boy broke it")."""
    sites = [index for index, token in enumerate(tokens) if token.part.startswith("gap ")]
    if not sites:
        return None
    index = generator.choice(sites)
    pronoun = Token(generator.choice(("it", "him", "them")), "pronoun")
    return [*tokens[: index + 1], pronoun, *tokens[index + 1 :]]


def _case(_clause: Clause, tokens: list[Token], generator: random.Random) -> list[Token] | None:
    sites = [(index, _CASES[token.text]) for index, token in enumerate(tokens) if token.text in _CASES]
    return _replace(tokens, sites, generator)


VIOLATIONS: dict[str, Callable[[Clause, list[Token], random.Random], list[Token] | None]] = {
    "agreement": _agreement,
    "number": _number,
    "form": _form,
    "order": _order,
    "missing object": _missing_object,
    "extra object": _extra_object,
    "reflexive": _reflexive,
    "missing determiner": _missing_determiner,
    "polarity": _polarity,
    "time": _time,
    "gap": _gap,
    "case": _case,
}


def draw(sampler: Sampler, kind: str) -> tuple[str, str]:
    """Draw an acceptable sentence and the same sentence with a violation of this kind."""
    while True:
        clause = sampler.clause()
        wrong = _broken(clause, kind, sampler.generator)
        if wrong is not None and wrong != _intact(clause):
            return _intact(clause), wrong
