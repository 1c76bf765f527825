"""ORM expressions for text search; ``core.text.text_search`` defines what a word is."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.search import SearchQueryField, SearchVectorField
from django.db.models import BooleanField, Func, Value
from django.db.models.functions import Cast

from core.text.text_search import Term, as_tsquery


class Words(Func):
    """The searchable words of a text column: the same expression as in the indexes."""

    function = "causerie_tokens"
    output_field = SearchVectorField()


class Saying(Func):
    """The condition that the searchable words of an expression match all ``terms``."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, words: Words, terms: Sequence[Term]) -> None:
        super().__init__(words, Cast(Value(as_tsquery(terms)), SearchQueryField()))
