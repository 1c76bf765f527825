"""The command that exports the data of a customer or visitor as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from conversations.privacy import personal_data
from conversations.privacy.data_subjects import add_arguments, find


class Command(BaseCommand):
    help = "Write everything stored about a person (external id) or a visitor (id) as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        copy = personal_data.export(find(options["website"], options["subject"]))
        self.stdout.write(json.dumps(copy, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
