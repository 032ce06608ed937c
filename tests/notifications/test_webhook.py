"""Webhooks over a real HTTP server: signed, tried again with back-off, and never led astray."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth import get_user_model

from projects.models import Delivery, Event, Lease
from projects.services.errors import BadInput
from projects.services.notifications import notify, queue_events, remove_channel, send_due, webhook
from projects.services.notifications.address import NotAllowed, address_of, is_public
from projects.services.notifications.send import BACK_OFF_MINUTES, CLAIMED_FOR
from projects.services.record import Actor
from projects.services.sweep.lease import taken
from projects.states import DeliveryState
from tests.notifications.receivers import receiver


def verified(secret: str, headers: Any, body: bytes) -> bool:
    """As a receiver does it by the Standard Webhooks specification, with none of the hub's code."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return str(headers["webhook-signature"]) == "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_a_receiver_that_fails_twice_gets_it_at_the_third_attempt_signed_and_under_the_same_id(news, hook):
    _, secret = news.webhook(hook.url())
    hook.answers = [500, 503]
    event = news.happens()
    assert news.at(0) == 1
    row = Delivery.objects.get()
    assert (row.state, row.response_code, row.attempts, row.error) == (DeliveryState.WAITING, 500, 1, "It answered 500.")
    assert news.minutes_until_next() == 1
    assert news.at(0.9) == 0
    assert news.at(1) == 1
    assert news.minutes_until_next() == 1 + 5
    assert news.at(6) == 1
    assert news.at(60) == 0
    row.refresh_from_db()
    assert (row.state, row.response_code, row.attempts, row.error, row.next_at) == (DeliveryState.DELIVERED, 200, 3, "", None)
    assert len(hook.posts) == 3
    assert {headers["webhook-id"] for _, headers, _ in hook.posts} == {str(row.pk)}
    for path, headers, body in hook.posts:
        assert path == "/hook?key=not-to-be-seen"
        assert verified(secret, headers, body)
        assert not verified(secret, headers, body + b" ")
    told = json.loads(body)
    assert (told["type"], told["data"]["event"], told["data"]["project"]) == ("health.hold", event.pk, "web")
    assert (told["data"]["topic"], told["data"]["message"]) == ("hold", "Left to people.")
    assert datetime.fromisoformat(told["timestamp"]) == event.at


def test_after_the_last_attempt_it_is_given_up_and_the_audit_trail_says_so(news, hook):
    news.webhook(hook.url())
    hook.answers = [500] * 20
    news.happens()
    minute = 0
    for wait in (*BACK_OFF_MINUTES, 0):
        assert news.at(minute) == 1
        minute += wait
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.next_at) == (DeliveryState.FAILED, len(BACK_OFF_MINUTES) + 1, None)
    assert "was not reached in 7 attempts" in Event.objects.get(kind="channel.given_up").message
    assert news.at(minute + 10_000) == 0


def test_without_a_channel_nothing_is_written_and_a_new_one_hears_nothing_of_the_past(news, hook):
    news.happens()
    assert news.at(0) == 0
    news.happens()
    channel, _ = news.webhook(hook.url())
    assert news.at(1) == 0
    assert not Delivery.objects.exists()
    news.happens()
    assert news.at(2) == 1
    remove_channel(channel=channel, actor=Actor("x"))
    assert not Delivery.objects.exists()


def test_an_event_is_told_once_however_often_and_wherever_the_look_is_repeated(news, hook):
    news.webhook(hook.url())
    news.happens()
    assert queue_events(now=news.began) == 1
    Lease.objects.filter(name="notifications").delete()  # as if killed before the place was noted
    queue_events(now=news.began)
    assert Delivery.objects.count() == 1
    assert news.at(0) + news.at(0) + news.at(1) == 1
    assert len(hook.posts) == 1


def test_while_one_sends_another_does_nothing(news, hook):
    news.webhook(hook.url())
    news.happens()
    queue_events(now=news.began)
    with taken("notifications-send", news.began, spacing_seconds=0):
        assert send_due(now=news.began) == 0
    assert send_due(now=news.began) == 1


def test_what_a_killed_sender_left_is_tried_again_under_the_same_id(news, hook, monkeypatch):
    news.webhook(hook.url())
    news.happens()
    queue_events(now=news.began)
    with monkeypatch.context() as patched:
        patched.setattr(webhook, "send", _killed)
        with pytest.raises(KeyboardInterrupt):
            send_due(now=news.began)
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.next_at) == (DeliveryState.WAITING, 1, news.began + CLAIMED_FOR)
    assert send_due(now=news.began) == 0
    assert send_due(now=news.began + CLAIMED_FOR) == 1
    assert hook.posts[0][1]["webhook-id"] == str(row.pk)


def _killed(*_):
    raise KeyboardInterrupt


def test_a_channel_that_fails_is_not_tried_again_at_once_and_holds_up_no_other(news, hook):
    with receiver(500, 500, 500) as broken:
        news.webhook(broken.url())
        news.webhook(hook.url())
        for _ in range(3):
            news.happens()
        news.at(0)
        assert (len(broken.posts), len(hook.posts)) == (1, 3)


