"""This hub's identity, which labels everything that it makes on an Engine."""

from projects.models import Instance


def instance() -> Instance:
    return Instance.objects.get_or_create(pk=1)[0]


def instance_id() -> str:
    """The UUID in the label `io.containerhub.instance`."""
    return str(instance().uuid)
