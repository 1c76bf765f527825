"""Django's administration, with our site (``config.administration``) in the place of its own.

Apart from ``config.apps``: of an app's module Django takes one configuration only.
"""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "config.administration.Administration"
