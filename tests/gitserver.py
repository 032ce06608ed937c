"""A real git server over HTTPS: nginx, fcgiwrap and git's http-backend, with basic authentication and a CA of its own."""

import datetime
import ipaddress
import os
import socket
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import wait_until

NGINX = """
daemon off; worker_processes 1; pid {d}/nginx.pid; error_log {d}/error.log; user root;
events {{ worker_connections 64; }}
http {{
  log_format auth '$status $request_uri [$remote_user] [$http_authorization]';
  access_log {d}/access.log auth;
  client_body_temp_path {d}/body; proxy_temp_path {d}/proxy; fastcgi_temp_path {d}/fastcgi;
  uwsgi_temp_path {d}/uwsgi; scgi_temp_path {d}/scgi;
  client_max_body_size 0;
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {d}/leaf.pem; ssl_certificate_key {d}/leaf.key;
    auth_basic "git"; auth_basic_user_file {d}/htpasswd;
    location / {{
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT {d}/repositories;
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param PATH_INFO $uri; fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user; fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_pass unix:{d}/fcgi.sock;
    }}
  }}
}}
"""


class GitServer:
    """`url` is reached from containers by the gateway's address; `requests()` are its log lines with what was sent as authorization."""

    def __init__(self, directory: Path, *, address: str, username: str, token: str) -> None:
        self.directory = directory
        self.address = address
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.port = probe.getsockname()[1]
        (directory / "repositories").mkdir(parents=True)
        (directory / "htpasswd").write_text(f"{username}:{{PLAIN}}{token}\n")
        self._certificate()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def host(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def authority(self) -> str:
        """The CA's certificate, PEM."""
        return (self.directory / "ca.pem").read_text()

    def add_repository(self, name: str) -> str:
        path = self.directory / "repositories" / f"{name}.git"
        git = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True, env=git)
        subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True, env=git)
        return f"https://{self.host}/{name}.git"

    def log_of(self, name: str) -> str:
        """Hash, author and subject of what was pushed to `main`."""
        command = ["git", "-C", str(self.directory / "repositories" / f"{name}.git"), "log", "--format=%H %an %s", "main"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})
        return done.stdout

    def requests(self) -> list[str]:
        return (self.directory / "access.log").read_text().splitlines()

    def start(self) -> None:
        (self.directory / "nginx.conf").write_text(NGINX.format(d=self.directory, address=self.address, port=self.port))
        self._processes.append(subprocess.Popen(["fcgiwrap", "-s", f"unix:{self.directory}/fcgi.sock"]))
        wait_until(lambda: (self.directory / "fcgi.sock").exists(), timeout=10, reason="fcgiwrap made no socket")
        self._processes.append(
            subprocess.Popen(["nginx", "-c", str(self.directory / "nginx.conf"), "-e", str(self.directory / "error.log")])
        )
        wait_until(self._answers, timeout=10, reason="nginx does not listen")

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(10)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    def _certificate(self) -> None:
        now = datetime.datetime.now(datetime.UTC)
        keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "leaf")}
        authority = f"Test authority of {self.host}"  # each its own: a client picks by name among several
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority)])
        for name, subject in (("ca", authority), ("leaf", self.address)):
            builder = (
                x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
                .issuer_name(issuer)
                .public_key(keys[name].public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=2))
                .add_extension(x509.BasicConstraints(ca=name == "ca", path_length=None), critical=True)
                .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(self.address))]), critical=False)
            )
            certificate = builder.sign(keys["ca"], hashes.SHA256())
            (self.directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = keys["leaf"].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.directory / "leaf.key").write_bytes(secret)
