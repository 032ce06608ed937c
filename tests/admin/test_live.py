"""The admin over twenty projects on the real Engine: through the test client, and in a browser."""

import shutil

import pytest

from projects.states import BatchAction
from tests.admin.browser import LOOKS, choose, chromium, complaints_of, enter, violations
from tests.admin.hub import AdminHub

pytestmark = pytest.mark.live
SLUGS = [f"p{number:02}" for number in range(20)]
BROKEN = "p07"
WELL = [slug for slug in SLUGS if slug != BROKEN]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Twenty projects, the workspace of one removed; opal is an operator of all but p03 (a viewer) and p04 (no member)."""
    running = AdminHub(tmp_path_factory.mktemp("admin"))
    try:
        running.start()
        running.fill(SLUGS)
        shutil.rmtree(running.box.roots / BROKEN)
        running.client("""
            opal = get_user_model().objects.create_user("opal", is_staff=True)
            for project in Project.objects.exclude(slug__in=["p04", "sample"]):
                Membership.objects.create(project=project, user=opal, role="viewer" if project.slug == "p03" else "operator")
        """)
        yield running
    finally:
        running.clean()


@pytest.fixture(scope="module")
def browser():
    with chromium() as driven:
        yield driven


@pytest.fixture(scope="module")
def administrator(hub, browser):
    """Who is signed in: so that each page need not do it again."""
    page = enter(browser, hub.address)
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.mark.timeout(400)
def test_over_twenty_projects_each_result_is_told_and_one_that_fails_stops_no_other(hub):
    told = hub.client(f"""
        sign_in("admin")
        command = dict(command="echo $PROJECT_NAME; id -un", workdir="/workspace", timeout_seconds=60)
        told = {{action: act(action, {SLUGS!r}) for action in ("ensure", "check_health", "restart")}}
        told["run_command"] = act("run_command", {SLUGS!r}, **command)
        told["stop"] = act("stop", {SLUGS!r})
        answer(told)
    """)
    for action, result in told.items():
        assert list(result) == SLUGS
        assert {slug: state for slug, (state, _) in result.items() if slug != BROKEN} == dict.fromkeys(WELL, "done"), (action, result)
    assert {action: told[action][BROKEN][0] for action in told} == {
        "ensure": "failed",
        "check_health": "failed",
        "restart": "failed",
        "run_command": "failed",
        "stop": "done",
    }
    assert "make the directory first" in told["ensure"][BROKEN][1]
    assert told["check_health"][BROKEN][1] == "Container not running: ensure it."
    assert "ensure" in told["run_command"][BROKEN][1]
    outputs = hub.client("""
        from projects.services import spool
        answer({run.project.slug: spool.tail(run).stdout.decode() for run in CommandRun.objects.filter(purpose="command")})
    """)
    assert outputs == {slug: f"{slug}\nclaude\n" for slug in WELL}
    standing = {container.name.removeprefix(f"{hub.box.prefix}-"): container.status for container in hub.box.containers()}
    assert standing == {**dict.fromkeys(WELL, "exited"), "sample": "running"}


def test_a_get_changes_nothing(hub):
    before, after, codes = hub.client(f"""
        sign_in("admin")
        def all_there_is():
            seen = list(Project.objects.order_by("pk").values_list("slug", "wanted", "docker_id", "pending_action"))
            return [seen, Batch.objects.count(), CommandRun.objects.count(), ImageBuild.objects.count()]
        before = all_there_is()
        last = Event.objects.latest("pk").pk
        codes = []
        for action in {list(map(str, BatchAction))!r}:
            chosen = pks({SLUGS[:2]!r})
            codes += [
                client.get(LIST, {{"action": action, "_selected_action": chosen}}).status_code,
                client.get(LIST + "act/", {{"action": action, "projects": "1", "confirmed": "yes"}}).status_code,
                client.get(f"{{LIST}}{{chosen[0]}}/act/{{action}}/", {{"confirmed": "yes"}}).status_code,
            ]
        codes.append(client.get("/admin/projects/imagebuild/build/").status_code)
        kinds = Event.objects.filter(pk__gt=last, actor_name="admin").values_list("kind", flat=True)
        answer([[*before, []], [*all_there_is(), list(kinds)], codes])
    """)
    assert before == after
    assert codes == [302, 405, 405] * len(BatchAction) + [405]


def test_without_rights_on_one_project_only_that_one_is_refused(hub):
    told = hub.client("""
        sign_in("opal")
        answer(act("ensure", ["p02", "p03", "p04", "p05"]))
    """)
    assert {slug: state for slug, (state, _) in told.items()} == {"p02": "done", "p03": "failed", "p05": "done"}
    assert told["p03"][1].startswith("This needs the operator role")
    standing = {container.name.removeprefix(f"{hub.box.prefix}-"): container.status for container in hub.box.containers()}
    assert [standing[slug] for slug in ("p02", "p03", "p04", "p05")] == ["running", "exited", "exited", "running"]


# -- in a browser ---------------------------------------------------------------------------


@pytest.mark.browser
def test_rows_are_selected_confirmed_and_their_results_followed(hub, browser, administrator):
    page = enter(browser, hub.address, state=administrator, **LOOKS["light"])
    complaints = complaints_of(page)
    page.goto("/admin/projects/batch/1/")  # its script is in the cache before containers come and go
    page.goto("/admin/projects/project/")
    choose(page, "ensure", ["p00", "p01", BROKEN])
    page.wait_for_selector("#batch:not([data-follow])", timeout=60_000)
    assert page.locator(".badge.item-done").count() == 2
    assert page.locator(".badge.item-failed").count() == 1
    page.click("text=Back to the projects")
    choose(page, "stop", ["p00", "p01"])
    page.wait_for_selector("a:text-is('Cancel'):focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result_list")  # nothing was done
    choose(page, "stop", ["p00", "p01"])
    page.click("button.danger")
    page.wait_for_selector("#batch:not([data-follow])", timeout=60_000)
    assert page.locator(".badge.item-done").count() == 2
    page.click("text=Back to the projects")
    assert page.locator("#result_list tr", has=page.locator("th a:text-is('p00')")).inner_text().count("Exited (") == 1
    page.goto("/admin/django_q/schedule/")
    page.goto("/admin/django_q/failure/")
    page.goto("/admin/projects/event/")
    assert complaints == []
    page.context.close()


@pytest.mark.browser
def test_a_command_is_followed_while_it_runs_and_read_as_text(hub, browser, administrator):
    page = enter(browser, hub.address, state=administrator, **LOOKS["light"])
    page.goto("/admin/projects/project/")
    choose(page, "run_command", ["p02", "p05"])
    page.fill("textarea[name=command]", "sleep 4; printf '\\033[31m<b>red</b>\\033[0m\\n'")
    page.click("button.default")
    page.wait_for_selector("#batch[data-follow]")
    page.wait_for_selector("#batch:not([data-follow])", timeout=60_000)
    assert page.locator("table pre").all_inner_texts() == ["<b>red</b>\n"] * 2
    page.click("text=The run in p02")
    page.wait_for_selector(".field-stdout pre")
    assert page.locator(".field-stdout pre").inner_text() == "<b>red</b>\n"
    with page.expect_download() as download:
        page.click(".field-download a >> nth=0")
    assert download.value.path().read_bytes() == b"\x1b[31m<b>red</b>\x1b[0m\n"
    page.context.close()


@pytest.mark.browser
def test_it_all_works_without_script(hub, browser, administrator):
    page = enter(browser, hub.address, state=administrator, script=False, **LOOKS["narrow"])
    page.goto("/admin/projects/project/")
    choose(page, "run_command", ["p02"])
    page.fill("textarea[name=command]", "sleep 4")
    page.click("button.default")
    page.wait_for_selector("text=Going on…")
    page.wait_for_selector("text=Through.", timeout=60_000)
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_new_over_djangos_own(hub, browser, administrator, look):
    page = enter(browser, hub.address, state=administrator, **LOOKS[look])
    known: set[str] = set()
    for place in ("/admin/auth/group/", "/admin/auth/group/add/"):
        page.goto(place)
        known |= set(violations(page))
    found = {}
    page.goto("/admin/projects/project/")
    found["list"] = violations(page)
    choose(page, "refresh", ["p02", "p05"])
    page.wait_for_selector("button.danger")
    found["confirm"] = violations(page)
    page.click("text=Cancel")
    choose(page, "run_command", ["p02", "p05"])
    page.wait_for_selector("textarea[name=command]")
    found["command"] = violations(page)
    page.fill("textarea[name=command]", "ls -la /")
    page.click("button.default")
    page.wait_for_selector("#batch:not([data-follow])", timeout=60_000)
    found["result"] = violations(page)
    page.click("text=The run in p02")
    page.wait_for_selector(".field-stdout pre")
    found["run"] = violations(page)
    page.goto("/admin/projects/project/")
    page.click("#result_list th a:text-is('p02')")
    page.wait_for_selector(".object-tools form")
    found["project"] = violations(page)
    found["project"].pop("empty-table-header", None)  # the corner of Django's own tabular inlines, of which stock pages have none
    new = {name: {rule: nodes for rule, nodes in rules.items() if rule not in known} for name, rules in found.items()}
    assert {name: rules for name, rules in new.items() if rules} == {}, f"Django's own: {sorted(known)}"
    page.context.close()
