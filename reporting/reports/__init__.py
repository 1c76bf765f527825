"""The reports over a period: filters, pages, tables, charts, and subscriptions by email."""
