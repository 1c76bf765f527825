"""The e-mail that says that a file is ready, or why there is none."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.access import zone_of
from reporting.exports import export_queue, subjects
from reporting.models import Export, ExportState


def tell(*, export_id: int) -> None:
    """E-mail the user who requested the export. The link leads to their list, which requires a
    login."""
    export = Export.objects.select_related("user").filter(pk=export_id).first()
    if export is None or export.user is None or not export.user.is_active:
        return
    if not export.user.email or export.state not in {ExportState.DONE, ExportState.FAILED}:
        return
    is_ready = export.state == ExportState.DONE
    with translation.override(export.language):
        name = subjects.name_of(export.subject)
        assert export.ended_at is not None
        until = (export.ended_at + export_queue.RETENTION).astimezone(zone_of(export.user))
        context = {
            "export": export,
            "name": name,
            "is_ready": is_ready,
            "until": until,
            "page": f"{settings.PUBLIC_URL}{reverse('exports')}",
        }
        subject = _("Ready: %(name)s") if is_ready else _("Not ready: %(name)s")
        send_mail(
            subject=subject % {"name": name},
            message=render_to_string("reporting/exports/mail.txt", context),
            from_email=None,
            recipient_list=[export.user.email],
        )
