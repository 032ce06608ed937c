"""Telling people by mail and webhook: events become deliveries (`queue_events`), and these are sent (`send_due`). No channel, no word."""

from projects.services.notifications.channels import list_channels, make_channel, remove_channel, try_channel
from projects.services.notifications.keeping import prune_deliveries
from projects.services.notifications.queue import notify, queue_events
from projects.services.notifications.send import send_due

__all__ = ["list_channels", "make_channel", "notify", "prune_deliveries", "queue_events", "remove_channel", "send_due", "try_channel"]
