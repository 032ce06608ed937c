"""The ASGI application: pages and API. Websockets join here."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "containerhub.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
