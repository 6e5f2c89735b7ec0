"""How is a clause put into words?

`words` gives tokens that remember what they are (a determiner, a finite verb and its number, ...), so that the acceptability
task can break exactly one rule. `sentence` joins them.
"""

from __future__ import annotations

from typing import NamedTuple

from embedded_grammar import Clause, Phrase, Relative, is_plural
from embedded_words import Verb

__all__ = ["Token", "sentence", "words", "written"]

_MODALS = ("will", "can", "must", "should")
_REFLEXIVES = {"male": "himself", "female": "herself", "neuter": "itself", "person": "themselves"}
_ACCUSATIVE = {"he": "him", "she": "her"}


class Token(NamedTuple):
    """A word and its part in the sentence."""

    text: str
    part: str
    plural: bool = False
    verb: Verb | None = None
    other: str = ""  # the word in the other number, for nouns and finite verbs


def sentence(clause: Clause) -> str:
    """Return the clause as a sentence with its final mark."""
    return written(words(clause), question=clause.question)


def written(tokens: list[Token], *, question: bool = False) -> str:
    """Join tokens: a capital for the first word and for names, a mark at the end."""
    texts = [token.text.capitalize() if token.part == "name" else token.text for token in tokens]
    texts[0] = texts[0].capitalize()
    return " ".join(texts) + ("?" if question else ".")


def words(clause: Clause) -> list[Token]:
    """Return the tokens of a clause, without the final mark."""
    subject, patient = (
        (clause.object, clause.subject) if clause.passive and clause.object else (clause.subject, clause.object)
    )
    before = _phrase(subject, subject=True)
    finite, rest = _verb_group(clause, plural=is_plural(subject))
    tokens = finite[:1] + before + finite[1:] + rest if clause.question else before + finite + rest
    if clause.passive and clause.object:
        tokens += [Token("by", "by"), *_phrase(clause.subject)]
    else:
        tokens += _objects(clause, patient)
    return tokens + _adjuncts(clause)


def _objects(clause: Clause, patient: Phrase | None) -> list[Token]:
    if clause.complement:
        return [Token("that", "that"), *words(clause.complement)]
    direct = _phrase(patient, subject=False) if patient else []
    if clause.recipient is None:
        return direct
    receiver = _phrase(clause.recipient)
    return [*direct, Token("to", "to"), *receiver] if clause.shifted else receiver + direct


def _adjuncts(clause: Clause) -> list[Token]:
    tokens = [Token(clause.adverb, "adverb")] if clause.adverb else []
    if clause.place:
        preposition, place = clause.place
        tokens += [Token(preposition, "preposition"), *_phrase(place)]
    return tokens + ([Token(clause.time, "time")] if clause.time else [])


def _phrase(phrase: Phrase, *, subject: bool = False) -> list[Token]:
    """Put a noun phrase into words."""
    noun = phrase.noun
    if phrase.reflexive:
        return [Token("themselves" if phrase.plural else _REFLEXIVES[noun.gender], "reflexive", phrase.plural)]
    if noun.proper:
        text = noun.singular if subject else _ACCUSATIVE.get(noun.singular, noun.singular)
        return [Token(text, "pronoun" if noun.singular in _ACCUSATIVE else "name")]
    forms = (noun.plural, noun.singular) if phrase.plural else (noun.singular, noun.plural)
    tokens = [Token(forms[0], "noun", phrase.plural, other=forms[1])]
    if phrase.adjective:
        tokens.insert(0, Token(phrase.adjective.word, "adjective"))
    if phrase.determiner:
        article = phrase.determiner
        if article == "a" and tokens[0].text[0] in "aeiou":
            article = "an"
        tokens.insert(0, Token(article, "determiner", phrase.plural))
    if phrase.near:
        preposition, other = phrase.near
        tokens += [Token(preposition, "preposition"), *_phrase(other)]
    if phrase.relative:
        tokens += _relative(phrase.relative)
    if phrase.conjunct:
        tokens += [Token("and", "and"), *_phrase(phrase.conjunct)]
    return tokens


def _relative(relative: Relative) -> list[Token]:
    clause = relative.clause
    finite, rest = _verb_group(clause, plural=is_plural(clause.subject))
    if relative.gap == "subject":
        return [Token("that", "that"), *finite, *rest, *(_phrase(clause.object) if clause.object else [])]
    group = finite + rest
    group[-1] = group[-1]._replace(part="gap " + group[-1].part)
    return [Token("that", "that"), *_phrase(clause.subject, subject=True), *group]


def _verb_group(clause: Clause, *, plural: bool) -> tuple[list[Token], list[Token]]:
    """Return the finite part (auxiliary and negation, or nothing but the verb) and the rest of the verb group."""
    verb, tense = clause.verb, clause.tense
    auxiliary, middle, form, part = _passive(clause, plural) if clause.passive else _active(clause, plural)
    if auxiliary is None:
        return [_finite(verb, tense, plural)], []
    rest = [*middle, Token(form, part, verb=verb)]
    finite = (
        [auxiliary]
        + ([Token("not", "not")] if clause.negated else [])
        + ([Token("ever", "ever")] if clause.ever else [])
    )
    return (finite, rest) if not clause.question else ([auxiliary], rest)


def _active(clause: Clause, plural: bool) -> tuple[Token | None, list[Token], str, str]:
    """Return the auxiliary (None where the verb itself is finite), what follows it, and the verb's form and its name."""
    verb, tense = clause.verb, clause.tense
    if tense in _MODALS:
        return Token(tense, "modal"), [], verb.base, "base"
    if "progressive" in tense:
        return _be("past" if "past" in tense else "present", plural), [], verb.gerund, "gerund"
    if tense == "perfect":
        return _pair("has", "have", plural), [], verb.participle, "participle"
    if not clause.negated and not clause.question:
        return None, [], "", ""
    auxiliary = Token("did", "did") if tense == "past" else _pair("does", "do", plural)
    return auxiliary, [], verb.base, "base"


def _passive(clause: Clause, plural: bool) -> tuple[Token | None, list[Token], str, str]:
    """Return the same for the passive."""
    tense, form = clause.tense, clause.verb.participle
    if tense in _MODALS:
        return Token(tense, "modal"), [Token("be", "be")], form, "participle"
    if tense == "perfect":
        return _pair("has", "have", plural), [Token("been", "been")], form, "participle"
    middle = [Token("being", "being")] if "progressive" in tense else []
    return _be("past" if "past" in tense else "present", plural), middle, form, "participle"


def _be(tense: str, plural: bool) -> Token:
    return _pair("was", "were", plural) if tense == "past" else _pair("is", "are", plural)


def _pair(singular: str, several: str, plural: bool) -> Token:
    text, other = (several, singular) if plural else (singular, several)
    return Token(text, "agreeing", plural, other=other)


def _finite(verb: Verb, tense: str, plural: bool) -> Token:
    if tense == "past":
        return Token(verb.past, "past", verb=verb)
    text, other = (verb.base, verb.present) if plural else (verb.present, verb.base)
    return Token(text, "present", plural, verb, other)
