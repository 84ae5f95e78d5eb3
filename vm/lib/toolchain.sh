# A Rust toolchain that builds for $TARGET, and a linker for it. Read with `.` after common.sh.
# shellcheck shell=sh

zig_version=0.17.1
# The oldest supported release. A program that is linked against its stubs runs on every later release, too.
freebsd_version=14.0
debian_packages='rustc-web cargo-web rust-web-src rust-web-clippy'

# Three ways to a standard library for $TARGET, best first:
#   rustup    rustup's prebuilt one
#   rust-src  rustup's compiler, and the library built from rustup's source of it
#   debian    the same with Debian's packages, where rustup's server is out of reach
try_rustup() {
    have rustup || return 1
    rustup target list --installed 2>/dev/null | grep -qx "$TARGET" ||
        limited 300 rustup target add "$TARGET" >/dev/null 2>&1
}

try_rust_src() {
    have rustup || return 1
    rustup component list --installed 2>/dev/null | grep -qx rust-src ||
        limited 300 rustup component add rust-src >/dev/null 2>&1
}

try_debian() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/clippy-driver ] &&
        [ -d "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]
}

try_toolchain() { "try_$(printf %s "$toolchain" | tr - _)"; }

find_toolchain() {
    if [ -n "${JAILWIRE_TOOLCHAIN:-}" ]; then
        toolchain=$JAILWIRE_TOOLCHAIN
        case $toolchain in
            rustup | rust-src | debian) ;;
            *) die "JAILWIRE_TOOLCHAIN is $toolchain; rustup, rust-src and debian are known" ;;
        esac
        try_toolchain || die "no toolchain $toolchain for $TARGET"
        return
    fi
    # If the server cannot be reached, rustup takes long to fail, so it is asked once for each target directory.
    _remembered=$CARGO_TARGET_DIR/toolchain-$TARGET
    toolchain=$(cat "$_remembered" 2>/dev/null || :)
    if [ -n "$toolchain" ] && try_toolchain; then
        return
    fi
    for toolchain in rustup rust-src debian none; do
        [ "$toolchain" = none ] || ! try_toolchain || break
    done
    if [ "$toolchain" = none ]; then
        die "no standard library for $TARGET: rustup target add $TARGET fails; on Debian, vm/cross --setup installs $debian_packages"
    fi
    mkdir -p "$CARGO_TARGET_DIR"
    printf '%s\n' "$toolchain" >"$_remembered"
}

# Sets $cargo, and the environment that tells cargo about the toolchain.
use_toolchain() {
    cargo=cargo
    case $toolchain in
        rustup) ;;
        rust-src)
            export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std
            ;;
        debian)
            cargo=/usr/bin/cargo
            # cargo-clippy, too, must be Debian's.
            export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc PATH="/usr/bin:$PATH"
            export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std
            unset RUSTUP_TOOLCHAIN CARGO
            ;;
    esac
}

# zig_program VERSION: the path of the zig from PyPI, which is downloaded once into the cache.
zig_program() {
    _zig=$(cache_dir)/ziglang-$1
    if [ ! -e "$_zig/ready" ]; then
        have python3 || die "install python3 (its package index has zig, which links for FreeBSD), or set ZIG"
        note "fetching zig $1 into $_zig"
        # The folder is made beside its place, then moved, because several processes may do this at once, or be killed.
        _new=$_zig.$$
        mkdir -p "$_new"
        # A virtual environment has a pip of its own, and is writable on every system.
        if python3 -m venv "$_new/venv" >/dev/null 2>&1; then
            set -- "$1" "$_new/venv/bin/python"
        elif python3 -m pip --version >/dev/null 2>&1; then
            set -- "$1" python3
        else
            rm -rf "$_new"
            die "install python3-venv, or set ZIG to a zig $1"
        fi
        if ! "$2" -m pip install -q --retries 10 --target "$_new/lib" "ziglang==$1" >&2; then
            rm -rf "$_new"
            die "cannot fetch zig: pip install ziglang==$1 failed"
        fi
        rm -rf "$_new/venv"
        : >"$_new/ready"
        mv "$_new" "$_zig" 2>/dev/null || rm -rf "$_new"
    fi
    printf '%s\n' "$_zig/lib/ziglang/zig"
}

use_linker() {
    case $TARGET in
        x86_64-unknown-freebsd | aarch64-unknown-freebsd) ;;
        *) die "TARGET is $TARGET; x86_64-unknown-freebsd and aarch64-unknown-freebsd are known" ;;
    esac
    JAILWIRE_CROSS_ZIG=${ZIG:-$(zig_program $zig_version)} || exit
    export JAILWIRE_CROSS_ZIG
    export JAILWIRE_CROSS_TRIPLE="${TARGET%%-*}-freebsd.$freebsd_version-none"
    _name=$(printf %s "$TARGET" | tr a-z- A-Z_)
    export "CARGO_TARGET_${_name}_LINKER=$vm_dir/lib/cc"
    # The variables for the cc crate.
    export "CC_$(printf %s "$TARGET" | tr - _)=$vm_dir/lib/cc"
}
