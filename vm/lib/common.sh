# Shared by all scripts in this folder: messages, the workspace, the cache. Read with `.`.
# shellcheck shell=sh

# vm_dir is set by the script that reads this file.
: "${vm_dir:?}"
# shellcheck disable=SC2034 # used by those that read this file
workspace=$(cd "$vm_dir/.." && pwd)
me=vm/${0##*/}

note() { printf '%s: %s\n' "$me" "$*" >&2; }
# A script that returns the exit status of another program uses another status for its own errors.
die() { note "$*"; exit "${status_error:-1}"; }
# The comment at the top of a script is its help.
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; }
have() { command -v "$1" >/dev/null 2>&1; }
on_freebsd() { [ "$(uname -s)" = FreeBSD ]; }

# Quotes a text, so that sh reads it as one word.
quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# The folder of this run, which is removed at its end. `finish` removes everything else.
work=
make_work() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/jailwire-vm.XXXXXX") || die "cannot make a temporary folder"
    trap finish EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
finish() { rm -rf "$work"; }

# The folder for large downloads that every checkout can use: images and zig.
cache_dir() {
    if [ -n "${JAILWIRE_CACHE:-}" ]; then
        printf '%s\n' "$JAILWIRE_CACHE"
    else
        printf '%s/jailwire\n' "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}"
    fi
}

# limited SECONDS COMMAND...: runs the command, and ends it when the time is up, if the system has timeout(1).
limited() {
    _seconds=$1
    shift
    if have timeout; then
        timeout "$_seconds" "$@"
    else
        "$@"
    fi
}
