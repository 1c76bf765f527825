"""URLs of SCIM 2.0."""

from __future__ import annotations

from django.urls import path

from routing.scim import views

urlpatterns = [
    path("Users", views.users, name="scim_users"),
    path("Users/<int:pk>", views.user, name="scim_user"),
    path("Groups", views.groups, name="scim_groups"),
    path("Groups/<int:pk>", views.group, name="scim_group"),
    path("ServiceProviderConfig", views.configuration, name="scim_configuration"),
    path("ResourceTypes", views.described, {"what": "ResourceTypes"}, name="scim_types"),
    path("ResourceTypes/<str:name>", views.described, {"what": "ResourceTypes"}, name="scim_type"),
    path("Schemas", views.described, {"what": "Schemas"}, name="scim_schemas"),
    path("Schemas/<str:name>", views.described, {"what": "Schemas"}, name="scim_schema"),
]
