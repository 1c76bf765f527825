"""The core app, which gives Django the outbox's model."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
