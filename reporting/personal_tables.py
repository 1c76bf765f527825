"""What visitors download of the tables of purchases, and what outlives erasure."""

from __future__ import annotations

from conversations.privacy.tables import PersonalTable
from reporting.models import Claim, Refund, Transaction

# Purchases stay, without the identity of the buyer: accounting needs them.
TABLES = (
    PersonalTable(Claim, ("amount", "currency", "made_at"), outlives_erasure=True),
    PersonalTable(
        Transaction,
        ("external_id", "amount", "refunded", "currency", "made_at"),
        outlives_erasure=True,
    ),
    PersonalTable(Refund, outlives_erasure=True),
)
