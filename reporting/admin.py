"""Admin for transactions: the read-only list, the import from a file, and the keys of shop
systems."""

from __future__ import annotations

import io
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.logins.reauthentication import AsksAgain
from accounts.models import Website
from accounts.rights import ForAdministrators, ReadOnly, administers
from reporting.models import Claim, Refund, ShopKey, Transaction
from reporting.sales import imports, keys
from reporting.sales.csv_lines import text_of
from reporting.sales.recording import Invalid

LARGEST = 1024 * 1024


class FileForm(forms.Form):
    """A CSV file from a shop system, for one website."""

    website = forms.ModelChoiceField(Website.objects.all(), label=gettext_lazy("Website"))
    file = forms.FileField(label=gettext_lazy("CSV file"))

    def clean_file(self) -> io.TextIOWrapper:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(
                _("This file is too large to upload here. Use the command import_transactions.")
            )
        return text_of(file.file)


class RefundInline(ReadOnly, admin.TabularInline):
    model = Refund
    fields = ("external_id", "amount", "made_at")


class ClaimInline(ReadOnly, admin.TabularInline):
    """The claims that pages sent for a transaction, next to what counts."""

    model = Claim
    fields = ("origin", "amount", "currency", "made_at", "recorded_at")


@admin.register(Transaction)
class TransactionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("external_id", "website", "made_at", "amount", "currency", "outcome", "agent")
    list_filter = ("website", "outcome", "origin", "currency")
    list_select_related = ("website", "agent")
    search_fields = ("=external_id",)
    show_full_result_count = False
    change_list_template = "admin/reporting/transactions.html"
    fields = (
        *("website", "external_id", "made_at", "recorded_at", "origin", "amount", "currency"),
        *("refunded", "refunded_at", "why"),
    )
    readonly_fields = ("why",)
    inlines = (RefundInline, ClaimInline)

    @admin.display(description=gettext_lazy("attribution"))
    def why(self, row: Transaction) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("transaction", args=[row.pk]), row.get_outcome_display()
        )

    def get_urls(self) -> list[URLPattern]:
        mine = path(
            "import/", self.admin_site.admin_view(self.take_file), name="transactions_import"
        )
        return [mine, *super().get_urls()]

    def take_file(self, request: HttpRequest) -> HttpResponse:
        """Show the import page; process an uploaded file and show the result of each line."""
        if not administers(request.user):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        done = None
        if request.method == "POST" and form.is_valid():
            website = form.cleaned_data["website"]
            try:
                done = imports.read(
                    website,
                    form.cleaned_data["file"],
                    at=timezone.now(),
                    only_check="check" in request.POST,
                )
            except Invalid as invalid:
                form.add_error("file", str(invalid))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import transactions"),
            "opts": self.opts,
            "form": form,
            "done": done,
            "columns": imports.COLUMNS,
            "needed": imports.NEEDED,
        }
        return render(request, "admin/reporting/import.html", context)


@admin.register(ShopKey)
class ShopKeyAdmin(AsksAgain, ForAdministrators, admin.ModelAdmin):
    """Keys can be created and deleted. The key's text is shown once, right after creation."""

    list_display = ("name", "website", "created_at")
    list_select_related = ("website",)
    fields = ("website", "name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ShopKey, form: Any, change: bool) -> None:
        key, text = keys.make(obj.website, obj.name)
        # The admin goes on with `obj`, so it becomes the row that was just made.
        obj.pk, obj.digest = key.pk, key.digest
        messages.warning(
            request,
            format_html("{} <code>{}</code>", _("Copy this key now. It is not shown again."), text),
        )

    def response_add(
        self, request: HttpRequest, obj: ShopKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect("admin:reporting_shopkey_changelist")
