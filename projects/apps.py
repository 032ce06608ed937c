from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from projects.accounts import note_where

        user_logged_in.connect(note_where, dispatch_uid="containerhub.note_where")
