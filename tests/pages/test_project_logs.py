"""The logs of a project's container: as lines, searched, since when, downloaded."""

import re

import pytest

from projects.services.log_lines import lines_of

LOG = b"\x1b[32mone\x1b[0m <b>\ntwo TWO\r\nthree\n"


@pytest.fixture
def printed(running, fake_engine):
    box = next(iter(fake_engine.boxes.values()))
    box.log = LOG
    return running


def read(cast, query: str = "") -> str:
    return str(cast.browser("viewer").get(f"/projects/web/logs/{query}").content.decode())


def test_the_last_lines_are_text_without_a_script(printed):
    page = read(printed, "?lines=100")
    assert re.findall(r'<span class="text">(.*?)</span>', page) == ["one &lt;b&gt;", "two TWO", "three"]
    assert "3 lines." in page
    assert "stamps" not in re.findall(r'<div class="(log[^"]*)"', page)[0]


def test_what_is_searched_is_marked_whatever_the_case(printed):
    page = read(printed, "?q=two")
    assert "<mark>two</mark> <mark>TWO</mark>" in page
    assert page.count('class="line found"') == 1
    assert "1 of 3 lines hold “two”." in page


def test_times_and_wrapping_are_asked_for_in_the_address(printed):
    page = read(printed, "?stamps=1&wrap=1")
    assert '<div class="log stamps wrap"' in page
    assert '<span class="stamp">2026-01-01T00:00:00.000 </span>' in page


@pytest.mark.parametrize("query", ["?since=15m", "?since=2026-01-01T00:00:00.123456789Z", "?since=2026-13-45", "?since=x&lines=7", "?q=\0"])
def test_whatever_is_asked_for_is_answered(printed, query):
    assert "three" in read(printed, query)


def test_it_is_downloaded_as_it_was_printed(printed):
    answer = printed.browser("viewer").get("/projects/web/logs/all.log")
    assert answer.content == LOG
    assert re.fullmatch(r'attachment; filename="web-\d{8}-\d{6}\.log"', answer["Content-Disposition"])
    assert answer["Content-Type"].startswith("text/plain")
    assert printed.browser("viewer").get("/projects/web/logs/all.log?stamps=1").content.startswith(b"2026-01-01T00:00:00")


def test_without_a_container_or_an_engine_the_page_says_what_to_do(cast, fake_engine):
    assert "ensure it first" in read(cast)
    assert "ensure it first" in cast.browser("viewer").get("/projects/web/logs/more.json").json()["problem"]
    assert cast.browser("viewer").get("/projects/web/logs/all.log")["Location"] == "./"
    fake_engine.down = True
    assert "Docker Engine" in read(cast)


def test_what_came_since_is_followed(printed):
    answer = printed.browser("viewer").get("/projects/web/logs/more.json?since=2026-01-01T00:00:00.000000000Z").json()
    assert answer["text"].splitlines()[-1] == "2026-01-01T00:00:00.000000000Z three"
    assert (answer["problem"], answer["cut"]) == ("", False)


def test_the_api_gives_times_and_takes_since(printed):
    answer = printed.api("viewer").get("/api/projects/web/container/logs?timestamps=true&since=2026-01-01T00:00:00.5Z")
    assert answer.content.startswith(b"2026-01-01T00:00:00")
    assert printed.api("viewer").get("/api/projects/web/container/logs?since=yesterday").status_code == 422


def test_a_line_is_its_time_and_its_text():
    (line,) = lines_of(b"2026-01-01T00:00:00.000000001Z \x1b]0;title\x07a\x1b[1;31mb\x07c")
    assert (line.stamp, line.parts) == ("2026-01-01T00:00:00.000000001Z", (("abc", False),))
    assert [part for line in lines_of(b"aXbxc", "x") for part in line.parts] == [
        ("a", False), ("X", True), ("b", False), ("x", True), ("c", False),
    ]  # fmt: skip
    assert lines_of(b"") == []
    assert lines_of(b"\xff\n")[0].parts == (("\ufffd", False),)
