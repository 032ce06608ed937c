"""Mail over a real SMTP server: one an hour of a subject, a burst summed up, the password nowhere."""

import pytest

from containerhub.config import Config, explain
from containerhub.mail import mail_settings
from projects.models import Channel, Delivery, Event
from projects.services.errors import BadInput
from projects.services.notifications import try_channel
from projects.services.record import HUB, Actor, record
from projects.states import DeliveryState, Topic
from tests.notifications.conftest import use_mail


def test_a_burst_is_one_mail_and_what_comes_within_the_hour_is_summed_up_in_the_next(news, mailhub):
    news.mail()
    for number in range(3):
        news.happens(message=f"Number {number}.")
    assert news.at(0) == 1
    (mail,) = mailhub.mails
    assert (mail["Subject"], mail["To"], mail["From"]) == ("ContainerHub: hold web (3 times)", "ops@example.com", "hub@example.com")
    text = mail.get_payload()
    assert [f"Number {number}." in text for number in range(3)] == [True] * 3
    assert "http://127.0.0.1:8000/projects/web/" in text
    news.happens(message="Number 3.")
    assert news.at(1) == 0
    news.happens(message="Number 4.")
    assert news.at(59) == 0
    assert news.at(60) == 1
    assert len(mailhub.mails) == 2
    text = mailhub.mails[1].get_payload()
    assert [f"Number {number}." in text for number in range(5)] == [False, False, False, True, True]
    assert news.at(200) == 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}


def test_another_subject_does_not_wait_for_the_first(news, mailhub):
    news.mail()
    news.happens()
    news.at(0)
    news.happens(slug="docs")
    news.happens("container.unhealthy")
    assert news.at(1) == 2
    assert sorted(mail["Subject"] for mail in mailhub.mails) == [
        "ContainerHub: hold docs",
        "ContainerHub: hold web",
        "ContainerHub: unhealthy web",
    ]


def test_a_flood_is_one_mail_that_shows_the_last(news, mailhub):
    news.mail()
    for number in range(120):
        news.happens(message=f"Number {number}.")
    news.at(0)
    text = mailhub.mails[0].get_payload()
    assert "The last 50 of 120:" in text
    assert "Number 119." in text
    assert "Number 69." not in text


@pytest.mark.parametrize(
    ("target", "password", "code", "said"),
    [
        ("refused@example.com", "pass%2Fword%3Anot-to-be-seen", 550, "no such mailbox"),
        ("ops@example.com", "wrong-not-to-be-seen", 535, "The mail server refuses"),
    ],
)
def test_what_the_server_refuses_is_said_and_tried_again(news, settings, mailhub, caplog, target, password, code, said):
    use_mail(settings, mailhub, password)
    news.mail(target)
    news.happens()
    news.at(0)
    row = Delivery.objects.get()
    assert (row.state, row.response_code, news.minutes_until_next()) == (DeliveryState.WAITING, code, 1)
    assert said in row.error
    assert "not-to-be-seen" not in row.error + caplog.text
    use_mail(settings, mailhub, "pass%2Fword%3Anot-to-be-seen")
    Channel.objects.update(target="ops@example.com")
    assert news.at(1) == 1
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_a_mail_server_that_is_not_there_is_a_sentence(news, settings, mailhub):
    news.mail()
    settings.EMAIL_PORT = 1
    news.happens()
    news.at(0)
    assert "cannot be used (ConnectionRefusedError); see CONTAINERHUB_EMAIL_URL" in Delivery.objects.get().error


def test_a_test_is_sent_at_once_and_counts_for_no_hour(news, mailhub):
    channel = news.mail()
    row = try_channel(channel=channel, actor=Actor("ann"))
    assert (row.state, row.response_code) == (DeliveryState.DELIVERED, 250)
    assert "asked for by ann" in mailhub.mails[0].get_payload()
    news.happens()
    assert news.at(0) == 1


def test_without_a_mail_server_no_mail_channel_is_made(news):
    with pytest.raises(BadInput, match="CONTAINERHUB_EMAIL_URL"):
        news.mail()


@pytest.mark.parametrize("target", ["", "ops", "ops@", "a@example.com\nBcc: b@example.com", "a@example.com, b@example.com"])
def test_what_is_no_mail_address_is_refused(news, mailhub, target):
    with pytest.raises(BadInput):
        news.mail(target)


# -- who hears of what ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("health.hold", Topic.HOLD),
        ("container.refreshed", Topic.REFRESH),
        ("container.rolled_back", Topic.REFRESH),
        ("container.unhealthy", Topic.UNHEALTHY),
        ("engine.lost", Topic.ENGINE),
        ("engine.back", Topic.ENGINE),
        ("health.waiting_long", Topic.WAITING),
        ("container.started", None),
        ("health.wait", None),
    ],
)
def test_each_topic_is_heard_by_those_who_want_it_and_by_nobody_else(news, mailhub, kind, topic):
    for wanted in Topic:
        news.mail(f"{wanted}@example.com", wanted)
    news.happens(kind)
    news.at(0)
    assert [mail["To"] for mail in mailhub.mails] == ([f"{topic}@example.com"] if topic else [])


def test_a_refresh_that_somebody_asked_for_is_no_news(news, mailhub):
    news.mail()
    record("container.refreshed", actor=Actor("ann"), slug="web", message="x")
    assert news.at(0) == 0


def test_a_projects_channel_hears_of_its_project_only_and_never_of_the_engine(news, mailhub, cast):
    channel = news.mail(project=cast.project)
    assert Topic.ENGINE not in channel.wants
    news.happens(slug="other")
    news.happens("engine.lost", slug="")
    assert news.at(0) == 0
    news.happens(slug="web")
    assert news.at(1) == 1
    with pytest.raises(BadInput, match="hub's own channels"):
        news.mail("ops@example.com", Topic.ENGINE, project=cast.project)
    assert Event.objects.filter(kind="channel.created").count() == 1


# -- the mail server as one address ---------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://user:p%40ss@mail.example.com", 587, True, False),
        ("smtps://user:p%40ss@mail.example.com", 465, False, True),
        ("smtp://user:p%40ss@mail.example.com:25?starttls=no", 25, False, False),
    ],
)
def test_the_url_says_port_and_encryption(url, port, tls, ssl):
    found = mail_settings(url)
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (port, tls, ssl)
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_PASSWORD"], found["EMAIL_TIMEOUT"]) == ("mail.example.com", "p@ss", 10)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:s3cr3t@host",
        "smtp://u:s3cr3t@",
        "smtp://u:s3/cr3t@host:587",
        "smtp://u:s3cr3t@host?tls=off",
        "s3cr3t",
        "smtp://u:s3cr3t@host:x",
    ],
)
def test_a_bad_url_is_one_line_without_the_password(monkeypatch, url):
    monkeypatch.setenv("CONTAINERHUB_EMAIL_URL", url)
    with pytest.raises(ValueError) as caught:
        Config()
    line = explain(caught.value)  # type: ignore[arg-type]
    assert line.startswith("CONTAINERHUB_EMAIL_URL: ")
    assert "\n" not in line
    assert "s3" not in line


def test_the_hub_itself_sends_what_it_says(news, mailhub):
    record("health.hold", actor=HUB, slug="web", message="Umlauts: ä.")
    news.mail()
    assert news.at(0) == 0
