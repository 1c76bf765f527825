"""Forms for the address of an outside server and the secret that it is sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core import outside_servers, web_addresses


class ServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses an address that could not be called, and keeps a secret from another server.

    ``address`` and ``secret`` name the fields.
    """

    address: str
    secret: str

    @staticmethod
    def check(url: str) -> None:
        """Raise ``outside_servers.Forbidden`` for an address that may not be called."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        before, after = self.initial.get(self.address), cleaned.get(self.address)
        if after:
            try:  # What a call would refuse later (N8).
                self.check(after)
            except outside_servers.Forbidden:
                self.add_error(
                    self.address,
                    _("This address cannot be called. Use a public server on the standard port."),
                )
                return cleaned
        is_moved = bool(after) and web_addresses.origin_of(before) != web_addresses.origin_of(after)
        # The stored secret goes to no other server than the one it was entered for.
        if is_moved and self.initial.get(self.secret) and cleaned.get(self.secret) is None:
            self.add_error(
                self.secret,
                _("The address leads to another server. Enter its secret, or remove this one."),
            )
        return cleaned
