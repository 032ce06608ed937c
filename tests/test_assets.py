"""Browser assets of others: found where npm installed them, served without their source maps, missed with a word."""

import pytest
from django.contrib.staticfiles.finders import find, get_finder

from containerhub import assets

FINDER = "containerhub.assets.NodeModules"


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "MODULES", tmp_path)
    return tmp_path


def write(modules, name, content):
    path = modules / assets.FILES[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_only_the_named_files_are_found(modules):
    write(modules, "vendor/xterm.js", b"export {}")
    (modules / "@xterm/xterm/lib/other.js").write_bytes(b"")
    assert [name for name, _ in get_finder(FINDER).list([])] == ["vendor/xterm.js"]
    assert find("vendor/xterm.js") == str(modules / "@xterm/xterm/lib/xterm.mjs")
    assert find("vendor/xterm.css") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vendor/xterm.js", b"let a = 1;\n//# sourceMappingURL=xterm.mjs.map\n"),
        ("vendor/xterm.css", b"a { color: red }\n/*# sourceMappingURL=xterm.css.map */"),
    ],
)
def test_comments_that_name_source_maps_are_left_out(modules, name, content):
    write(modules, name, content)
    served = assets.Installed().open(name).read()
    assert b"sourceMappingURL" not in served
    assert served.startswith(content.split(b"\n")[0])


def test_what_was_not_collected_has_no_address(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text('{"paths": {"vendor/xterm.css": "vendor/xterm.1.css"}, "version": "1.1", "hash": ""}')
    assert assets.address("vendor/xterm.css") == "/static/vendor/xterm.1.css"
    assert assets.address("vendor/xterm.js") is None


def test_the_lock_names_every_package_that_is_served():
    lock = (assets.MODULES.parent / "package-lock.json").read_text()
    for file in assets.FILES.values():
        package = "/".join(file.split("/")[: 2 if file.startswith("@") else 1])
        assert f'"node_modules/{package}"' in lock
