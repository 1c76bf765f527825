"""The backend without a mail server: e-mails go to a folder, one file each; the demo shows them."""

from __future__ import annotations

import email
import os
import uuid
from collections.abc import Sequence
from email.policy import default
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from conversations.privacy.personal_data import address_hash
from core import private_files


class Backend(BaseEmailBackend):
    """Writes each e-mail whole or not at all, for our user only; one that is sent again replaces
    itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_FOLDER)
        private_files.open_folder(folder)
        for message in email_messages:
            built = message.message()
            name = "".join(c for c in str(built["Message-ID"]) if c.isalnum() or c in "-@.")
            draft = folder / f"{uuid.uuid4()}.draft"
            private_files.write(draft, built.as_bytes(linesep="\r\n"))
            # Renamed when it is complete, so that the demo's mailbox never reads half an e-mail.
            os.replace(draft, folder / f"{name}.eml")
        return len(email_messages)


def delete_erased(
    *, address_hashes: Sequence[str], website_id: int = 0, first: str = "", last: str = ""
) -> None:
    """Delete the e-mails to erased addresses, which are recognized by their hashes."""
    erased = set(address_hashes)
    for path in Path(settings.MAIL_FOLDER).glob("*.eml") if erased else ():
        try:
            message = email.message_from_bytes(path.read_bytes(), policy=default)
        except FileNotFoundError:
            continue  # Another worker deleted it.
        recipients = getaddresses([str(value) for value in message.get_all("To", [])])
        if erased.intersection(address_hash(address) for _name, address in recipients):
            path.unlink(missing_ok=True)
