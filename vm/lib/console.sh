# Reading a guest's serial console, a growing file at $console. Read with `.`.
# shellcheck shell=sh

# The guest prints the first line before the payload's output and the second after it.
payload_begin='=== PAYLOAD BEGIN'
payload_end='=== PAYLOAD END rc='

# The complete lines, without the carriage returns of the console.
lines() {
    _complete=$(($(wc -l <"$console")))
    [ "$_complete" -eq 0 ] || head -n "$_complete" "$console" | tr -d '\r'
}

booting() { grep -q 'The FreeBSD Project' "$console"; }
begun() { lines | grep -q "$payload_begin"; }

# Whether the last line, which is not complete, is the prompt of FreeBSD's loader or of its search for a root file
# system. A guest that goes on by itself leaves neither.
prompted() {
    case $(tail -c 64 "$console" | tr -d '\r' | awk 'END { print }') in
        'OK ' | 'mountroot> ' | *'[mOK ') return 0 ;;
        *) return 1 ;;
    esac
}

# Prints the payload's exit status, or nothing while the payload runs.
status() { lines | sed -n "s/.*$payload_end\([0-9][0-9]*\).*/\1/p" | head -n 1; }

# Whether the kernel has panicked. The CPU or the time follows a panic's line. A payload may print `panic:`, too.
panicked() {
    lines | awk '/^(cpuid|time) = / && before ~ /panic: / { found = 1; exit }
        { before = $0 }
        END { exit !found }'
}

# Prints what the payload has printed since the last call.
# $relayed is the number of the console's lines that have been handled.
relayed=0
relay() {
    _total=$(($(wc -l <"$console")))
    [ "$_total" -gt "$relayed" ] || return 0
    lines | awk -v from="$relayed" -v to="$_total" -v begin="$payload_begin" -v end="$payload_end" '
        NR > to { exit }
        !inside { inside = index($0, begin); next }
        (at = index($0, end)) { if (at > 1 && NR > from) print substr($0, 1, at - 1); exit }
        NR > from { print }'
    relayed=$_total
}

console_end() {
    if [ -s "$console" ]; then
        note "the end of the guest's console ($1):"
        tr -d '\r' <"$console" | tail -n 20 | sed 's/^/    | /' >&2
    else
        note "the guest printed nothing ($1)"
    fi
}
