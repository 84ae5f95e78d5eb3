# What every script here needs: messages, the workspace, the cache. Read with `.`.
# shellcheck shell=sh

# vm_dir is set by the script that reads this file.
: "${vm_dir:?}"
# shellcheck disable=SC2034 # used by those that read this file
workspace=$(cd "$vm_dir/.." && pwd)
me=vm/${0##*/}

note() { printf '%s: %s\n' "$me" "$*" >&2; }
# A script whose exit status is somebody else's says so by another one of its own.
die() { note "$*"; exit "${status_error:-1}"; }
# The comment at the top of a script is its help.
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; }
have() { command -v "$1" >/dev/null 2>&1; }
on_freebsd() { [ "$(uname -s)" = FreeBSD ]; }

# One word for sh, whatever is in it.
quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# The folder of this run, gone with it. What else has to go, `finish` says.
work=
make_work() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/jailwire-vm.XXXXXX") || die "cannot make a temporary folder"
    trap finish EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
finish() { rm -rf "$work"; }

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
