"""The pages of the demo shop."""

from __future__ import annotations

from django.urls import path

from messenger.demo import app, mailbox, views

app_name = "demo"

urlpatterns = [
    path("", views.home, name="home"),
    path("products/<slug:slug>/", views.product, name="product"),
    path("cart/", views.cart, name="cart"),
    path("account/", views.account, name="account"),
    path("mail/", mailbox.mailbox, name="mailbox"),
    path("mail/<str:name>/", mailbox.mail, name="mail"),
    path("mail/<str:name>/look/", mailbox.look, name="mail_look"),
    path("app/", app.page, name="app"),
    path("app/orders/", app.orders, name="app_orders"),
    path("order/", views.order, name="order"),
    path("order/<str:number>/", views.thanks, name="thanks"),
]
