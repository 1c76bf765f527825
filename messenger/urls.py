"""The URLs of the Messenger and of the demo shop that embeds it."""

from __future__ import annotations

from django.urls import include, path

from messenger.calls import views as calls
from messenger.channels.views import door
from messenger.knowledge import offers
from messenger.knowledge import pages as help_pages
from messenger.mail.views import unsubscribe
from messenger.mirroring import views as mirroring
from messenger.views import conversations, page_views, privacy
from messenger.views.purchases import sale

urlpatterns = [
    path("embed.js", conversations.embed, name="embed"),
    path("messenger.js", conversations.bundle, {"kind": "javascript"}, name="messenger_script"),
    path("mirror.js", mirroring.recorder, name="recorder"),
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
                path("articles/", offers.offered),
                path("articles/read/", offers.read),
                path("articles/answered/", offers.answered),
                path("seen/", page_views.seen),
                path("conversations/<uuid:conversation>/mirror/stop/", mirroring.stop),
                path("conversations/<uuid:conversation>/calls/", calls.calls),
                *[
                    path(
                        f"conversations/<uuid:conversation>/calls/<uuid:call>/{step}/",
                        calls.call,
                        {"step": step},
                    )
                    for step in ("answer", "resume", "end")
                ],
                path("conversations/<uuid:conversation>/cobrowsing/", mirroring.answer),
                path(
                    "conversations/<uuid:conversation>/cobrowsing/stop/", mirroring.stop_cobrowsing
                ),
                path("ticket/", conversations.ticket),
                path("transactions/", sale),
                path("email/", conversations.email),
                path("unsubscribe/<str:word>/", unsubscribe, name="unsubscribe"),
            ]
        ),
    ),
    path("channels/<str:key>/", door, name="inbox_door"),
    path("help/<str:key>/", help_pages.index, name="help"),
    path("help/<str:key>/colours.css", help_pages.colours, name="help_colours"),
    path("help/<str:key>/<int:article>/<slug:slug>/", help_pages.article, name="article"),
    path("demo/", include("messenger.demo.urls")),
]
