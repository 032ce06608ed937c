"""`python -m bench.terminado_server PORT CONTAINER`: terminado, with a shell of this machine and one of a container."""

import sys

import tornado.ioloop
import tornado.web
from terminado.management import UniqueTermManager
from terminado.websocket import TermSocket


def main(port: int, container: str) -> None:
    managers = {
        "local": UniqueTermManager(shell_command=["bash", "-l"]),
        "exec": UniqueTermManager(shell_command=["docker", "exec", "-it", "--user=claude", container, "bash", "-l"]),
    }
    pages = [(f"/{name}", TermSocket, {"term_manager": manager}) for name, manager in managers.items()]
    tornado.web.Application(pages).listen(port, "127.0.0.1")
    tornado.ioloop.IOLoop.current().start()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
