# The archive that a guest unpacks, and the disk that makes an official image unpack it. Read with `.`.
# shellcheck shell=sh

# make_payload FOLDER: makes $payload_disk from the folder.
# The guest reads the archive as a disk. tar stops at the end of the archive, and a disk needs whole sectors.
make_payload() {
    payload_disk=$work/payload.tar
    tar -cf "$payload_disk" -C "$1" . || die "cannot pack the payload"
}

# write_run COMMAND...: prints the run.sh of a payload.
# The kernel's own messages stay off the console while the command runs: one comes with every interface
# that goes up or down, in the middle of its output. A panic switches the console on again.
write_run() {
    echo '#!/bin/sh'
    echo 'conscontrol mute on >/dev/null 2>&1'
    for _word; do
        quote "$_word"
        printf ' '
    done
    # shellcheck disable=SC2016
    printf '%s\n' '' 'rc=$?' 'conscontrol mute off >/dev/null 2>&1' 'exit $rc'
}

# The user data of an official image. nuageinit runs a script at once before 14.3, and last of all since.
# shellcheck disable=SC2016
user_data() {
    echo '#!/bin/sh'
    echo 'exec </dev/null >/dev/console 2>&1'
    if [ -n "$tunables" ] && [ "$hypervisor" = qemu ]; then
        # The loader has already read its settings, so the guest starts again, and rc.local calls this script.
        # bhyveload sets tunables itself.
        echo 'if [ ! -e /etc/rc.local ]; then'
        for _setting in $tunables; do
            printf '    echo %s >>/boot/loader.conf\n' "$(quote "${_setting%%=*}=\"${_setting#*=}\"")"
        done
        printf '    %s\n' 'cp "$0" /etc/rc.local' 'reboot -q' 'fi'
    fi
    printf '%s\n' 'mkdir -p /var/tmp/payload && cd /var/tmp/payload && tar -xof /dev/vtbd1' \
        "echo '$payload_begin'" './run.sh' "echo \"$payload_end\$?\"" 'sleep 1' 'halt -lpq'
}

# The folder that makes the seed disk is labelled `cidata`: where NoCloud data is looked for.
make_seed() {
    mkdir "$work/seed"
    user_data >"$work/seed/user-data"
    chmod 755 "$work/seed/user-data"
    printf 'instance-id: jailwire\nlocal-hostname: jailwire\n' >"$work/seed/meta-data"
    seed=$work/seed.iso
    # libarchive's tar is FreeBSD's own.
    if have bsdtar; then
        bsdtar -cf "$seed" --format=iso9660 --options 'volume-id=cidata' -C "$work/seed" user-data meta-data
    elif have makefs; then
        makefs -t cd9660 -o rockridge,label=cidata "$seed" "$work/seed"
    elif have xorriso; then
        xorriso -as mkisofs -quiet -r -V cidata -o "$seed" "$work/seed"
    elif have genisoimage; then
        genisoimage -quiet -r -V cidata -o "$seed" "$work/seed"
    else
        die "install xorriso (or bsdtar, or genisoimage): an official image is told what to run by an ISO file"
    fi >"$work/seed.log" 2>&1 || die "cannot make the seed disk: $(cat "$work/seed.log")"
}
