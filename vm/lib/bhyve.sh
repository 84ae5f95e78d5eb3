# A guest under bhyve. Read with `.`.
# shellcheck shell=sh

# The name has this script's process id, so two runs do not collide.
vm_name=jailwire-$$

destroy_guest() { bhyvectl --vm="$vm_name" --destroy >/dev/null 2>&1 || :; }

check_bhyve() {
    have bhyve || die "bhyve is missing: FreeBSD for amd64 has it in its base system"
    [ "$(id -u)" -eq 0 ] || die "bhyve needs root"
    # The module vmm loads everywhere. Only an attempt shows whether it can make a machine.
    if ! kldload -n vmm 2>/dev/null || ! bhyvectl --vm="$vm_name" --create 2>/dev/null; then
        die "bhyve finds no virtualization on this machine (try JAILWIRE_VM_HYPERVISOR=qemu)"
    fi
    destroy_guest
    # The kernel refuses a machine with more (vm_set_topology).
    _most=$(sysctl -n hw.vmm.maxcpu 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)
    if [ "$cpus" -gt "$_most" ]; then
        note "bhyve gives a guest $_most of the $cpus CPUs that were asked for: this host allows no more"
        cpus=$_most
    fi
}

# The folder that bhyveload boots a bare kernel from: the kernel, and a loader script that starts it.
# The environment has the settings that the guest's own loader would read from its disk.
stage_kernel() {
    mkdir -p "$work/stage/boot/lua" "$work/stage/boot/kernel"
    ln "$kernel" "$work/stage/boot/kernel/kernel" 2>/dev/null || cp "$kernel" "$work/stage/boot/kernel/kernel"
    # If the loader cannot load or start the kernel, it ends instead of waiting at its prompt.
    cat >"$work/stage/boot/lua/loader.lua" <<'END'
if loader.perform("load /boot/kernel/kernel") == 0 then
    loader.perform("boot")
end
print("the loader cannot start this kernel")
loader.perform("quit")
END
}

# bhyveload puts the kernel into a machine, bhyve runs it. Both get names relative to $work: bhyve ends a file's name
# at a comma, and has no way to write one.
bhyve_guest() {
    cd "$work" || return 1
    set -- -c stdio -m "$memory"
    if [ -n "$kernel" ]; then
        set -- "$@" -h stage
    else
        set -- "$@" -d disk
    fi
    for _setting in $kernel_environment; do
        set -- "$@" -e "$_setting"
    done
    launch bhyveload "$@" "$vm_name" || return 1

    # -u: the guest's clock runs in UTC, as FreeBSD expects, and not in the host's local time.
    set -- -A -H -P -u -c "$cpus" -m "$memory" -s 0,hostbridge -s 1,lpc -l com1,stdio -s 2,virtio-rnd \
        -s 3,virtio-blk,disk -s 4,"virtio-blk,${payload_disk##*/},ro"
    [ -n "$kernel" ] || set -- "$@" -s 5,"ahci-cd,${seed##*/}"
    launch bhyve "$@" "$vm_name"
}

# Whether a file lies on ZFS, where cp(1) clones blocks instead of copying them.
on_zfs() { [ "$(df -T "$1" 2>/dev/null | awk 'NR == 2 { print $2 }')" = zfs ]; }

# bhyve has no snapshots, so the guest gets a copy of its disk, as $work/disk. On ZFS the copy lies beside the disk,
# and takes space only for the blocks that the guest writes.
copy_disk() {
    _size=$(($(wc -c <"$disk") / 1048576))
    if on_zfs "$disk" && [ -w "$(dirname "$disk")" ]; then
        beside=$(cd "$(dirname "$disk")" && pwd)/.jailwire-vm-disk-$$
    else
        _free=$(($(df -k "$work" | awk 'NR == 2 { print $4 }') / 1024))
        if [ "$_size" -ge "$_free" ]; then
            die "a copy of $disk takes $_size MiB, and $work has $_free MiB: set TMPDIR to a folder with more space"
        fi
        [ "$_size" -lt 256 ] || note "copying $disk into $work: $_size MiB"
    fi
    cp "$disk" "${beside:-$work/disk}" || die "cannot copy $disk to ${beside:-$work/disk}"
    [ -z "$beside" ] || ln -s "$beside" "$work/disk"
}

boot_bhyve() {
    [ "$disk_format" = raw ] || die "bhyve reads raw images only: convert $disk (qemu-img convert -O raw)"
    copy_disk
    [ -z "$kernel" ] || stage_kernel
    start_guest bhyve_guest
    await_boot "$boot_limit"
}