def test_the_tick_queues_and_hands_over_only_what_is_due(news, hook):
    handed: list[int] = []
    notify(now=news.began, task=lambda: handed.append(1))
    assert not handed
    news.webhook(hook.url())
    news.happens()
    notify(now=news.began, task=lambda: handed.append(send_due(now=news.began)))
    notify(now=news.began, task=lambda: handed.append(send_due(now=news.began)))
    assert handed == [1]


# -- where it may lead ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(news, hook, status):
    news.webhook(hook.url())
    hook.answers = [status]
    news.happens()
    news.at(0)
    assert [path for path, _, _ in hook.posts] == ["/hook?key=not-to-be-seen"]
    assert "redirects are not followed" in Delivery.objects.get().error


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.17.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_who_is_no_administrator_makes_no_channel_into_the_hubs_own_network(news, address):
    ann = Actor.of(get_user_model().objects.create_user("ann"))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(BadInput, match="an administrator has to make this channel"):
        news.webhook(f"http://{host}:8000/", actor=ann)


@pytest.mark.parametrize("address", PRIVATE)
def test_nor_by_a_name_that_leads_there(news, hook, monkeypatch, address):
    ann = Actor.of(get_user_model().objects.create_user("ann"))
    news.webhook(hook.url(host="hooks.test"), actor=ann)
    leads_to(monkeypatch, "93.184.215.14", address)
    news.happens()
    news.at(0)
    assert not hook.posts
    assert "leads into the hub's own network" in Delivery.objects.get().error


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"])
def test_public_addresses_are_for_everybody(monkeypatch, address):
    leads_to(monkeypatch, address)
    assert address_of(urlsplit("https://hooks.test/"), any_address=False) == address


def test_a_zone_does_not_make_a_link_local_address_public(monkeypatch):
    leads_to(monkeypatch, "fe80::1%eth0")
    with pytest.raises(NotAllowed):
        address_of(urlsplit("http://hooks.test/"), any_address=False)


def test_the_name_is_looked_up_once_and_the_receiver_still_hears_it(news, hook, monkeypatch):
    news.webhook(hook.url(host="hooks.test"))
    asked = leads_to(monkeypatch, "127.0.0.1")
    news.happens()
    news.at(0)
    assert asked == ["hooks.test"]
    assert hook.posts[0][1]["Host"] == f"hooks.test:{hook.port}"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "https:///x",
        "http://exa mple.com/",
        "http://user:pass@example.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com/#part",
        "http://exämple.com/",
        "http://[::1",
        "http://example.com/\r\nX: y",
        "javascript:alert(1)",
        "http://example.com/" + "x" * 2000,
    ],
)
def test_what_is_no_url_of_a_webhook_is_refused_in_a_sentence(news, url):
    with pytest.raises(BadInput, match="webhook's url"):
        news.webhook(url)


def test_a_receiver_that_holds_on_is_left_after_the_time_out(news, hook, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.2)
    hook.held = threading.Event()
    news.webhook(hook.url())
    news.happens()
    news.at(0)
    row = Delivery.objects.get()
    assert (row.state, row.response_code) == (DeliveryState.WAITING, None)
    assert row.error


def test_nobody_there_is_a_sentence(news):
    with socket.socket() as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        news.webhook(f"http://127.0.0.1:{taken_port.getsockname()[1]}/")
        news.happens()
        news.at(0)
    assert Delivery.objects.get().error.startswith("It cannot be reached")


# -- https ----------------------------------------------------------------------------------


def test_the_certificate_must_be_the_names_although_the_address_is_connected_to(news, tmp_path, monkeypatch):
    tls = certified("hooks.test", tmp_path, monkeypatch)
    leads_to(monkeypatch, "127.0.0.1")
    with receiver(tls=tls) as hook:
        channel, secret = news.webhook(hook.url(scheme="https", host="hooks.test"))
        news.happens()
        news.at(0)
        assert Delivery.objects.get().state == DeliveryState.DELIVERED, Delivery.objects.get().error
        assert verified(secret, *hook.posts[0][1:])
        remove_channel(channel=channel, actor=Actor("x"))
        news.webhook(hook.url(scheme="https", host="other.test"))
        news.happens()
        news.at(1)
        assert Delivery.objects.get().error.startswith("It cannot be reached (")
        assert len(hook.posts) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(news, tmp_path, monkeypatch):
    tls = certified("hooks.test", tmp_path, monkeypatch, trusted=False)
    leads_to(monkeypatch, "127.0.0.1")
    with receiver(tls=tls) as hook:
        news.webhook(hook.url(scheme="https", host="hooks.test"))
        news.happens()
        news.at(0)
        assert not hook.posts


def leads_to(monkeypatch, *addresses: str) -> list[str]:
    """Every name does, from now on; gives the list of names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host, port, *args, **more):
        if str(host).endswith(".test"):
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
        return real(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def certified(name: str, directory, monkeypatch, *, trusted: bool = True) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = directory / "cert.pem", directory / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context


def test_reserved_nets_are_not_public():
    assert not is_public(ipaddress.ip_address("240.0.0.1"))
