"""The channels of a project on its settings page: made, tried and removed by its owners; nobody else sees one."""

from projects.models import Channel, Delivery
from projects.states import DeliveryState
from tests.notifications.receivers import receiver
from tests.pages.test_project_settings import WEBHOOK, read, send, told

PLACE = "settings/notifications/"


def added(cast, who="owner", **fields):
    told_page = told(cast, who, PLACE, do="add", **{**WEBHOOK, **fields})
    return Channel.objects.get(), told_page


def test_a_webhooks_secret_is_on_the_page_after_and_on_no_other(cast):
    assert "None yet: nobody is told." in read(cast)
    channel, page = added(cast)
    assert channel.secret in page
    assert channel.secret not in read(cast)
    assert (channel.project.slug, channel.wants, channel.any_address) == ("web", ["hold", "waiting"], False)
    assert "https://hooks.example.com/…" in page
    assert "a-key" not in page
    assert "never</td>" in page


def test_a_test_says_how_it_went_here_and_in_the_list(cast):
    with receiver() as hook:
        channel, _page = added(cast, "administrator", target=hook.url())
        assert "The test of ops was delivered." in told(cast, "owner", PLACE, do="test", channel=channel.pk)
        assert len(hook.posts) == 1
        assert "was tested just now" in told(cast, "owner", PLACE, do="test", channel=channel.pk)
    assert ">delivered</span>" in read(cast)
    Delivery.objects.all().delete()
    page = told(cast, "owner", PLACE, do="test", channel=channel.pk)  # nobody listens there any more
    assert "The test of ops was not delivered" in page
    assert Delivery.objects.get().state != DeliveryState.DELIVERED


def test_one_is_removed_once_it_was_asked_about(cast):
    channel, _page = added(cast)
    assert "Remove the channel ops of web?" in send(cast, "owner", PLACE, do="remove", channel=channel.pk).content.decode()
    assert "nobody is told by it any more" in told(cast, "owner", PLACE, do="remove", channel=channel.pk, confirmed="1")
    assert not Channel.objects.exists()
    assert "There is no such channel" in told(cast, "owner", PLACE, do="remove", channel=channel.pk, confirmed="1")


def test_a_channel_of_another_project_or_the_hub_is_none_here(cast):
    channel, _page = added(cast)
    Channel.objects.update(project=None)
    for pk in (channel.pk, "", "x", "9" * 30):
        assert "There is no such channel" in told(cast, "owner", PLACE, do="remove", channel=pk, confirmed="1")
    assert Channel.objects.exists()
    assert "https://hooks.example.com" not in read(cast).replace('placeholder="https://hooks.example.com/…"', "")


def test_what_cannot_be_is_a_sentence(cast):
    for fields, sentence in (
        ({"kind": "pigeon"}, "Choose mail or webhook"),
        ({"wants": ["weather"]}, "Choose mail or webhook"),
        ({"wants": []}, "Choose at least one thing"),
        ({"wants": ["engine"]}, "the Engine is told of by the hub"),
        ({"name": " "}, "Give the channel a name"),
        ({"target": "ftp://x"}, "begins with http"),
        ({"target": "http://127.0.0.1/"}, "an administrator has to make this channel"),
        ({"kind": "email", "target": "ops@example.com"}, "no mail server"),
        ({"do": "burn"}, "Choose whether to add"),
    ):
        assert sentence in told(cast, "owner", PLACE, **{"do": "add", **WEBHOOK, **fields}), fields
    assert not Channel.objects.exists()


def test_who_may_not_change_them_sees_none(cast):
    added(cast)
    page = read(cast, "operator")
    assert "Owners see and change them." in page
    assert "hooks.example.com" not in page
