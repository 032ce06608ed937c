"""The ASGI application: pages, API and websockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "containerhub.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # first: it loads the apps that the sockets import

from channels.routing import ProtocolTypeRouter  # noqa: E402

from containerhub.lifespan import lifespan  # noqa: E402
from projects.routing import websockets  # noqa: E402

application = ProtocolTypeRouter({"http": pages, "websocket": websockets, "lifespan": lifespan})
