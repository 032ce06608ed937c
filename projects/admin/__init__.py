"""The admin: every model, with what may be done going through the services."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from projects.admin import accounts, background, batches, health, images, keys, notifications, people, projects, records, runs

__all__ = ["accounts", "background", "batches", "health", "images", "keys", "notifications", "people", "projects", "records", "runs"]

admin.site.site_header = admin.site.site_title = "ContainerHub"
admin.site.index_title = "Everything the hub knows"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one sign-in, with its second factor
