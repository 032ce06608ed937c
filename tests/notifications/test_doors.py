"""Channels at the API, the admin and the command line: whose they are, and that no secret is shown twice."""

import json
from typing import Any

import pytest
from django.db import connection
from typer.testing import CliRunner

from projects.cli.app import app
from projects.models import Channel, Delivery, Event
from projects.services.notifications import make_channel
from projects.services.record import HUB
from projects.states import ChannelKind, DeliveryState, Topic
from tests.admin.doors import enter, messages, place
from tests.api.conftest import running

__all__ = ["running"]

PATH = "/api/notifications/channels"
SEEN = "not-to-be-seen"


def body(url: str = f"https://hooks.example.com/{SEEN}", **more: object) -> dict[str, object]:
    return {"name": "ops", "kind": "webhook", "target": url, **more}


def hub(*words: str, stdin: str = "", status: int = 0):
    done = CliRunner().invoke(app, ["notify", *words], input=stdin, prog_name="hub")
    assert done.exit_code == status, done.output
    return done


@pytest.fixture
def staff(cast):
    for user in cast.users.values():
        user.is_staff = True
        user.save()
    return cast


@pytest.fixture
def channels(cast):
    """One of the hub's, one of the project's."""
    what: dict[str, Any] = {"name": "ops", "kind": ChannelKind.WEBHOOK, "target": f"https://hooks.example.com/{SEEN}", "actor": HUB}
    return {"hub": make_channel(project=None, **what)[0], "web": make_channel(project=cast.project, **what)[0]}


# -- the API --------------------------------------------------------------------------------


def test_the_secret_is_in_the_first_answer_only_and_the_url_in_none(cast, caplog):
    made = cast.call("owner", "POST", PATH, body(project="web", wants=["hold"]))
    answer = made.json()
    assert made.status_code == 201
    assert answer["secret"].startswith("whsec_")
    assert (answer["address"], answer["wants"]) == ("https://hooks.example.com/…", ["hold"])
    again = cast.call("owner", "GET", PATH).content.decode() + cast.call("owner", "GET", "/api/events").content.decode()
    assert "channel.created" in again
    for secret in (SEEN, answer["secret"]):
        assert secret not in again + caplog.text
    assert SEEN not in made.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT target, secret FROM projects_channel")
        stored = str(cursor.fetchall())
    assert SEEN not in stored
    assert answer["secret"] not in stored


@pytest.mark.parametrize(
    ("name", "seen"), [("administrator", {"hub", "web"}), ("owner", {"web"}), ("operator", set()), ("viewer", set()), ("stranger", set())]
)
def test_each_sees_the_channels_and_deliveries_that_he_may_change(cast, channels, name, seen):
    for channel in channels.values():
        Delivery.objects.create(channel=channel, event_kind="test", subject="test", message="x")
    found = cast.call(name, "GET", PATH).json()["items"]
    assert {item["id"] for item in found} == {channels[which].pk for which in seen}
    told = cast.call(name, "GET", "/api/notifications/deliveries").json()["items"]
    assert {item["channel"] for item in told} == {channels[which].pk for which in seen}


@pytest.mark.parametrize("name", ["owner", "operator", "viewer", "stranger"])
def test_the_hubs_own_channel_is_as_one_that_is_not_there(cast, channels, name):
    for method, path in (("DELETE", "{}/{}"), ("POST", "{}/{}/test"), ("GET", "/api/notifications/deliveries?channel={1}")):
        there, none = (cast.call(name, method, path.format(PATH, pk)) for pk in (channels["hub"].pk, 999_999))
        assert (there.status_code, there.content) == (none.status_code, none.content)
        assert there.status_code == 404
    assert Channel.objects.count() == 2


def test_an_owner_reaches_no_private_address_and_an_administrator_does(cast, hook):
    refused = cast.call("owner", "POST", PATH, body(hook.url(), project="web"))
    assert refused.status_code == 400
    assert "an administrator has to make this channel" in refused.json()["detail"]
    made = cast.call("administrator", "POST", PATH, body(hook.url(), project="web")).json()
    tried = cast.call("owner", "POST", f"{PATH}/{made['id']}/test").json()
    assert (tried["state"], tried["response_code"], tried["kind"], tried["event"]) == ("delivered", 200, "test", None)
    assert json.loads(hook.posts[0][2])["type"] == "test"
    again = cast.call("owner", "POST", f"{PATH}/{made['id']}/test")
    assert again.status_code == 409
    assert "wait 10 seconds" in again.json()["detail"]


def test_a_test_that_fails_is_final_and_says_why(cast, hook):
    hook.answers = [404]
    made = cast.call("administrator", "POST", PATH, body(hook.url())).json()
    tried = cast.call("administrator", "POST", f"{PATH}/{made['id']}/test").json()
    assert (tried["state"], tried["error"], tried["next_at"]) == ("failed", "It answered 404.", None)


def test_a_project_has_at_most_twenty_channels(cast):
    codes = [cast.call("owner", "POST", PATH, body(project="web")).status_code for _ in range(21)]
    assert codes == [201] * 20 + [400]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kind": "pigeon"}, 422),
        ({"wants": ["everything"]}, 422),
        ({"name": "\u0007"}, 400),
        ({"target": "x"}, 400),
        ({"wants": ["engine"]}, 400),
    ],
)
def test_bad_input_is_refused(cast, change, status):
    assert cast.call("owner", "POST", PATH, {**body(project="web"), **change}).status_code == status
    assert not Channel.objects.exists()


