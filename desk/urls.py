"""URLs of the desk; `messages/` and `read/` are raw ASGI endpoints (desk/asgi.py)."""

from __future__ import annotations

from django.urls import path

from desk.calls import views as calls
from desk.mirroring import look_views
from desk.mirroring import views as mirroring
from desk.views import (
    actions,
    articles,
    canned,
    emails,
    embedded,
    guide,
    notes,
    pages,
    search,
    session,
    set_aside,
    snoozing,
    suggesting,
    supervision,
    tagging,
    templates,
    why,
    writing,
)

urlpatterns = [
    path("", session.home, name="home"),
    path("desk/", pages.desk, name="desk"),
    path("desk/boxes/", pages.boxes, name="boxes"),
    path("desk/withheld/", why.withheld, name="withheld"),
    path("desk/boxes/size/", pages.box_size, name="box_size"),
    path("desk/state/", pages.state, name="agent_state"),
    path("desk/panes/", pages.panes, name="panes"),
    path("guide/", guide.guide, name="guide"),
    path("desk/find/", search.find, name="find"),
    path("desk/snoozed/", pages.snoozed, name="snoozed"),
    path("desk/snoozed/count/", pages.snoozed_count, name="snoozed_count"),
    path("desk/replies/", canned.replies, name="replies"),
    path("desk/replies/new/", canned.new_reply, name="new_reply"),
    path("desk/replies/<int:pk>/", canned.edit_reply, name="edit_reply"),
    path("desk/replies/<int:pk>/delete/", canned.delete_reply, name="delete_reply"),
    path("desk/articles/", articles.articles, name="desk_articles"),
    path("desk/articles/<int:pk>/", articles.article, name="desk_article"),
    path("desk/auto-close/", snoozing.auto_close, name="auto_close"),
    path("desk/availability/", session.availability, name="availability"),
    path("desk/notices/read/", session.notices_read, name="notices_read"),
    path("desk/c/<int:number>/", pages.conversation, name="conversation"),
    path("desk/c/<int:number>/apps/<int:app>/", embedded.context, name="app_context"),
    path("desk/c/<int:number>/emails/<uuid:email>/", emails.email, name="email"),
    path("desk/c/<int:number>/emails/<uuid:email>/file/", emails.email_file, name="email_file"),
    path("desk/c/<int:number>/notes/", notes.write, name="write_note"),
    path("desk/c/<int:number>/readers/", notes.readers, name="readers"),
    path("desk/c/<int:number>/mirror/", mirroring.replay, name="mirror"),
    path("desk/looks/<int:number>/", look_views.look, name="look"),
    path("desk/looks/<int:number>/frames/", look_views.frames, name="look_frames"),
    path("desk/c/<int:number>/calls/", calls.begin, name="call"),
    *[
        path(f"desk/c/<int:number>/calls/<uuid:call>/{step}/", calls.step, {"step": step})
        for step in ("answer", "resume", "end")
    ],
    path("desk/c/<int:number>/tags/", tagging.tags, name="tags"),
    path("desk/c/<int:number>/tags/<int:tag>/remove/", tagging.remove, name="untag"),
    path("desk/c/<int:number>/why/", why.why, name="why"),
    path("desk/c/<int:number>/snooze/", snoozing.snooze, name="snooze"),
    path("desk/c/<int:number>/templates/", templates.choose, name="templates"),
    path("desk/c/<int:number>/transfer/", actions.transfer, name="transfer"),
    path("desk/c/<int:number>/block/", actions.block, name="block"),
    path("desk/c/<int:number>/unblock/", actions.unblock, name="unblock"),
    path("desk/c/<int:number>/toolbar/", pages.toolbar, name="toolbar"),
    path("desk/c/<int:number>/replies/", canned.search, name="canned_search"),
    path("desk/c/<int:number>/replies/<int:reply>/", canned.use, name="canned_use"),
    path("desk/c/<int:number>/suggestions/", suggesting.suggestions, name="suggestions"),
    path(
        "desk/c/<int:number>/suggestions/<int:seq>/", suggesting.decided, name="suggestion_decided"
    ),
    path("desk/c/<int:number>/writing/", writing.ask, name="writing"),
    path("desk/c/<int:number>/writing/<int:pk>/", writing.text, name="written"),
    path("desk/c/<int:number>/writing/<int:pk>/decided/", writing.decided, name="writing_decided"),
    path("desk/c/<int:number>/draft/", actions.draft, name="draft"),
    path("desk/c/<int:number>/close/", set_aside.close, name="close"),
    path("desk/c/<int:number>/pending/", set_aside.pending, name="pending"),
    path("desk/c/<int:number>/on-hold/", set_aside.on_hold, name="on_hold"),
    path("desk/c/<int:number>/resume/", actions.resume, name="resume"),
    path("desk/c/<int:number>/wake/", actions.wake, name="wake"),
    path("desk/c/<int:number>/take/", actions.take, name="take"),
    path("desk/c/<int:number>/take-back/", actions.take_back, name="take_back"),
    path("desk/c/<int:number>/release/", actions.release, name="release"),
    path("desk/c/<int:number>/reassign/", supervision.reassign, name="reassign"),
    path("desk/c/<int:number>/rouse/", supervision.rouse, name="rouse"),
    path("logout/", session.logout, name="logout"),
]
