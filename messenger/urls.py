"""The addresses of the Messenger and of the demo shop that embeds it."""

from __future__ import annotations

from django.urls import include, path

from messenger import browsing, personal, views
from messenger.mail.views import unsubscribe
from messenger.sales import sale

urlpatterns = [
    path("embed.js", views.embed, name="embed"),
    path("messenger.js", views.bundle, {"kind": "javascript"}, name="messenger_script"),
    path("messenger.css", views.bundle, {"kind": "css"}, name="messenger_style"),
    path(
        "messenger/<str:key>/",
        include(
            [
                path("", views.frame, name="messenger"),
                path("visitors/", personal.visitors),
                path("identity/", personal.identification),
                path("logout/", personal.logout),
                path("consent/", personal.consent),
                path("history/", personal.history),
                path("copy/", personal.copy),
                path("state/", views.state),
                path("conversations/", views.conversations),
                path("conversations/<uuid:conversation>/survey/", views.survey),
                path("seen/", browsing.seen),
                path("ticket/", views.ticket),
                path("transactions/", sale),
                path("email/", views.email),
                path("unsubscribe/<str:word>/", unsubscribe, name="unsubscribe"),
            ]
        ),
    ),
    path("demo/", include("messenger.demo.urls")),
]
