# A guest under QEMU. Read with `.`.
# shellcheck shell=sh

qemu='qemu-system-x86_64'

check_qemu() {
    have "$qemu" || die "install QEMU ($qemu; Debian: apt install qemu-system-x86, FreeBSD: pkg install qemu)"
}

destroy_guest() { :; }

# For QEMU, a single comma ends a file name, so commas are doubled.
qemu_file() { printf '%s' "$1" | sed 's/,/,,/g'; }

# The accelerators to try, in order. /dev/kvm does not show whether KVM can run FreeBSD here: on some machines a
# guest starts and never gets anywhere. So KVM is tried, and the answer is kept. JAILWIRE_VM_KVM is for tests.
qemu_accelerators() {
    _known=$(cat "$accel_cache" 2>/dev/null || :)
    if [ -n "${JAILWIRE_VM_ACCEL:-$_known}" ]; then
        echo "${JAILWIRE_VM_ACCEL:-$_known}"
    elif [ -w "${JAILWIRE_VM_KVM:-/dev/kvm}" ]; then
        echo kvm tcg
    else
        echo tcg
    fi
}

qemu_guest() {
    set -- -nodefaults -no-user-config -display none -vga std -m "$memory" -smp "$cpus" \
        -chardev stdio,id=console,signal=off -serial chardev:console -device virtio-rng-pci
    case $accel in
        # Emulating five-level paging would only cost time.
        tcg) set -- -machine pc -accel tcg,thread=multi -cpu max,-la57 "$@" ;;
        # The guest's clock counts instructions, one a nanosecond, so waiting takes no real time.
        icount) set -- -machine pc -accel tcg,thread=single -icount shift=0,sleep=off -cpu max,-la57,-x2apic "$@" ;;
        *) set -- -machine pc -accel "$accel" -cpu host "$@" ;;
    esac
    # QEMU writes the guest's changes to a temporary file, and not to the disk.
    set -- "$@" -drive "file=$(qemu_file "$disk"),format=$disk_format,if=virtio,snapshot=on" \
        -drive "file=$(qemu_file "$payload_disk"),format=raw,if=virtio,readonly=on"
    if [ -n "$kernel" ]; then
        _append="$kernel_environment"
        # The calibration takes long, and has no clock to compare with.
        case $accel in tcg | icount) _append="$_append machdep.disable_tsc_calibration=1" ;; esac
        set -- "$@" -kernel "$kernel" -append "$_append"
    else
        set -- "$@" -drive "file=$(qemu_file "$seed"),format=raw,if=ide,media=cdrom,readonly=on"
    fi
    # For vm/sample.
    if [ -n "${JAILWIRE_VM_MONITOR:-}" ]; then
        set -- "$@" -monitor "unix:$(qemu_file "$JAILWIRE_VM_MONITOR"),server=on,wait=off"
    fi
    # A reboot shows that the guest has panicked. An image with tunables reboots once, to apply them.
    if [ -n "$kernel" ] || [ -z "$tunables" ]; then
        set -- "$@" -no-reboot
    fi
    launch "$qemu" "$@"
}

# Boots the guest with the first accelerator that works. Sets $why if none works.
boot_qemu() {
    accel_cache=$(cache_dir)/accelerator-$(uname -n)-$(uname -r)
    # shellcheck disable=SC2046
    set -- $(qemu_accelerators)
    _several=$#
    for accel; do
        shift
        start_guest qemu_guest
        # The limit for the banner applies only if there is another accelerator to try.
        if await_boot "$boot_limit" ${1:+"$banner_limit"}; then
            [ "$_several" -eq 1 ] || { mkdir -p "$(cache_dir)" && echo "$accel" >"$accel_cache"; } || :
            return 0
        fi
        if [ $# -eq 0 ] || booting; then
            return 1
        fi
        note "no FreeBSD under $accel here ($why): trying $1"
        stop_guest
    done
}
