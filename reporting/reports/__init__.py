"""The reports over a period: filters, pages, tables, charts, and subscriptions by e-mail."""
