"""The worker: django-q2, whose processes end with the one that made them.

When its sentinel is killed, the rest would live on as orphans (seen); a mark on every fork tells the kernel otherwise.
"""

import os
import signal

from containerhub.processes import die_with_parent


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "containerhub.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from projects.services.heartbeats import worker_started

    worker_started()
    os.register_at_fork(after_in_child=lambda: die_with_parent(signal.SIGKILL))
    call_command("qcluster")


if __name__ == "__main__":
    main()
