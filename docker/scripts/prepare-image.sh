#!/bin/sh
# Runs as root while an image is built: prepare-image.sh UID GID
#
# Makes the user `claude` with these numbers, and adds what a project container needs and the image lacks.
# The files under /etc are edited as text: useradd and usermod are not in every image, and refuse numbers in use.
set -eu

uid=$1
gid=$2
share=/usr/local/share/containerhub
shell=/bin/sh
[ ! -x /bin/bash ] || shell=/bin/bash

case "$uid:$gid" in
    *[!0-9:]* | :* | *: | 0:*)
        echo "prepare-image: the uid must be a number above 0 and the gid a number, not '$uid' and '$gid'" >&2
        exit 1
        ;;
esac

# rewrite FILE AWK-PROGRAM: keeps owner and mode of the file, and skips files that are not there
rewrite() {
    [ -f "$1" ] || return 0
    awk -F: -v OFS=: -v uid="$uid" -v gid="$gid" -v group="$group" -v old_user="$old_user" -v old_group="$old_group" "$2" "$1" > "$1.new"
    cat "$1.new" > "$1"
    rm "$1.new"
}

# The image's own user or group of that number gives way. The group `root` stays: a workspace may belong to it.
group=claude
[ "$gid" != 0 ] || group=root
old_user=$(awk -F: -v uid="$uid" '$3 == uid && $1 != "claude" { print $1; exit }' /etc/passwd)
old_group=$(awk -F: -v gid="$gid" '$3 == gid && $1 != "claude" && gid != 0 { print $1; exit }' /etc/group)

# shellcheck disable=SC2016  # the $ are awk's
{
    rewrite /etc/passwd '$1 != "claude" && $3 != uid'
    rewrite /etc/shadow '$1 != "claude" && (old_user == "" || $1 != old_user)'
    rewrite /etc/group '$1 != "claude" && ($3 != gid || gid == 0)'
    rewrite /etc/gshadow '$1 != "claude" && (old_group == "" || $1 != old_group)'
}
echo "claude:x:$uid:$gid:claude:/home/claude:$shell" >> /etc/passwd
[ ! -f /etc/shadow ] || echo 'claude:!:19000:0:99999:7:::' >> /etc/shadow
if [ "$group" = claude ]; then
    echo "claude:x:$gid:" >> /etc/group
    [ ! -f /etc/gshadow ] || echo 'claude:!::' >> /etc/gshadow
fi

if [ ! -d /home/claude ]; then
    mkdir -p /home/claude
    [ ! -d /etc/skel ] || cp -a /etc/skel/. /home/claude/
fi
mkdir -p /workspace /run/containerhub/runs /run/containerhub-lent /etc/containerhub /usr/local/bin
chown -hR "$uid:$gid" /home/claude /run/containerhub
chown "$uid:$gid" /workspace
chmod 0755 /home/claude /workspace /run/containerhub /run/containerhub/runs

for name in healthcheck git-askpass-helper init-project; do
    cp "$share/scripts/$name.sh" "/usr/local/bin/$name"
    chmod 0755 "/usr/local/bin/$name"
done
ln -sf init-project /usr/local/bin/init-project.sh
cp "$share/etc/tmux.conf" /etc/containerhub/tmux.conf
chmod 0644 /etc/containerhub/tmux.conf
mkdir -p /etc/ssh/ssh_config.d
cp "$share/etc/ssh.conf" /etc/ssh/ssh_config.d/containerhub.conf
chmod 0644 /etc/ssh/ssh_config.d/containerhub.conf
if [ ! -f /etc/gitconfig ]; then
    cp "$share/etc/gitconfig" /etc/gitconfig
    chmod 0644 /etc/gitconfig
fi
if [ -d /etc/sudoers.d ] && command -v visudo > /dev/null; then
    cp "$share/etc/sudoers" /etc/sudoers.d/containerhub
    chmod 0440 /etc/sudoers.d/containerhub
    visudo -c > /dev/null
fi
rm -rf "$share"
