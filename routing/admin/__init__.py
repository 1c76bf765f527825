"""Administration of distribution, one module for each kind of setting."""

from routing.admin import distribution, identity, people, targeting, toolbar_apps, waiting, websites

__all__ = ["distribution", "identity", "people", "targeting", "toolbar_apps", "waiting", "websites"]
