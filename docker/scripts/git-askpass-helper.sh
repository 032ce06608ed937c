#!/bin/sh
# Answers git's questions for a username or a password, for the hosts that a credential was lent for and for no other.
#
# Git (and git-lfs) call it with one prompt, such as
#   Username for 'https://github.com':
#   Password for 'https://x-access-token@git.example.com:8443':
# The answer comes from /run/containerhub-lent/git/<host> or <host>_<port>: a username and a token, a line each.
# For github.com the variable GITHUB_TOKEN serves where there is no file.
set -u
LC_ALL=C

lent=/run/containerhub-lent/git

refuse() {
    printf 'git-askpass-helper: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 1 ] || refuse "call it with one prompt of git's"
case $1 in
    *[![:print:]]*) refuse "the prompt holds control characters, so it gets no answer" ;;
    "Username for '"*"': " | "Username for '"*"'") what=username url=${1#*\'} ;;
    "Password for '"*"': " | "Password for '"*"'") what=token url=${1#*\'} ;;
    'Username for "'*'"') what=username url=${1#*\"} ;;
    'Password for "'*'"') what=token url=${1#*\"} ;;
    *) refuse "only git's prompts for a username or a password get an answer" ;;
esac
url=${url%: }
url=${url%[\'\"]}

case $url in
    *[\'\"\\?#\ ]*) refuse "the address in the prompt is not a plain one, so it gets no answer" ;;
    https://*) authority=${url#https://} ;;
    *) refuse "tokens are sent over https only" ;;
esac
# In a prompt of git's the username is not always quoted: in https://github.com/x@evil.example the host is the last part.
path=/${authority#*/}
[ "$path" != "/$authority" ] || path=
case $path in
    *@*) refuse "the address in the prompt is ambiguous, so it gets no answer" ;;
esac
authority=${authority%%/*}
host=$(printf '%s' "${authority##*@}" | tr '[:upper:]' '[:lower:]')
port=443
case $host in
    *:*) port=${host##*:} host=${host%:*} ;;
esac
case $host in
    '' | *[!a-z0-9.-]* | [.-]* | *[.-] | *..*) refuse "the host in the prompt is not a plain name, so it gets no answer" ;;
esac
case $port in
    '' | *[!0-9]* | 0* | ??????*) refuse "the port in the prompt is not a number, so it gets no answer" ;;
esac

username=
token=
for name in "${host}_$port" "$host"; do
    # a token for the host alone is one for port 443
    [ "$name" != "$host" ] || [ "$port" = 443 ] || continue
    [ -f "$lent/$name" ] || continue
    [ -r "$lent/$name" ] || refuse "the credential for $host cannot be read by this user"
    { IFS= read -r username; IFS= read -r token; } < "$lent/$name"
    break
done
if [ -z "$token" ] && [ "$host:$port" = github.com:443 ] && [ -n "${GITHUB_TOKEN:-}" ]; then
    username=x-access-token
    token=$GITHUB_TOKEN
fi
[ -n "$token" ] || refuse "no credential was lent for $host:$port; ask an owner of the project to add one"

if [ "$what" = username ]; then
    printf '%s\n' "${username:-x-access-token}"
else
    printf '%s\n' "$token"
fi
