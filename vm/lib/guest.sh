# Starting a guest, waiting for its answer, and leaving nothing of it behind. Read with `.`.
# shellcheck shell=sh

# The exit statuses that are not the payload's own, those of timeout(1): its time is up; something else failed.
status_late=124
status_error=125

guardian=
# A copy of the guest's disk that lies outside the folder of this run.
beside=

finish() {
    stop_guest
    remove_work
}

remove_work() {
    [ -z "$beside" ] || rm -f "$beside"
    rm -rf "$work"
}

# start_guest FUNCTION: runs a hypervisor. FUNCTION does so by calling `launch`, once or more.
#
# It is the child of a guardian that waits for the end of a pipe which only we hold open. However we
# end, by a signal that cannot be caught too, the guardian sees the end of the pipe and ends the guest.
start_guest() {
    rm -rf "$work/run"
    mkdir "$work/run"
    console=$work/console
    : >"$console"
    relayed=0
    mkfifo "$work/run/alive" "$work/run/input"
    exec 9<>"$work/run/alive"
    exec 8<"$work/run/alive"
    guard "$1" &
    guardian=$!
    exec 8<&-
}

guard() {
    trap '' HUP INT TERM
    trap - EXIT
    exec 9>&-
    (
        exec 8<&-
        # Opened once for all that the guest runs: bhyve takes O_APPEND away from its output, and would begin anew
        # at the start of a file that it alone has opened.
        exec 7>>"$console"
        _status=0
        "$1" || _status=$?
        echo "$_status" >"$work/run/exit"
    ) &
    read -r _word <&8 || _word=
    until stopped; do
        [ ! -s "$work/run/pid" ] || kill -KILL "$(cat "$work/run/pid")" 2>/dev/null || :
        nap
    done
    wait
    destroy_guest
    # Without a word our parent was killed, and no other process is left to do it.
    [ -n "$_word" ] || remove_work
}

# launch COMMAND...: with the console as its output, and an input that is silent and stays open.
launch() {
    "$@" <>"$work/run/input" >&7 2>&1 &
    echo $! >"$work/run/pid"
    # The shell has words for what a signal ended.
    wait $! 2>/dev/null
}

stop_guest() {
    [ -n "$guardian" ] || return 0
    echo enough >&9
    exec 9>&-
    wait "$guardian" || :
    guardian=
}

stopped() { [ -e "$work/run/exit" ]; }
nap() { sleep 0.2 2>/dev/null || sleep 1; }
now() { date +%s; }

# await_boot SECONDS [BANNER_SECONDS]: waits until the payload begins.
# Fails when the guest ends, panics, is late, or has not shown FreeBSD's banner within the second limit.
await_boot() {
    _started=$(now)
    while :; do
        # Asked first: what a guest printed last counts.
        if stopped; then _over=yes; else _over=; fi
        if begun; then
            return 0
        elif panicked; then
            why="the guest panicked while starting"
            return 1
        elif [ -n "$_over" ]; then
            why="the guest stopped before it ran the payload"
            return 1
        elif prompted; then
            why="the guest stopped at a prompt: it cannot load its kernel, or cannot mount its root file system"
            return 1
        elif [ $(($(now) - _started)) -ge "$1" ]; then
            why="the guest did not run the payload within $1 seconds"
            return 1
        elif [ -n "${2:-}" ] && [ $(($(now) - _started)) -ge "$2" ] && ! booting; then
            why="the guest did not start FreeBSD within $2 seconds"
            return 1
        fi
        nap
    done
}

# await_payload SECONDS: relays the payload's output and sets $rc, or fails with $why.
await_payload() {
    _started=$(now)
    why=
    failed_with=$status_error
    while [ -z "$why" ]; do
        if stopped; then
            why="the guest stopped before the payload ended"
        elif [ $(($(now) - _started)) -ge "$1" ]; then
            why="the payload did not end within $1 seconds"
            failed_with=$status_late
        fi
        # After it, as above.
        rc=$(status)
        relay
        [ -z "$rc" ] || return 0
        if panicked; then
            why="the guest panicked"
            failed_with=$status_error
            # It has more to say.
            await_poweroff 5
            relay
        fi
        nap
    done
    return 1
}

# await_poweroff SECONDS: lets a guest that has answered end by itself; stop_guest ends one that does not.
await_poweroff() {
    _started=$(now)
    until stopped || [ $(($(now) - _started)) -ge "$1" ]; do
        nap
    done
}
