"""The core app: it has the outbox's table and nothing else that Django need know."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
