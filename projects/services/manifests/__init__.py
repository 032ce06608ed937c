"""What a refresh takes away: seen beforehand, and kept for afterwards."""

from projects.services.manifests.contents import Contents, Directory, Packages, summarise
from projects.services.manifests.keeping import ManifestView, keep, look, look_at_several, look_or_say, unknown, view_of

__all__ = [
    "Contents",
    "Directory",
    "ManifestView",
    "Packages",
    "keep",
    "look",
    "look_at_several",
    "look_or_say",
    "summarise",
    "unknown",
    "view_of",
]
