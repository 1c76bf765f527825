"""Search of words as expressions of the ORM; what a word is, ``core.text.text_search`` decides."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.search import SearchQueryField, SearchVectorField
from django.db.models import BooleanField, Func, Value
from django.db.models.functions import Cast

from core.text.text_search import Term, as_tsquery


class Words(Func):
    """The searchable words of a text column; the expression of the indexes, so that they serve."""

    function = "causerie_tokens"
    output_field = SearchVectorField()


class Saying(Func):
    """The condition that the searchable words of an expression are those of ``terms``."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, words: Words, terms: Sequence[Term]) -> None:
        super().__init__(words, Cast(Value(as_tsquery(terms)), SearchQueryField()))
