"""Django's admin app, with our site (``config.administration``) in place of its own.

Separate from ``config.apps``, because Django accepts only one default configuration per app module.
"""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "config.administration.Administration"
