"""`python -m containerhub.supervisor CONF`: supervisord, in the foreground, that ends with its parent.

`write_conf` says what it supervises: web, worker and watcher, each through its launcher, in one group, so that all stop at once.
"""

import sys
from pathlib import Path

from containerhub.processes import ROLES, die_with_parent

_HEAD = """\
; Written anew at each start.
[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={data_dir}/supervisord.pid
childlogdir={logs}
loglevel=info

[unix_http_server]
file={data_dir}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{data_dir}/supervisor.sock

[group:hub]
programs={roles}
"""

_PROGRAM = """
[program:{role}]
command={python} -m containerhub.launcher {role}
directory={checkout}
autostart=true
autorestart=true
startsecs=1
startretries=1000000
stopsignal=TERM
stopwaitsecs=6
redirect_stderr=true
stdout_logfile={logs}/{role}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


def write_conf(data_dir: Path, checkout: Path) -> Path:
    """Write the configuration into the data directory, and answer its path."""
    logs = data_dir / "log"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    places = {
        key: _escaped(value) for key, value in {"data_dir": data_dir, "logs": logs, "checkout": checkout, "python": sys.executable}.items()
    }
    text = _HEAD.format(roles=",".join(ROLES), **places) + "".join(_PROGRAM.format(role=role, **places) for role in ROLES)
    path = data_dir / "supervisord.conf"
    path.write_text(text)
    return path


def _escaped(value: object) -> str:
    """supervisord expands %(…)s in values."""
    return str(value).replace("%", "%%")


def main(conf: str) -> None:
    from supervisor.supervisord import main as supervise

    die_with_parent()
    supervise(["--nodaemon", "--configuration", conf])


if __name__ == "__main__":
    main(sys.argv[1])
