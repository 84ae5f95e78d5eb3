# Starting a guest, waiting for its answer, and leaving nothing of it behind. Read with `.`.
# shellcheck shell=sh

# The exit statuses that are not the payload's own, as of timeout(1): the time is up, or something else failed.
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

# start_guest FUNCTION: runs a hypervisor. FUNCTION calls `launch`, once or several times.
#
# The hypervisor is the child of a guardian process, which reads a pipe that only this script holds open. Even if
# a signal kills this script, the guardian sees the end of the pipe and ends the guest.
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
        # The file is opened once for all commands of the guest. bhyve removes O_APPEND from its output, and would begin
        # again at the start of a file that it had opened alone.
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
    # If the pipe ends without a line, this script was killed, and only the guardian is left to clean up.
    [ -n "$_word" ] || remove_work
}

# launch COMMAND...: runs the command with the console as its output, and an input that stays open and empty.
launch() {
    "$@" <>"$work/run/input" >&7 2>&1 &
    echo $! >"$work/run/pid"
    # The shell would print a line about a process that a signal ended.
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
        # Checks first whether the guest runs, so that its last output counts.
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
        # The console is read after this check, as above.
        rc=$(status)
        relay
        [ -z "$rc" ] || return 0
        if panicked; then
            why="the guest panicked"
            failed_with=$status_error
            # The guest still prints.
            await_poweroff 5
            relay
        fi
        nap
    done
    return 1
}

# await_poweroff SECONDS: waits for a guest that has answered to end by itself. stop_guest ends the others.
await_poweroff() {
    _started=$(now)
    until stopped || [ $(($(now) - _started)) -ge "$1" ]; do
        nap
    done
}
