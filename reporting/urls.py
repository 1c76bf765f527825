"""The URLs of the reporting app."""

from __future__ import annotations

from django.urls import path

from reporting.board import views as board
from reporting.exports import views as exporting
from reporting.reports import mail_views
from reporting.reports import views as reports
from reporting.simulator import views as simulator

urlpatterns = [
    path("reports/", reports.own, name="reports"),
    path("reports/production/", board.production, name="production"),
    path("reports/production/<slug:name>.<slug:kind>", board.board_file, name="board_file"),
    path("reports/production/<slug:name>/", board.state, name="board_state"),
    path("reports/queue-size/", simulator.queue_size, name="queue_size"),
    path("reports/queue-size.<slug:kind>", simulator.queue_size_file, name="queue_size_file"),
    path("reports/queue-size/replay.<slug:kind>", simulator.replay_file, name="replay_file"),
    path("reports/queue-size/replay/", simulator.queue_size_replay, name="queue_size_replay"),
    path("reports/experience/", reports.experience, name="experience"),
    path("reports/conversations/", reports.conversations, name="conversations"),
    path("reports/agents/", reports.agents, name="agents"),
    path("reports/reasons/", reports.reasons, name="reasons"),
    path("reports/calls/", reports.calls, name="calls"),
    path("reports/deflection/", reports.deflection, name="deflection"),
    path("reports/transactions/", reports.transactions, name="transactions"),
    path("reports/transactions/<int:number>/", reports.transaction, name="transaction"),
    path("reports/<slug:report>/by-mail/", mail_views.subscribe, name="subscribe_report"),
    path("reports/no-longer/<str:word>/", mail_views.unsubscribe, name="unsubscribe_report"),
    path("reports/exports/", exporting.exports, name="exports"),
    path("reports/exports/<slug:subject>.<slug:kind>", exporting.ask, name="ask_export"),
    path("reports/exports/<int:number>/", exporting.fetch, name="fetch_export"),
    path("reports/exports/<int:number>/drop/", exporting.drop, name="drop_export"),
    path("reports/charts/<slug:name>.svg", reports.chart, name="chart"),
    path("reports/charts/<slug:name>.<slug:kind>", reports.chart_file, name="chart_file"),
    path("reports/tables/<slug:name>.<slug:kind>", reports.sheet_file, name="sheet_file"),
    path("reports/rows/<slug:name>.<slug:kind>", reports.export, name="export"),
    path("reports/rows/<slug:name>/", reports.behind, name="behind"),
]