# -- the admin ------------------------------------------------------------------------------


def test_an_owner_makes_tries_and_removes_a_channel_in_the_admin(staff, hook, monkeypatch):
    client = enter(staff, "owner")
    form = {"project": staff.project.pk, **body(), "wants": ["hold", "unhealthy"]}
    told = " ".join(messages(client.post(place(Channel, "add"), form, follow=True)))
    row = Channel.objects.get()
    assert row.secret in told
    assert (row.wants, row.any_address, row.created_by_name) == (["hold", "unhealthy"], False, "owner")
    pages = client.get(place(Channel)).content.decode() + client.get(place(Channel, "change", row.pk)).content.decode()
    assert "hooks.example.com" in pages
    assert row.secret not in pages
    assert SEEN not in pages
    Channel.objects.update(target=hook.url(), any_address=True)
    answer = client.post(place(Channel), {"action": "send_test", "_selected_action": [row.pk]}, follow=True)
    assert messages(answer) == ["ops: delivered (200)."]
    delivery = Delivery.objects.get()
    assert client.get(place(Delivery, "change", delivery.pk)).status_code == 200
    assert client.post(place(Channel, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not Channel.objects.exists()
    assert Event.objects.filter(kind="channel.removed", actor_name="owner").exists()


def test_only_an_administrator_makes_one_of_the_hub_or_into_its_network(staff):
    owner, administrator = enter(staff, "owner"), enter(staff, "administrator")
    assert owner.post(place(Channel, "add"), body()).status_code == 200
    private = owner.post(place(Channel, "add"), {"project": staff.project.pk, **body("http://10.0.0.1/")})
    assert "an administrator has to make this channel" in private.content.decode()
    assert not Channel.objects.exists()
    assert administrator.post(place(Channel, "add"), body("http://10.0.0.1/")).status_code == 302
    row = Channel.objects.get()
    assert (row.project, row.any_address, row.wants) == (None, True, [str(topic) for topic in Topic])


@pytest.mark.parametrize("name", ["operator", "viewer", "stranger"])
def test_who_owns_nothing_finds_nothing_in_the_admin(staff, channels, name):
    client, row = enter(staff, name), channels["web"]
    Delivery.objects.create(channel=row, event_kind="test", subject="test", message="x")
    assert client.get(place(Channel)).context["cl"].result_count == 0
    assert client.get(place(Delivery)).context["cl"].result_count == 0
    assert client.get(place(Channel, "change", row.pk)).status_code == 302
    assert client.get(place(Channel, "add")).status_code == 403
    client.post(place(Channel), {"action": "send_test", "_selected_action": [row.pk]})
    client.post(place(Channel, "delete", row.pk), {"post": "yes"})
    assert (Channel.objects.count(), Delivery.objects.count()) == (2, 1)


def test_nobody_changes_a_delivery(staff, channels):
    row = Delivery.objects.create(channel=channels["hub"], event_kind="test", subject="test", message="x")
    client = enter(staff, "administrator")
    for page, pk in (("add", ()), ("delete", (row.pk,))):
        assert client.post(place(Delivery, page, *pk), {"post": "yes"}).status_code == 403


# -- the command line -----------------------------------------------------------------------


def test_a_channel_from_the_shell_is_made_listed_tried_and_removed(cast, hook):
    done = hub("add", "ops", "--kind", "webhook", "--project", "web", "--wants", "hold", stdin=f"{hook.url()}\n")
    row = Channel.objects.get()
    assert done.stdout.strip() == row.secret
    assert (row.project, row.wants, row.any_address) == (cast.project, ["hold"], True)
    assert hub("test", str(row.pk)).stdout == f"{row.pk}: delivered (200)\n"
    listed = hub("ls").stdout + hub("list", "--json").stdout + hub("deliveries", "--channel", str(row.pk)).stdout
    assert row.secret not in listed
    assert SEEN not in listed
    assert str(DeliveryState.DELIVERED) in listed
    assert hub("remove", str(row.pk)).stdout == f"{row.pk}: ops is removed\n"
    assert not Channel.objects.exists()


def test_a_test_that_fails_is_one_line_and_1(cast, hook):
    hook.answers = [500]
    row, _ = make_channel(project=None, name="ops", kind=ChannelKind.WEBHOOK, target=hook.url(), actor=HUB)
    assert hub("test", str(row.pk), status=1).stderr == "hub: not delivered: It answered 500.\n"


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("add", "ops", "--kind", "email"), "ops@example.com", "CONTAINERHUB_EMAIL_URL"),
        (("add", "ops", "--kind", "webhook"), "ftp://x", "http:// or https://"),
        (("add", "ops", "--kind", "webhook"), "", "missing"),
        (("add", "ops", "--kind", "webhook", "--project", "web", "--wants", "engine"), "https://x.example.com", "hub's own channels"),
    ],
)
def test_what_cannot_be_is_one_line(cast, words, stdin, said):
    done = hub(*words, stdin=stdin, status=1)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
