# Building the binaries of a workspace's tests or benchmarks, and running them in guests. Read with `.`.
# shellcheck shell=sh

newline='
'
guests=
run_options=
cargo_options=--workspace
# A whole suite is one payload.
export JAILWIRE_VM_TIMEOUT="${JAILWIRE_VM_TIMEOUT:-3600}"

# add_guests OPTION LIST: one guest for each part of a list that colons separate.
add_guests() {
    _rest=$2:
    while [ -n "$_rest" ]; do
        [ -z "${_rest%%:*}" ] || guests="$guests$1 ${_rest%%:*}$newline"
        _rest=${_rest#*:}
    done
}

# Takes the command line apart: guests and the options of vm/run for each, cargo's options, and after `--`
# those of the binaries. Sets them as quoted words, for eval.
suite_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage; exit 0 ;;
            --) shift; break ;;
            -[kirRmctTB] | --kernel | --root | --image | --memory | --cpus | --tunable | --timeout | --boot-timeout)
                [ $# -gt 1 ] || die "$1 needs a value"
                case $1 in
                    -k | --kernel) add_guests -k "$2" ;;
                    -i | --image) add_guests -i "$2" ;;
                    -R) add_guests -R "$2" ;;
                    -r | --root) JAILWIRE_VM_ROOT=$2 ;;
                    *) run_options="$run_options $1 $(quote "$2")" ;;
                esac
                shift 2
                ;;
            *)
                case $1 in
                    -p | --package | --package=*) cargo_options=${cargo_options#--workspace} ;;
                esac
                cargo_options="$cargo_options $(quote "$1")"
                shift
                ;;
        esac
    done
    suite_arguments=
    for _word; do
        suite_arguments="$suite_arguments $(quote "$_word")"
    done
    [ -n "$guests" ] || add_guests -k "${JAILWIRE_VM_KERNEL:-}"
    [ -n "$guests" ] || add_guests -i "${JAILWIRE_VM_IMAGE:-}"
    [ -n "$guests" ] || add_guests -R "${JAILWIRE_VM_RELEASE:-}"
    printf '%s' "$guests" >"$work/guests"
    # Checks for missing tools before anything is built.
    [ -n "$guests" ] || "$vm_dir/run" --check || exit $?
    in_guests --check
    [ -z "$failed" ] || exit 125
}

# Reads cargo's messages about the executables it made, and prints
# package|folder|kind|name|source file|is a test|executable
# of each.
executables() {
    sed -n '/"reason":"compiler-artifact"/s|.*"package_id":"[^"]*[/#]\([^"@/#]*\)[@#][^"]*","manifest_path":"\([^"]*\)/Cargo.toml","target":{"kind":\["\([^"]*\)".*"name":"\([^"]*\)","src_path":"\([^"]*\)".*"profile":{[^}]*"test":\([a-z]*\)}.*"executable":"\([^"]*\)".*|\1\|\2\|\3\|\4\|\5\|\6\|\7|p'
}

# carry FILE: copies the file into the payload, by its absolute path.
carry() { mkdir -p "$stage/root${1%/*}" && cp "$1" "$stage/root$1"; }

# Tests read files of the workspace, so all files that are not ignored by git are part of the payload.
carry_workspace() {
    mkdir -p "$stage/root$workspace"
    if git -C "$workspace" rev-parse --git-dir >/dev/null 2>&1; then
        (cd "$workspace" && git ls-files --cached --others --exclude-standard | while IFS= read -r _file; do
            [ ! -e "$_file" ] || printf '%s\n' "$_file"
        done | tar -cf - -T -)
    else
        (cd "$workspace" && tar -cf - --exclude ./target --exclude ./.git .)
    fi | tar -xf - -C "$stage/root$workspace"
}

