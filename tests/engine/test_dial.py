"""Streams over every way to an Engine: TCP, TLS and ssh, each ending at the real one."""

import asyncio
import contextlib
import datetime
import ipaddress
import os
import ssl
import threading
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from projects.engine.dial import answers, dial
from projects.engine.errors import EngineUnreachable, Refused
from projects.engine.execs import DockerExecs
from tests.engine.exec_fixtures import Heard, asked, open_descriptors
from tests.support import wait_until

pytestmark = pytest.mark.live

ENGINE = "/var/run/docker.sock"
HEX = ("sh", "-c", "echo out; echo err >&2; head -c 3000000 /dev/zero; exit 3")


@contextlib.contextmanager
def relay(tls=None):
    """A TCP port of this host that leads to the Engine; its number."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    found = SimpleNamespace(port=0, server=None)

    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    async def serve(reader, writer):
        engine_reader, engine_writer = await asyncio.open_unix_connection(ENGINE)
        pumps = [asyncio.ensure_future(pump(reader, engine_writer)), asyncio.ensure_future(pump(engine_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.ALL_COMPLETED if tls is None else asyncio.FIRST_COMPLETED)
            await asyncio.wait(pumps, timeout=0.2)
        finally:
            for each in (writer, engine_writer):
                each.transport.abort()

    async def main():
        found.server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        found.port = found.server.sockets[0].getsockname()[1]
        ready.set()

    async def end():
        found.server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(main(), loop)
    assert ready.wait(5)
    try:
        yield found.port
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def certificate(tmp_path):
    """(file with key and certificate, a client's context that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "engine.pem"
    path.write_bytes(private + public)
    return path, ssl.create_default_context(cadata=public.decode())


class Way:
    """A connection whose streams go another way than its SDK calls."""

    is_local = False

    def __init__(self, connection, base_url, tls=None):
        self.base_url, self.tls = base_url, tls
        self.client, self.api_version = connection.client, connection.api_version


@pytest.fixture(params=["tcp", "tls", "ssh"])
def way(request, live, tmp_path, monkeypatch):
    if request.param == "ssh":
        # Takes ssh's place, and does what the far end would; only the network between is missing.
        shim = tmp_path / "ssh"
        shim.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexec "$@"\n')
        shim.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.delenv("DOCKER_HOST", raising=False)
        yield Way(live.engine.connection, "ssh://someone@far.example:2222")
        assert "-l someone -p 2222 -- far.example docker system dial-stdio" in (tmp_path / "asked").read_text()
        return
    server = client = None
    if request.param == "tls":
        path, client = request.getfixturevalue("certificate")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(path)
    with relay(server) as port:
        yield Way(live.engine.connection, f"tcp://127.0.0.1:{port}", client)


def test_a_run_is_exact_over_every_way(live, way):
    heard = Heard()
    outcome = DockerExecs(way).run(live.running(), asked(*HEX, user="root"), sink=heard)
    assert (bytes(heard.stdout), bytes(heard.stderr), outcome.exit_code) == (b"out\n" + bytes(3_000_000), b"err\n", 3)
    assert answers(way, 5)


async def test_a_stream_goes_both_ways_over_every_way(live, way):
    async with DockerExecs(way).open(
        live.running(), asked("sh", "-c", "read a; echo $a; read b; exit 0", user="root", stdin=True)
    ) as stream:
        await stream.write(b"hello\n")
        chunk = await asyncio.wait_for(stream.read(), 10)
        assert chunk
        assert chunk.data == b"hello\n"
        if way.tls:
            with pytest.raises(Refused, match="TLS"):
                await stream.half_close()
            await stream.write(b"end\n")
        else:
            await stream.half_close()
        while await stream.read():
            pass
        assert await stream.wait() == 0


def test_an_untrusted_certificate_is_refused_and_leaves_nothing_open(live, certificate):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate[0])
    with relay(server) as port:
        connection = Way(live.engine.connection, f"tcp://127.0.0.1:{port}", ssl.create_default_context())
        ref = live.running()  # first, since it opens connections that are kept
        live.engine.containers.inspect(ref)
        held = open_descriptors()
        with pytest.raises(EngineUnreachable, match="certificate"):
            DockerExecs(connection).run(ref, asked("true", user="root"), sink=Heard())
        wait_until(lambda: open_descriptors() <= held, timeout=10, reason="a descriptor was left open")


@pytest.mark.parametrize("address", ["unix:///no/such/socket", "tcp://127.0.0.1:1", "gopher://x"])
def test_an_address_that_leads_nowhere_is_unreachable(live, address):
    with pytest.raises(EngineUnreachable):
        dial(Way(live.engine.connection, address))
    assert not answers(Way(live.engine.connection, address), 1)
