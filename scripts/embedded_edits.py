"""How may a clause be changed, and does the old clause entail the new one?

`variants` lists the single changes. Whether it keeps the truth follows from the direction of the change (up: less is said,
down: more is said) and from the polarity of the place where it happens: below a negation or "no" the directions are exchanged.
Changes whose logic is open to doubt (below "few" and "most", the scope of "every" in a passive) carry None, and the entailment
task leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from embedded_grammar import STATIVE, TIMES, Clause, Phrase, Sampler, is_plural
from embedded_words import NAMES, Adjective, Noun, Verb, adjectives_of, by_name, children, verbs_of

__all__ = ["Variant", "variants"]

_UPWARD = ("the", "a", "this", "that", "these", "those", "some", "one", "two", "three")
_INDEFINITE = ("a", "some", "one", "two", "three", "any")
_WEAKER = {
    "the": ("a", "some"),
    "this": ("a", "one"),
    "that": ("a", "one"),
    "these": ("some",),
    "those": ("some",),
    "two": ("some",),
    "three": ("some", "two"),
    "all": ("some", "most", "the"),
    "most": ("some",),
    "many": ("some",),
    "every": ("the", "a"),
}
_CONTRARY = {
    "every": ("no",),
    "all": ("no",),
    "most": ("no", "few"),
    "some": ("no",),
    "no": ("some", "a", "every", "all"),
    "many": ("few", "no"),
}
_SINGULAR = ("a", "this", "that", "every", "one")
_PLURAL = ("some", "these", "those", "two", "three", "all", "most", "many", "few")


class Variant(NamedTuple):
    """A changed clause: the place and the kind of the change, and whether the old clause entails the new one."""

    place: str
    kind: str
    entailed: bool | None
    clause: Clause


def variants(clause: Clause, sampler: Sampler) -> list[Variant]:
    """List single changes of a clause without reflexives and questions, one or more of every kind that is possible."""
    changes = [*_extractions(clause), *_forms(clause), *_verbs(clause, sampler), *_adjuncts(clause, sampler)]
    for slot in ("subject", "object", "recipient"):
        phrase = getattr(clause, slot)
        if phrase is not None:
            polarity = _polarity(clause, slot)
            changes += [
                Variant(slot, kind, _holds(direction, polarity), _with(clause, slot, changed))
                for kind, direction, changed in _phrases(phrase, sampler, first=slot == "subject")
            ]
    return [*changes, *_determiners(clause)]


def _with(clause: Clause, slot: str, phrase: Phrase) -> Clause:
    if slot == "subject":
        return clause._replace(subject=phrase)
    return clause._replace(object=phrase) if slot == "object" else clause._replace(recipient=phrase)


def _holds(direction: str, polarity: str) -> bool | None:
    """Decide whether a change in this direction keeps the truth in a place of this polarity."""
    if direction in ("same", "break"):
        return direction == "same"
    return None if polarity == "open" else direction == polarity


def _predicate(clause: Clause) -> str:
    if clause.subject.determiner == "few":
        return "open"
    return "down" if clause.negated or clause.subject.determiner == "no" else "up"


def _polarity(clause: Clause, slot: str) -> str:
    """Return whether less ("up") or more ("down") may be said about the noun in this slot."""
    determiner, predicate = getattr(clause, slot).determiner, _predicate(clause)
    if slot == "subject":
        if determiner in ("no", "every", "all"):
            return "down" if not (clause.passive and clause.negated) else "open"
        return "up" if determiner in _UPWARD and not (clause.negated and determiner in _INDEFINITE) else "open"
    if determiner in _INDEFINITE:
        return "open" if clause.passive and predicate != "up" else predicate
    return "up" if determiner in _UPWARD and predicate == "up" else "open"


def _phrases(phrase: Phrase, sampler: Sampler, *, first: bool) -> Iterator[tuple[str, str, Phrase]]:
    """Yield (kind, direction, changed phrase) for changes of a noun and its modifiers."""
    noun = phrase.noun
    if noun.proper:
        if noun in NAMES:
            others = [name for name in NAMES if name != noun]
            yield "other name", "break", phrase._replace(noun=sampler.generator.choice(others))
        return
    if phrase.conjunct:
        yield "drop conjunct", "same", phrase._replace(conjunct=None)
        return
    yield from ((kind, direction, phrase._replace(noun=other)) for kind, direction, other in _nouns(noun, sampler))
    yield from (
        (kind, direction, phrase._replace(adjective=word))
        for kind, direction, word in _adjectives(phrase.adjective, noun.kind, sampler)
    )
    if phrase.near:
        yield "drop modifier", "up", phrase._replace(near=None)
    if phrase.relative:
        yield "drop modifier", "up", phrase._replace(relative=None)
    elif not phrase.near and first:
        yield "add modifier", "down", phrase._replace(near=sampler.near(noun.kind))


def _nouns(noun: Noun, sampler: Sampler) -> Iterator[tuple[str, str, Noun]]:
    if noun.parent:
        yield "hypernym", "up", by_name(noun.parent)
        siblings = [other for other in children(by_name(noun.parent)) if other != noun and other.gender == noun.gender]
        if siblings:
            yield "sibling", "break", sampler.generator.choice(siblings)
    if children(noun):
        yield "hyponym", "down", sampler.generator.choice(children(noun))


def _adjectives(word: Adjective | None, kind: str, sampler: Sampler) -> Iterator[tuple[str, str, Adjective | None]]:
    fitting = adjectives_of(kind)
    if word is None:
        yield "add adjective", "down", sampler.generator.choice(fitting)
        return
    yield "drop adjective", "up", None
    yield from (("synonym", "same", other) for other in fitting if other.word == word.synonym)
    yield from (("opposite", "break", other) for other in fitting if other.word == word.opposite)


def _verbs(clause: Clause, sampler: Sampler) -> Iterator[Variant]:
    verb, polarity = clause.verb, _predicate(clause)
    unrelated = []
    for other in _fitting(clause):
        if other.base == verb.synonym:
            yield Variant("verb", "synonym", True, clause._replace(verb=other))
        elif other.base == verb.implies:
            yield Variant("verb", "implied verb", _holds("up", polarity), clause._replace(verb=other))
        elif other.implies == verb.base:
            yield Variant("verb", "special verb", _holds("down", polarity), clause._replace(verb=other))
        elif other.synonym != verb.implies and (other.implies != verb.implies or not other.implies):
            unrelated.append(other)
    if unrelated:
        yield Variant("verb", "other verb", False, clause._replace(verb=sampler.generator.choice(unrelated)))


def _fitting(clause: Clause) -> list[Verb]:
    """Return the other verbs that can stand in this clause."""
    patient = clause.object.noun.kind if clause.object else ""
    verbs = verbs_of(clause.verb.frame, clause.subject.noun.kind, patient)
    moving = "progressive" in clause.tense
    return [verb for verb in verbs if verb.base != clause.verb.base and not (moving and verb.base in STATIVE)]


def _adjuncts(clause: Clause, sampler: Sampler) -> Iterator[Variant]:
    """Yield changes of place, time and manner."""
    less, more = _holds("up", _predicate(clause)), _holds("down", _predicate(clause))
    if clause.complement:
        return
    if clause.place:
        other = sampler.where()
        yield Variant("place", "drop place", less, clause._replace(place=None))
        if other[1].noun != clause.place[1].noun:
            yield Variant("place", "other place", False, clause._replace(place=other))
    else:
        yield Variant("place", "add place", more, clause._replace(place=sampler.where()))
    if clause.time:
        yield Variant("time", "drop time", less, clause._replace(time=""))
        others = [time for time in TIMES[clause.tense] if time != clause.time]
        yield from (Variant("time", "other time", False, clause._replace(time=time)) for time in others)
    elif clause.tense in TIMES and not clause.adverb:
        yield from (Variant("time", "add time", more, clause._replace(time=time)) for time in TIMES[clause.tense])
    if clause.adverb:
        yield Variant("adverb", "drop adverb", less, clause._replace(adverb=""))


def _forms(clause: Clause) -> Iterator[Variant]:
    """Yield changes of voice, order, polarity, mood and roles."""
    patient, definite = clause.object, clause.subject.determiner in ("the", "this", "that", "these", "those", "")
    if clause.complement is None and definite and not clause.ever and not (patient and patient.determiner == "any"):
        yield Variant("negation", "negation", False, clause._replace(negated=not clause.negated))
    if clause.tense in ("can", "must", "should", "will") and not clause.time:
        yield Variant("tense", "mood", False, clause._replace(tense="past"))
    if clause.recipient is not None:
        yield Variant("form", "other order", True, clause._replace(shifted=not clause.shifted))
    if patient is None or clause.verb.frame != "transitive":
        return
    if not clause.adverb and not clause.ever and patient.determiner != "any":
        quantified = clause.subject.determiner in ("every", "all", "no", "most", "few", "many") or clause.negated
        safe = None if quantified and patient.determiner in (*_INDEFINITE, "many") else True
        yield Variant("form", "voice", safe, clause._replace(passive=not clause.passive))
    mutual = clause.subject.noun.kind in clause.verb.objects and patient.noun.kind in clause.verb.subjects
    if mutual and patient.noun != clause.subject.noun and patient.determiner != "any" and not clause.ever:
        swapped = clause._replace(subject=patient, object=clause.subject)
        yield Variant("roles", "swapped roles", False, swapped)


def _extractions(clause: Clause) -> Iterator[Variant]:
    """Yield the clauses that a clause contains: the complement of its verb, the relative clause of its subject."""
    if clause.complement and not clause.negated:
        yield Variant("all", "complement", clause.verb.frame == "factive", clause.complement)
    relative = clause.subject.relative
    if relative and clause.subject.determiner in ("the", "this", "that", "these", "those"):
        yield Variant("all", "relative clause", True, relative.clause)


def _determiners(clause: Clause) -> Iterator[Variant]:
    """Yield changes of the subject's determiner."""
    subject = clause.subject
    old, predicate = subject.determiner, _predicate(clause)
    if not old or clause.ever or clause.negated or clause.complement or subject.conjunct:
        return
    banned = _SINGULAR if is_plural(subject) else _PLURAL
    weaker = _WEAKER.get(old, ()) if predicate == "up" else ()
    stronger = [other for other in _WEAKER if old in _WEAKER[other]] if predicate == "up" and old != "the" else []
    for other, kind, entailed in (
        *((other, "weaker determiner", True) for other in weaker),
        *((other, "stronger determiner", False) for other in stronger),
        *((other, "contrary determiner", False) for other in _CONTRARY.get(old, ())),
    ):
        if other not in banned and not (other == "no" and clause.passive):
            yield Variant("subject", kind, entailed, clause._replace(subject=subject._replace(determiner=other)))
