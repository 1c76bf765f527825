"""Aliases for unnamed visitors: two words and a colour, derived from the public id.

Pure: an id always gives the same alias, in every process and after every restart. The words are in
the reader's language ("Calm heron", "Héron calme"). The alias is made of the leading bits of the
id, so that all ids of an alias are one range, which the unique index on the id serves
(``range_of``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from core.text.text_search import fold

QUALITIES = 64
CREATURES = 128
TINTS = 12
"""The number of avatar colours; ``base/avatars.css`` has a class for each."""

_BITS = 13  # QUALITIES * CREATURES
_TINT_BITS = 12
_BELOW = 128 - _BITS


@dataclass(frozen=True, slots=True)
class Alias:
    """The positions of the two words in their lists, and the colour."""

    quality: int
    creature: int
    tint: int

    def __str__(self) -> str:
        qualities, creatures = _lists(get_language() or "")
        words = {"quality": qualities[self.quality], "creature": creatures[self.creature]}
        alias = _("%(quality)s %(creature)s") % words
        return alias[:1].upper() + alias[1:]


def alias_of(public_id: uuid.UUID) -> Alias:
    """Return the alias of the visitor with this id. The bits used are random (UUID 4), so all
    aliases and colours are equally frequent."""
    leading, rest = divmod(public_id.int, 1 << _BELOW)
    quality, creature = divmod(leading, CREATURES)
    return Alias(quality, creature, (rest >> (_BELOW - _TINT_BITS)) % TINTS)


def range_of(text: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return the first and last id of the alias ``text``, or ``None`` if it is none. The words are
    in the reader's language, in any order; case and accents are ignored."""
    words = fold(text).split()
    if len(words) != 2:
        return None
    qualities, creatures = ([fold(word) for word in each] for each in _lists(get_language() or ""))
    for quality, creature in (words, reversed(words)):
        if quality in qualities and creature in creatures:
            leading = qualities.index(quality) * CREATURES + creatures.index(creature)
            first = leading << _BELOW
            return uuid.UUID(int=first), uuid.UUID(int=first + (1 << _BELOW) - 1)
    return None


@lru_cache(maxsize=8)
def _lists(_language: str) -> tuple[list[str], list[str]]:
    """Return the words in the active language. Translations keep order and number, since positions
    have a meaning, and use words that do not change with gender."""
    qualities = pgettext(
        "64 qualities for names of visitors, same order; each fits every noun of the other list",
        "calm peaceful agile kind skilful quick wise honest brave loyal playful rare whimsical "
        "sturdy nimble sociable magnificent superb fantastic energetic noble modest friendly "
        "alert intrepid lyrical roaming sunny stellar polar alpine rural memorable sincere "
        "magical maritime bohemian unique poetic dynamic optimistic symphonic cosmic mythical "
        "epic classic admirable remarkable supple dignified swift merry robust serene nocturnal "
        "aquatic celestial limpid humble lucid tenacious diplomatic enthusiastic heroic",
    )
    creatures = pgettext(
        "128 animals and plants for names of visitors, same order",
        "Heron Swallow Robin Kingfisher Lark Nightingale Oriole Finch Goldcrest Swan Stork "
        "Falcon Eagle Owl Puffin Pelican Albatross Hummingbird Flamingo Ibis Egret Hoopoe "
        "Goldfinch Kestrel Osprey Plover Curlew Seagull Tern Warbler Toucan Waxwing Otter "
        "Dolphin Hedgehog Squirrel Fox Lynx Marmot Ibex Chamois Stag Hare Beaver Dormouse Panda "
        "Koala Kangaroo Antelope Gazelle Giraffe Lemur Alpaca Bison Reindeer Lion Panther Jaguar "
        "Wolf Pony Seahorse Turtle Salamander Butterfly Dragonfly Ladybird Bee Cicada Firefly "
        "Salmon Coral Nautilus Maple Oak Birch Beech Linden Cedar Cypress Pine Larch Willow "
        "Poplar Tulip Peony Poppy Cornflower Lavender Mint Thyme Reed Palm Clover Honeysuckle "
        "Magnolia Camellia Hydrangea Orchid Lotus Gentian Edelweiss Snowdrop Crocus Primrose "
        "Mimosa Wisteria Azalea Begonia Hazelnut Chestnut Almond Apricot Cherry Raspberry "
        "Blueberry Fig Saffron Vanilla Cinnamon Cardamom Bamboo Ginkgo Baobab Sequoia Acacia "
        "Hawthorn Sunflower Thistle",
    )
    return qualities.split(), creatures.split()
