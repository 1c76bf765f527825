"""The backend without a mail server: e-mails go to a folder, one file each; the demo shows them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Backend(BaseEmailBackend):
    """Writes each e-mail whole or not at all; one that is sent again replaces itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            built = message.message()
            name = "".join(c for c in str(built["Message-ID"]) if c.isalnum() or c in "-@.")
            draft = folder / f"{uuid.uuid4()}.draft"
            draft.write_bytes(built.as_bytes(linesep="\r\n"))
            os.replace(draft, folder / f"{name}.eml")
        return len(email_messages)
