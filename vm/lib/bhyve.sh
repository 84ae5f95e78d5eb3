# A guest under bhyve. Read with `.`.
# shellcheck shell=sh

# Named by our process: two runs do not meet.
vm_name=jailwire-$$

destroy_guest() { bhyvectl --vm="$vm_name" --destroy >/dev/null 2>&1 || :; }

check_bhyve() {
    have bhyve || die "bhyve is missing: FreeBSD for amd64 has it in its base system"
    [ "$(id -u)" -eq 0 ] || die "bhyve needs root"
    # vmm loads everywhere; whether it can make a machine, it has to be asked.
    if ! kldload -n vmm 2>/dev/null || ! bhyvectl --vm="$vm_name" --create 2>/dev/null; then
        die "bhyve finds no virtualization on this machine (try JAILWIRE_VM_HYPERVISOR=qemu)"
    fi
    destroy_guest
}

# The folder that bhyveload boots a bare kernel from: the kernel, and a loader script that starts it.
# What the guest's own loader would read from its disk comes through the environment.
stage_kernel() {
    mkdir -p "$work/stage/boot/lua" "$work/stage/boot/kernel"
    ln "$kernel" "$work/stage/boot/kernel/kernel" 2>/dev/null || cp "$kernel" "$work/stage/boot/kernel/kernel"
    printf 'loader.perform("load /boot/kernel/kernel")\nloader.perform("boot")\n' >"$work/stage/boot/lua/loader.lua"
}

# bhyveload puts the kernel into a machine, bhyve runs it.
bhyve_guest() {
    set -- -c stdio -m "$memory"
    if [ -n "$kernel" ]; then
        set -- "$@" -h "$work/stage"
    else
        set -- "$@" -d "$work/disk"
    fi
    for _setting in $kernel_environment; do
        set -- "$@" -e "$_setting"
    done
    launch bhyveload "$@" "$vm_name" || return 1

    set -- -A -H -P -c "$cpus" -m "$memory" -s 0,hostbridge -s 1,lpc -l com1,stdio -s 2,virtio-rnd \
        -s 3,"virtio-blk,$work/disk" -s 4,"virtio-blk,$payload_disk,ro"
    [ -n "$kernel" ] || set -- "$@" -s 5,"ahci-cd,$seed"
    launch bhyve "$@" "$vm_name"
}

boot_bhyve() {
    [ "$disk_format" = raw ] || die "bhyve reads raw images only: convert $disk (qemu-img convert -O raw)"
    # bhyve has no snapshots: the guest gets a copy of its disk.
    cp "$disk" "$work/disk" || die "cannot copy $disk into $work"
    [ -z "$kernel" ] || stage_kernel
    start_guest bhyve_guest
    await_boot "$boot_limit"
}
