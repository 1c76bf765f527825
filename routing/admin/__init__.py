"""Administration of distribution, one module for each kind of setting."""

from routing.admin import (
    distribution,
    identity,
    people,
    programs,
    single_sign_on,
    targeting,
    toolbar_apps,
    waiting,
    webhooks,
    websites,
)

__all__ = [
    "distribution",
    "identity",
    "people",
    "programs",
    "single_sign_on",
    "targeting",
    "toolbar_apps",
    "waiting",
    "webhooks",
    "websites",
]
