"""The addresses of the reporting."""

from __future__ import annotations

from django.urls import path

from reporting import mail_views, pages, views
from reporting.adviser import views as adviser
from reporting.exporting import views as exporting

urlpatterns = [
    path("reports/", pages.own, name="reports"),
    path("reports/production/", views.production, name="production"),
    path("reports/production/<slug:name>.<slug:kind>", views.board_file, name="board_file"),
    path("reports/production/<slug:name>/", views.state, name="board_state"),
    path("reports/queue-size/", adviser.queue_size, name="queue_size"),
    path("reports/queue-size.<slug:kind>", adviser.queue_size_file, name="queue_size_file"),
    path("reports/queue-size/replay.<slug:kind>", adviser.replay_file, name="replay_file"),
    path("reports/queue-size/replay/", adviser.queue_size_replay, name="queue_size_replay"),
    path("reports/experience/", pages.experience, name="experience"),
    path("reports/conversations/", pages.conversations, name="conversations"),
    path("reports/agents/", pages.agents, name="agents"),
    path("reports/transactions/", pages.transactions, name="transactions"),
    path("reports/transactions/<int:number>/", pages.transaction, name="transaction"),
    path("reports/<slug:report>/by-mail/", mail_views.subscribe, name="subscribe_report"),
    path("reports/no-longer/<str:word>/", mail_views.unsubscribe, name="unsubscribe_report"),
    path("reports/exports/", exporting.exports, name="exports"),
    path("reports/exports/<slug:subject>.<slug:kind>", exporting.ask, name="ask_export"),
    path("reports/exports/<int:number>/", exporting.fetch, name="fetch_export"),
    path("reports/exports/<int:number>/drop/", exporting.drop, name="drop_export"),
    path("reports/charts/<slug:name>.svg", pages.chart, name="chart"),
    path("reports/charts/<slug:name>.<slug:kind>", pages.chart_file, name="chart_file"),
    path("reports/tables/<slug:name>.<slug:kind>", pages.table_file, name="table_file"),
    path("reports/rows/<slug:name>.<slug:kind>", pages.export, name="export"),
    path("reports/rows/<slug:name>/", pages.behind, name="behind"),
]
