"""Which words does the embedded language have, and how are they inflected and related?

A noun knows its plural, its parent (dog -> animal) and, for people, its gender; a verb knows its forms, who can do it to what,
its synonym and the more general verb that it implies. Everything here is a plain tuple in a fixed order, so that a draw by
`random.Random` gives the same word on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

__all__ = [
    "NAMES",
    "NOUNS",
    "PLACES",
    "PRONOUNS",
    "Adjective",
    "Noun",
    "Verb",
    "adjectives_of",
    "all_forms",
    "by_name",
    "children",
    "nouns_of",
    "verbs_of",
]


class Noun(NamedTuple):
    """A noun, a name or a pronoun."""

    singular: str
    plural: str
    kind: str
    parent: str = ""
    gender: str = "neuter"
    proper: bool = False


class Verb(NamedTuple):
    """A verb with its five forms and what it may be combined with."""

    base: str
    present: str
    past: str
    participle: str
    gerund: str
    frame: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...]
    synonym: str = ""
    implies: str = ""


class Adjective(NamedTuple):
    """An adjective with the kinds it fits, its synonym and its opposite."""

    word: str
    kinds: tuple[str, ...]
    synonym: str = ""
    opposite: str = ""


# kind, then parent: children. "m:" and "f:" mark gender; "a/b" gives an irregular plural.
_NOUNS = """
person  -: person/people
person  person: m:man/men f:woman/women child/children doctor musician worker athlete scientist artist teacher lawyer neighbor
person  child: m:boy f:girl
person  man: m:king m:prince m:uncle m:grandfather m:waiter
person  woman: f:queen f:princess f:aunt f:grandmother f:waitress
person  doctor: surgeon dentist
person  musician: pianist drummer singer violinist
person  worker: baker farmer plumber carpenter miner
person  athlete: runner swimmer boxer
person  scientist: chemist physicist biologist
person  artist: painter sculptor
animal  -: animal
animal  animal: dog cat horse cow goat rabbit bird monkey reptile bear
animal  dog: poodle terrier beagle
animal  bird: sparrow eagle robin crow duck
animal  reptile: snake lizard turtle
animal  horse: pony
food    -: dish
food    dish: soup cake sandwich salad pizza
food    cake: muffin brownie
fruit   -: fruit/fruits
fruit   fruit: apple pear plum peach lemon
vehicle -: vehicle
vehicle vehicle: car truck bus bicycle boat tractor
vehicle car: taxi
vehicle boat: canoe
tool    -: tool
tool    tool: hammer saw drill axe shovel
instrument -: instrument
instrument instrument: piano guitar flute drum violin trumpet
garment -: garment
garment garment: coat hat shirt jacket scarf/scarves glove
seat    -: seat
seat    seat: chair sofa bench stool
plant   -: plant
plant   plant: flower tree bush
plant   flower: rose tulip daisy
plant   tree: oak pine maple
document -: document
document document: letter report map contract book
document book: novel diary
container -: container
container container: box basket bottle jar bucket
"""

# Each line: the prepositions that fit, then the places.
_PLACES = """
in,near,behind: garden kitchen park forest library hospital office field village church
at,near,behind: market station harbor school hotel
near,behind: river bridge
"""

_NAMES = "m:John m:Peter m:Tom m:David m:Paul m:Henry m:Sam m:Oscar f:Mary f:Anna f:Susan f:Laura f:Emma f:Julia f:Kate f:Rosa"

# frame, subjects > objects: base[:past[:participle[:gerund]]][=synonym][<implied verb]
_VERBS = """
intransitive person >: smile laugh<smile giggle<laugh sing:sang:sung dance work speak:spoke:spoken whisper<speak read:read:read cook
intransitive person,animal >: sleep:slept:slept doze<sleep walk stroll<walk run:ran:run:running sprint<run yawn wait swim:swam:swum:swimming jump
intransitive vehicle >: stop:stopped:stopped:stopping arrive turn
intransitive plant >: grow:grew:grown fade bloom
transitive person > person: help=assist assist=help thank praise trust admire greet visit invite call
transitive person,animal > person,animal: see:saw:seen spot:spotted:spotted:spotting<see watch<see follow chase<follow find:found:found avoid hear:heard:heard \
touch push<touch kick<touch scare=frighten frighten=scare ignore attack
transitive person > animal: feed:fed:fed train draw:drew:drawn
transitive animal > person,animal: bite:bit:bitten<touch lick<touch
transitive person > food: eat:ate:eaten devour<eat cook<make prepare=make make:made:made=prepare
transitive person,animal > fruit: eat:ate:eaten devour<eat smell
transitive person > fruit: pick peel slice<cut cut:cut:cut:cutting
transitive person > vehicle: drive:drove:driven rent park wash<clean clean
transitive person > vehicle,tool,instrument,seat: repair=fix fix=repair break:broke:broken damage=harm harm=damage
transitive person > food,fruit,vehicle,tool,instrument,garment,seat,plant,document,container: buy:bought:bought=purchase purchase=buy \
sell:sold:sold choose:chose:chosen=select select=choose want need
transitive person > fruit,tool,garment,document,container,instrument: take:took:taken steal:stole:stolen<take grab:grabbed:grabbed:grabbing<take \
carry<hold hold:held:held hide:hid:hidden drop:dropped:dropped:dropping lose:lost:lost
transitive person > tool: use borrow
transitive person > instrument: play tune
transitive person > garment: wear:wore:worn fold sew:sewed:sewn wash<clean clean
transitive person > seat,container: paint move clean
transitive person > plant: water trim:trimmed:trimmed:trimming<cut cut:cut:cut:cutting paint
transitive person > document: read:read:read write:wrote:written sign copy burn
transitive person > container: open close=shut shut:shut:shut:shutting=close fill empty
dative person > fruit,tool,garment,document,container,instrument: give:gave:given show:showed:shown send:sent:sent offer lend:lent:lent hand<give
factive person >: know:knew:known realize remember notice
opinion person >: believe=think think:thought:thought=believe claim hope suspect
"""

_ADJECTIVES = """
person: young~old old~young tall~short short~tall kind~cruel cruel~kind clever=smart smart=clever tired happy=glad~sad glad=happy~sad sad~happy \
famous rich~poor poor~rich strong~weak weak~strong
animal: big=large~small large=big~small small=little~big little=small~big old~young young~old hungry wild~tame tame~wild brown black white strong~weak
food: fresh~stale stale~fresh warm~cold cold~warm tasty=delicious delicious=tasty cheap~expensive expensive~cheap
fruit: fresh~rotten rotten~fresh ripe big=large~small small=little~big green red yellow
vehicle,tool,instrument,garment,seat,document,container: new~old old~new big=large~small large=big~small small=little~big little=small~big \
cheap~expensive expensive~cheap clean~dirty dirty~clean heavy~light light~heavy red blue green black
plant: tall~short short~tall green red yellow beautiful=pretty~ugly pretty=beautiful~ugly ugly~beautiful wild
"""


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def _parse_noun(text: str, kind: str, parent: str, *, proper: bool = False) -> Noun:
    gender, _, rest = text.rpartition(":")
    singular, _, plural = rest.partition("/")
    singular = singular.lower()
    default = "person" if kind == "person" else "neuter"
    named = {"m": "male", "f": "female"}.get(gender, default)
    return Noun(singular, plural or _plural(singular), kind, parent, named, proper)


def _parse_nouns(text: str) -> tuple[Noun, ...]:
    nouns = []
    for line in text.strip().splitlines():
        head, _, words = line.partition(": ")
        kind, parent = head.split()
        nouns += [_parse_noun(word, kind, "" if parent == "-" else parent) for word in words.split()]
    return tuple(nouns)


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


def _parse_verb(text: str, frame: str, subjects: tuple[str, ...], objects: tuple[str, ...]) -> Verb:
    text, _, implies = text.partition("<")
    text, _, synonym = text.partition("=")
    base, past, participle, gerund = (*text.split(":"), "", "", "")[:4]
    past = past or _past(base)
    gerund = gerund or (base[:-1] if base.endswith("e") and not base.endswith("ee") else base) + "ing"
    return Verb(base, _plural(base), past, participle or past, gerund, frame, subjects, objects, synonym, implies)


def _parse_verbs(text: str) -> tuple[Verb, ...]:
    verbs = []
    for line in text.replace("\\\n", "").strip().splitlines():
        head, _, words = line.partition(":")
        frame, _, kinds = head.partition(" ")
        subjects, _, objects = kinds.replace(" ", "").partition(">")
        patients = tuple(kind for kind in objects.split(",") if kind)
        verbs += [_parse_verb(word, frame, tuple(subjects.split(",")), patients) for word in words.split()]
    return tuple(verbs)


def _parse_adjectives(text: str) -> tuple[Adjective, ...]:
    adjectives = []
    for line in text.replace("\\\n", "").strip().splitlines():
        kinds, _, words = line.partition(":")
        for word in words.split():
            rest, _, opposite = word.partition("~")
            plain, _, synonym = rest.partition("=")
            adjectives.append(Adjective(plain, tuple(kinds.split(",")), synonym, opposite))
    return tuple(adjectives)


def _parse_places(text: str) -> tuple[tuple[Noun, tuple[str, ...]], ...]:
    places = []
    for line in text.strip().splitlines():
        prepositions, _, words = line.partition(": ")
        places += [(_parse_noun(word, "place", ""), tuple(prepositions.split(","))) for word in words.split()]
    return tuple(places)


NOUNS = _parse_nouns(_NOUNS)
PLACES = _parse_places(_PLACES)
NAMES = tuple(_parse_noun(word, "person", "", proper=True) for word in _NAMES.split())
PRONOUNS = (
    Noun("he", "him", "person", "", "male", True),
    Noun("she", "her", "person", "", "female", True),
)
_ALL_VERBS = _parse_verbs(_VERBS)
_ALL_ADJECTIVES = _parse_adjectives(_ADJECTIVES)

_BY_NAME = {noun.singular: noun for noun in NOUNS}


def by_name(singular: str) -> Noun:
    """Return the common noun with this singular form."""
    return _BY_NAME[singular]


@cache
def children(noun: Noun) -> tuple[Noun, ...]:
    """Return the nouns whose parent is `noun`, in the order of the list."""
    return tuple(other for other in NOUNS if other.parent == noun.singular)


@cache
def nouns_of(kind: str) -> tuple[Noun, ...]:
    """Return the common nouns of a kind."""
    return tuple(noun for noun in NOUNS if noun.kind == kind)


@cache
def adjectives_of(kind: str) -> tuple[Adjective, ...]:
    """Return the adjectives that fit a kind of noun."""
    return tuple(adjective for adjective in _ALL_ADJECTIVES if kind in adjective.kinds)


@cache
def verbs_of(frame: str, subject: str = "", patient: str = "") -> tuple[Verb, ...]:
    """Return the verbs of a frame that take a subject and an object of these kinds (an empty kind asks for none)."""
    fitting = [verb for verb in _ALL_VERBS if verb.frame == frame]
    fitting = [verb for verb in fitting if not subject or subject in verb.subjects]
    return tuple(verb for verb in fitting if not patient or patient in verb.objects)


@cache
def all_forms() -> dict[str, tuple[str, ...]]:
    """Return every form of every noun and verb, by its first three letters."""
    forms = [form for noun in NOUNS for form in (noun.singular, noun.plural)]
    forms += [form for verb in _ALL_VERBS for form in verb[:5]]
    beginnings: dict[str, dict[str, None]] = {}
    for form in forms:
        beginnings.setdefault(form[:3], {})[form] = None
    return {beginning: tuple(found) for beginning, found in beginnings.items()}
