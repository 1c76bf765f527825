"""The URLs of the Messenger and of the demo shop that embeds it."""

from __future__ import annotations

from django.urls import include, path

from messenger.mail.views import unsubscribe
from messenger.views import conversations, page_views, privacy
from messenger.views.purchases import sale

urlpatterns = [
    path("embed.js", conversations.embed, name="embed"),
    path("messenger.js", conversations.bundle, {"kind": "javascript"}, name="messenger_script"),
    path("messenger.css", conversations.bundle, {"kind": "css"}, name="messenger_style"),
    path(
        "messenger/<str:key>/",
        include(
            [
                path("", conversations.frame, name="messenger"),
                path("visitors/", privacy.visitors),
                path("identity/", privacy.identification),
                path("logout/", privacy.logout),
                path("consent/", privacy.consent),
                path("history/", privacy.history),
                path("copy/", privacy.copy),
                path("state/", conversations.state),
                path("conversations/", conversations.conversations),
                path("conversations/<uuid:conversation>/survey/", conversations.survey),
                path("seen/", page_views.seen),
                path("ticket/", conversations.ticket),
                path("transactions/", sale),
                path("email/", conversations.email),
                path("unsubscribe/<str:word>/", unsubscribe, name="unsubscribe"),
            ]
        ),
    ),
    path("demo/", include("messenger.demo.urls")),
]
