"""What a visitor's browser reports, and the pages it has viewed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.visitors import Visitor


class Profile(models.Model):
    """The latest information about a visitor besides their messages (R192, R193).

    ``data`` comes from the brand's page (``Causerie("visitor", …)``): flat and not signed.
    """

    visitor = models.OneToOneField(
        Visitor, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    device = models.CharField(_("device"), max_length=10, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    referrer = models.CharField(_("referrer"), max_length=2000, blank=True)
    place = models.CharField(_("location"), max_length=100, blank=True)
    data = models.JSONField(_("custom data"), default=dict, blank=True)
    said_at = models.DateTimeField(_("reported at"))

    class Meta:
        verbose_name = _("profile of a visitor")
        verbose_name_plural = _("profiles of visitors")
        indexes = [
            # conversations.tasks.forget_traces: old profiles.
            models.Index(fields=["said_at"], name="profiles_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.visitor_id}"


class SeenPage(models.Model):
    """A page of the website that a visitor has viewed since they gave consent (R192, B13)."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="pages")
    url = models.CharField(_("address"), max_length=2000)
    title = models.CharField(_("title"), max_length=200, blank=True)
    seen_at = models.DateTimeField(_("viewed at"))

    class Meta:
        verbose_name = _("page viewed")
        verbose_name_plural = _("pages viewed")
        indexes = [
            # conversations.visitors.page_views: a visitor's pages, the latest first.
            models.Index(fields=["visitor", "-id"], name="pages_of_visitor"),
            # conversations.tasks.forget_traces: old page views.
            models.Index(fields=["seen_at"], name="pages_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.visitor_id} · {self.url}"
