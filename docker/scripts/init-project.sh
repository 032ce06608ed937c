#!/bin/sh
# The command of every project container. The Engine runs it at each start, as `claude`, with the hub or without.
#
# It prepares /run/containerhub, looks whether the workspace can be written, starts the tmux server of the terminals,
# and waits. Whatever is wrong is said in the container's log; the container stays up, so that people can look.
set -u

state=/run/containerhub
workspace=/workspace
config=/etc/containerhub/tmux.conf

say() {
    printf 'init-project: %s\n' "$1" >&2
}

# Nothing that an exec or a person had in the environment may live on in the tmux server.
unset CONTAINERHUB_EXEC_ID GITHUB_TOKEN GIT_ASKPASS TMUX TMUX_PANE

prepare_state() {
    mkdir -p "$state/runs" 2> /dev/null && [ -w "$state/runs" ] && return
    # /run may be an empty tmpfs of root's
    if command -v sudo > /dev/null; then
        sudo -n install -d -m 0755 -o "$(id -u)" -g "$(id -g)" "$state" "$state/runs" && return
    fi
    say "$state cannot be made by uid $(id -u); commands cannot leave their exit codes there. Let the image make it."
}

check_workspace() {
    rm -f "$state/problem"
    if [ ! -d "$workspace" ]; then
        problem="$workspace is not there; mount the project's workspace on it and make the container anew."
    elif [ ! -w "$workspace" ] || [ ! -x "$workspace" ]; then
        problem="$workspace cannot be written by $(id -un) (uid $(id -u)); give the directory to that uid on the host, or mount it writable."
    else
        return
    fi
    say "$problem"
    printf '%s\n' "$problem" > "$state/problem"
}

start_tmux() {
    if ! command -v tmux > /dev/null; then
        say "there is no tmux in this image; terminals are plain shells that end with their page."
        return
    fi
    tmux -L hub -f "$config" start-server || say "the tmux server did not start; terminals are plain shells that end with their page."
}

prepare_state
find "$state/runs" -mindepth 1 -mtime +7 -delete 2> /dev/null
check_workspace
# The server inherits this directory, which must not be one that a project can remove.
cd /
start_tmux
cd "$workspace" 2> /dev/null || cd /
exec sleep infinity
