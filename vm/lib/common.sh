# What every script here needs: messages, the workspace, the cache. Read with `.`.
# shellcheck shell=sh

# vm_dir is set by the script that reads this file.
: "${vm_dir:?}"
# shellcheck disable=SC2034 # used by those that read this file
workspace=$(cd "$vm_dir/.." && pwd)
me=vm/${0##*/}

note() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { note "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
on_freebsd() { [ "$(uname -s)" = FreeBSD ]; }

# The folder for what is dear to get and good for every checkout: images, zig.
cache_dir() {
    if [ -n "${JAILWIRE_CACHE:-}" ]; then
        printf '%s\n' "$JAILWIRE_CACHE"
    else
        printf '%s/jailwire\n' "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}"
    fi
}

# limited SECONDS COMMAND...: the command, ended when the time is up, where timeout(1) exists.
limited() {
    _seconds=$1
    shift
    if have timeout; then
        timeout "$_seconds" "$@"
    else
        "$@"
    fi
}
