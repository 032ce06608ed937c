"""For every path that is no socket."""

from projects.consumers.base import NO_ACCESS, Admission, Refused, Socket


class NoSuchSocket(Socket):
    """Closed at once; only whoever is signed in is told why."""

    def _admission(self) -> Admission:
        self._signed_in()
        raise Refused(NO_ACCESS, "There is no such socket; check the address.")
