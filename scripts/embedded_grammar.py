"""Which sentences does the embedded language have, and how is a meaning put into words?

A `Clause` is a meaning (who does what to whom, when, where, how, or not); `Sampler` draws clauses; `embedded_surface` puts them
into words. Tasks change clauses, never strings, so that the truth of a label follows from the change.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from embedded_words import NAMES, PLACES, PRONOUNS, Adjective, Noun, Verb, adjectives_of, nouns_of, verbs_of

__all__ = ["ADVERBS", "STATIVE", "TENSES", "TIMES", "Clause", "Phrase", "Relative", "Sampler", "Style", "is_plural"]

TENSES = ("past", "past", "present", "past progressive", "progressive", "perfect", "will", "can", "must", "should")
ADVERBS = ("quickly", "slowly", "quietly", "carefully", "happily", "suddenly", "again", "alone")
_LIFELESS_ADVERBS = ("quickly", "slowly", "suddenly", "again")
TIMES = {
    "past": ("yesterday", "last week", "this morning"),
    "will": ("tomorrow", "next week", "soon"),
    "present": ("every day",),
}
STATIVE = (
    "see",
    "hear",
    "spot",
    "trust",
    "admire",
    "want",
    "need",
    "know",
    "realize",
    "believe",
    "hope",
    "suspect",
    "notice",
)
_NEAR = ("near", "behind", "beside", "with")
_SINGULAR = ("the", "the", "the", "a", "a", "this", "that", "every", "no", "one")
_PLURAL = ("the", "the", "these", "those", "two", "three", "some", "many", "few", "most", "all", "no")
_OBJECT_SINGULAR = ("the", "the", "a", "a", "this", "that", "one")
_OBJECT_PLURAL = ("the", "these", "those", "two", "three", "some", "many")
_PLAIN_SINGULAR = ("the", "the", "a")
_PLAIN_PLURAL = ("the", "some", "two")


class Phrase(NamedTuple):
    """A noun phrase; `reflexive` stands for a pronoun that points back to the subject."""

    noun: Noun
    plural: bool = False
    determiner: str = ""
    adjective: Adjective | None = None
    near: tuple[str, Phrase] | None = None
    relative: Relative | None = None
    conjunct: Phrase | None = None
    reflexive: bool = False


class Clause(NamedTuple):
    """Who does what to whom, when, where and how."""

    subject: Phrase
    verb: Verb
    tense: str = "past"
    object: Phrase | None = None
    recipient: Phrase | None = None
    complement: Clause | None = None
    negated: bool = False
    passive: bool = False
    shifted: bool = False  # "gave a book to the girl" rather than "gave the girl a book"
    question: bool = False
    ever: bool = False
    adverb: str = ""
    time: str = ""
    place: tuple[str, Phrase] | None = None


class Relative(NamedTuple):
    """A relative clause: `clause` with its subject or its object left out, for it is the noun that it belongs to."""

    clause: Clause
    gap: str


class Style(NamedTuple):
    """How often each construction occurs."""

    adjective: float = 0.35
    near: float = 0.12
    relative: float = 0.12
    conjunct: float = 0.06
    name: float = 0.15
    negated: float = 0.15
    passive: float = 0.15
    question: float = 0.05
    adverb: float = 0.15
    time: float = 0.12
    place: float = 0.25
    complement: float = 0.08
    reflexive: float = 0.06
    quantifiers: bool = True


def is_plural(phrase: Phrase) -> bool:
    """Tell whether the phrase takes a plural verb."""
    return phrase.plural or phrase.conjunct is not None


class Sampler:
    """Draws acceptable clauses; equal generators give equal clauses."""

    def __init__(self, generator: random.Random, style: Style | None = None) -> None:
        self.generator = generator
        self.style = style or Style()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.generator.random() < probability

    def noun(self, kind: str) -> Noun:
        """Draw a common noun of a kind; the most general noun of the kind is drawn rarely."""
        return self.generator.choice(nouns_of(kind))

    def adjective(self, kind: str) -> Adjective | None:
        """Draw an adjective that fits the kind."""
        fitting = adjectives_of(kind)
        return self.generator.choice(fitting) if fitting else None

    def name(self) -> Phrase:
        """Draw a name or, as a subject or an object, a pronoun."""
        return Phrase(self.generator.choice(NAMES if self.chance(0.75) else PRONOUNS))

    def phrase(self, kind: str, *, subject: bool = False, depth: int = 0) -> Phrase:
        """Draw a noun phrase; `depth` counts the phrases around it and keeps it simple inside others."""
        style = self.style
        if kind == "person" and self.chance(style.name):
            return self.name()
        plural = self.chance(0.4)
        phrase = Phrase(self.noun(kind), plural, self.determiner(plural, subject=subject and depth == 0))
        if self.chance(style.adjective if depth == 0 else style.adjective / 2):
            phrase = phrase._replace(adjective=self.adjective(kind))
        if depth > 0:
            return phrase
        if self.chance(style.near):
            return phrase._replace(near=self.near(kind))
        if self.chance(style.relative):
            return phrase._replace(relative=self.relative(phrase))
        if subject and kind in ("person", "animal") and phrase.determiner == "the" and self.chance(2 * style.conjunct):
            return phrase._replace(conjunct=self.phrase(kind, depth=1))
        return phrase

    def determiner(self, plural: bool, *, subject: bool) -> str:
        """Draw a determiner that agrees with the number."""
        if not self.style.quantifiers:
            return self.generator.choice(_PLAIN_PLURAL if plural else _PLAIN_SINGULAR)
        if subject:
            return self.generator.choice(_PLURAL if plural else _SINGULAR)
        return self.generator.choice(_OBJECT_PLURAL if plural else _OBJECT_SINGULAR)

    def near(self, kind: str) -> tuple[str, Phrase]:
        """Draw a prepositional phrase inside a noun phrase ("near the boxes")."""
        preposition = self.generator.choice(_NEAR if kind == "person" else _NEAR[:3])
        other = (
            "person animal garment document" if preposition == "with" else "person animal vehicle seat plant container"
        )
        return preposition, self.phrase(self.generator.choice(other.split()), depth=1)

    def relative(self, head: Phrase) -> Relative:
        """Draw a relative clause about `head`, with a gap for the subject or the object."""
        kind = head.noun.kind
        bare = Phrase(head.noun, head.plural, "the")
        if kind not in ("person", "animal") or self.chance(0.4):
            verb = self.generator.choice(verbs_of("transitive", patient=kind))
            subject = self.phrase(self.generator.choice(verb.subjects), depth=1)
            return Relative(Clause(subject, verb, self.tense(verb), object=bare), "object")
        verb = self.generator.choice(verbs_of("transitive", kind))
        patient = self.phrase(self.generator.choice(verb.objects), depth=1)
        return Relative(Clause(bare, verb, self.tense(verb), object=patient), "subject")

    def tense(self, verb: Verb) -> str:
        """Draw a tense; verbs that name a state have no progressive."""
        tenses = [tense for tense in TENSES if "progressive" not in tense or verb.base not in STATIVE]
        return self.generator.choice(tenses)

    def where(self) -> tuple[str, Phrase]:
        """Draw the place of an event."""
        place, prepositions = self.generator.choice(PLACES)
        determiner = self.generator.choice(("the", "the", "the", "a", "this"))
        return self.generator.choice(prepositions), Phrase(place, determiner=determiner)

    def clause(self) -> Clause:
        """Draw a main clause."""
        if self.chance(self.style.complement):
            return self._reported()
        frame = "intransitive" if self.chance(0.28) else "dative" if self.chance(0.12) else "transitive"
        verb = self.generator.choice(verbs_of(frame))
        subject = self.phrase(self.generator.choice(verb.subjects), subject=True)
        clause = Clause(subject, verb, self.tense(verb))
        if frame != "intransitive":
            clause = clause._replace(object=self._object(verb, subject))
        if frame == "dative":
            clause = clause._replace(recipient=self.phrase("person", depth=1), shifted=self.chance(0.5))
        return self._adjoin(self._polarity(self._voice(clause)))

    def _object(self, verb: Verb, subject: Phrase) -> Phrase:
        gendered = subject.noun.gender != "person" or is_plural(subject)
        if {"person"} & set(verb.objects) & set(verb.subjects) and gendered and self.chance(2 * self.style.reflexive):
            return Phrase(subject.noun, is_plural(subject), reflexive=True)
        return self.phrase(self.generator.choice(verb.objects))

    def _voice(self, clause: Clause) -> Clause:
        patient = clause.object
        simple = clause.verb.frame == "transitive" and patient is not None and not patient.reflexive
        return clause._replace(passive=True) if simple and self.chance(self.style.passive * 1.5) else clause

    def _polarity(self, clause: Clause) -> Clause:
        quantified = clause.subject.determiner in ("no", "every", "all", "few", "most", "many")
        if self.style.quantifiers and clause.subject.determiner == "no" and not clause.passive and self.chance(0.4):
            return clause._replace(tense="perfect", ever=True)
        if not quantified and self.chance(self.style.negated):
            return self._license(clause._replace(negated=True))
        if clause.subject.determiner != "no" and self.chance(self.style.question):
            return clause._replace(question=True)
        return clause

    def _license(self, clause: Clause) -> Clause:
        """Let a negated clause have an object with "any"."""
        patient = clause.object
        free = patient is not None and patient.plural and not patient.reflexive and not clause.passive
        if self.style.quantifiers and patient is not None and free and self.chance(0.5):
            return clause._replace(object=patient._replace(determiner="any"))
        return clause

    def _adjoin(self, clause: Clause) -> Clause:
        if self.chance(self.style.place):
            clause = clause._replace(place=self.where())
        if clause.tense in TIMES and self.chance(2 * self.style.time):
            return clause._replace(time=self.generator.choice(TIMES[clause.tense]))
        if clause.verb.base not in STATIVE and not clause.passive and self.chance(self.style.adverb):
            lifeless = clause.subject.noun.kind in ("vehicle", "plant")
            return clause._replace(adverb=self.generator.choice(_LIFELESS_ADVERBS if lifeless else ADVERBS))
        return clause

    def _reported(self) -> Clause:
        verb = self.generator.choice(verbs_of("factive") + verbs_of("opinion"))
        inner = Sampler(self.generator, self.style._replace(complement=0.0, question=0.0, relative=0.0, near=0.0))
        subject = self.phrase("person", subject=True, depth=1)
        return Clause(subject, verb, self.generator.choice(("past", "present")), complement=inner.clause())
