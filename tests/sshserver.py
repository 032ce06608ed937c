"""A real git server over SSH: Debian's sshd on a port of its own, whose keys open nothing but git."""

import os
import socket
import subprocess
from pathlib import Path

from tests.support import wait_until

SSHD = "/usr/sbin/sshd"
CONFIG = """
ListenAddress {address}:{port}
HostKey {d}/host_key
AuthorizedKeysFile {d}/authorized_keys
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin forced-commands-only
LogLevel VERBOSE
"""


class SshServer:
    """`authorize` sets the only public key that opens it; the server works as this process's user."""

    def __init__(self, directory: Path, *, address: str) -> None:
        directory.mkdir()
        self.directory = directory
        self.address = address
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.port = probe.getsockname()[1]
        (directory / "authorized_keys").touch()
        self.new_host_key()

    def new_host_key(self) -> None:
        """What a machine in the middle would have: another key for the same address. Counts from the next start on."""
        (self.directory / "host_key").unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / "host_key"], check=True)

    def authorize(self, public_key: str) -> None:
        forced = 'restrict,command="git-shell -c \\"$SSH_ORIGINAL_COMMAND\\""'
        (self.directory / "authorized_keys").write_text(f"{forced} {public_key}\n")

    def add_repository(self, name: str) -> str:
        path = self.directory / f"{name}.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True, env=self._git())
        return f"ssh://root@{self.address}:{self.port}{path}"

    def log_of(self, name: str) -> str:
        """Subjects of what was pushed to `main`, newest first; empty when nothing was."""
        command = ["git", "-C", str(self.directory / f"{name}.git"), "log", "--format=%s", "main"]
        return subprocess.run(command, capture_output=True, text=True, env=self._git()).stdout

    def start(self) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it for its unprivileged half
        config = self.directory / "sshd_config"
        config.write_text(CONFIG.format(d=self.directory, address=self.address, port=self.port))
        with (self.directory / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, 10, reason=lambda: (self.directory / "sshd.log").read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    @staticmethod
    def _git() -> dict[str, str]:
        return {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