# build_suite test|bench ARGUMENT...: a payload in $stage that runs all binaries, each with the arguments.
# Benchmarks are the targets of that kind; tests are the rest.
build_suite() {
    stage=$work/stage
    suite=$1
    shift
    mkdir -p "$stage"
    # Debug information makes a payload several times as large. Functions keep their names without it.
    export CARGO_PROFILE_DEV_DEBUG="${CARGO_PROFILE_DEV_DEBUG:-0}" TARGET=x86_64-unknown-freebsd
    eval "\"\$vm_dir/cross\" \$suite --no-run --message-format=json-render-diagnostics $cargo_options" \
        >"$work/cargo.json" || exit $?
    carry_workspace
    cp "$vm_dir/lib/in-guest" "$stage/run.sh"
    executables <"$work/cargo.json" | while IFS='|' read -r _package _folder _kind _name _source _test _binary; do
        _title="unittests ${_source#"$_folder/"}"
        case $suite-$_kind-$_test in
            test-test-true | bench-bench-true) _title=${_source#"$_folder/"} _selector="--$_kind $_name" ;;
            test-bench-true | bench-*-true) continue ;;
            test-bin-true | test-example-true) _selector="--$_kind $_name" ;;
            test-*-true) _selector=--lib ;;
            # The executable is a program that tests run.
            *) _title= ;;
        esac
        carry "$_binary" || exit 1
        [ -z "$_title" ] || printf '%s\n' "$_title|$_package|$_selector|$_binary|$_folder"
    done >"$stage/suite.list"
    [ -s "$stage/suite.list" ] || die "cargo $suite builds nothing to run"
    suite_environment "$@" >"$stage/suite.env"
}

# The settings that the run.sh of a suite reads first.
suite_environment() {
    printf 'link %s\n' "$(quote "$workspace")"
    # The target folder may be outside the workspace.
    cut -d '|' -f 4 "$stage/suite.list" | while IFS= read -r _binary; do
        case $_binary in
            "$workspace"/*) ;;
            *) printf 'link %s\n' "$(quote "${_binary%/*}")" ;;
        esac
    done | sort -u
    # insta would ask cargo for the workspace. New snapshots are not accepted in a guest.
    printf 'export INSTA_WORKSPACE_ROOT=%s INSTA_UPDATE=no\n' "$(quote "$workspace")"
    for _name in RUST_BACKTRACE RUST_LOG PROPTEST_CASES JAILWIRE_SEED JAILWIRE_SEQUENCES \
        JAILWIRE_BENCH_PLAN JAILWIRE_KILLS JAILWIRE_SOAK JAILWIRE_SWAPS JAILWIRE_REMOVALS \
        JAILWIRE_CONNECTED JAILWIRE_ROUNDS JAILWIRE_FILTERS JAILWIRE_TEST_POOL \
        JAILWIRE_CALLS JAILWIRE_CONTAINERS JAILWIRE_BENCH_CONTAINERS JAILWIRE_BENCH_ROUNDS; do
        eval "_value=\${$_name:-}"
        [ -z "$_value" ] || printf 'export %s=%s\n' "$_name" "$(quote "$_value")"
    done
    # shellcheck disable=SC2016
    printf 'run_binary() { "$1"'
    for _word; do
        printf ' %s' "$(quote "$_word")"
    done
    printf '; }\n'
}

# in_guests OPTION...: calls vm/run for every guest, also after one has failed. $failed names the guests that failed.
# Each kernel may have a root of its own, listed in the same order. The last root serves the remaining kernels.
in_guests() {
    failed=
    _roots=${JAILWIRE_VM_ROOT:-}
    while read -r _option _guest <&4; do
        _status=0
        [ "$1" = --check ] || note "starting a guest of ${_guest##*/}"
        # vm/run is in the background, so that this script can handle a signal before vm/run has ended.
        JAILWIRE_VM_ROOT=${_roots%%:*} "$vm_dir/run" "$_option" "$_guest" "$@" 4<&- &
        runner=$!
        wait "$runner" || _status=$?
        runner=
        [ "$_status" -eq 0 ] || failed="$failed ${_guest##*/} ($_status)"
        _roots=${_roots#*:}
    done 4<"$work/guests"
}

run_suite() {
    eval "in_guests -d \"\$stage\" $run_options"
    [ -z "$failed" ] || die "failed:$failed"
}

runner=
finish() {
    if [ -n "$runner" ]; then
        kill -TERM "$runner" 2>/dev/null || :
        wait "$runner" || :
    fi
    rm -rf "$work"
}
