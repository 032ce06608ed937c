#!/bin/sh
# Checks what this container was given; the first check that fails is named in one line, with exit code 1.
#
# It runs each minute in every container, so it uses the shell's builtins; only the warning about the disk starts a process.
set -u

workspace=/workspace
state=/run/containerhub

fail() {
    echo "ERROR: $1"
    trap - EXIT
    exit 1
}

# mounted PATH: sets `root` to what is mounted there
mounted() {
    root=
    while read -r _ _ _ from target _; do
        [ "$target" != "$1" ] || root=$from
    done < /proc/self/mountinfo
    [ -n "$root" ]
}

check_workspace() {
    if mounted "$workspace"; then
        case $root in
            *//deleted) fail "The workspace was removed on the host; bring it back and refresh the container" ;;
        esac
    elif [ -n "${PROJECT_PATH:-}" ]; then
        fail "The workspace is not mounted on $workspace; refresh the container"
    fi
    [ -d "$workspace" ] || fail "The workspace $workspace is not there; refresh the container"
    [ -r "$workspace" ] && [ -x "$workspace" ] || fail "The workspace $workspace cannot be read by this user"
    [ -w "$workspace" ] || fail "The workspace $workspace cannot be written by this user"
}

check_claude() {
    if [ "${CONTAINERHUB_HAS_CLAUDE_CLI:-}" = 1 ]; then
        [ -f /usr/local/bin/claude ] && [ -x /usr/local/bin/claude ] || fail "The Claude CLI /usr/local/bin/claude cannot be run"
    fi
    if [ -n "${CLAUDE_CONFIG_DIR:-}" ] && [ -e "$CLAUDE_CONFIG_DIR" ]; then
        [ -w "$CLAUDE_CONFIG_DIR" ] || fail "The Claude configuration $CLAUDE_CONFIG_DIR cannot be written by this user"
    fi
}

check_state() {
    [ -w "$state/runs" ] || fail "$state/runs cannot be written by this user; restart the container"
}

warn_disk() {
    percent=$(timeout 3 df -P "$workspace" 2> /dev/null | while read -r _ _ _ _ used _; do echo "${used%\%}"; done)
    percent=${percent##*[!0-9]}
    [ "${percent:-0}" -le 90 ] || echo "WARNING: The disk of the workspace is ${percent} % full"
}

check_workspace
check_claude
check_state
# From here on nothing can make it unhealthy, not even a process limit that leaves no room for df.
trap 'echo "OK: Container healthy"; exit 0' EXIT
warn_disk
