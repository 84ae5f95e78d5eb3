# The options that say which guest and how. Read with `.`.
# shellcheck shell=sh

kernel=
root=${JAILWIRE_VM_ROOT:-}
image=
release=
tunables=
memory=${JAILWIRE_VM_MEMORY:-1G}
cpus=${JAILWIRE_VM_CPUS:-2}
payload_limit=${JAILWIRE_VM_TIMEOUT:-600}
boot_limit=${JAILWIRE_VM_BOOT_TIMEOUT:-900}
# The seconds in which FreeBSD's first line has to appear under KVM, before emulation is tried.
banner_limit=${JAILWIRE_VM_KVM_TIMEOUT:-20}

# guest_option OPTION VALUE: handles an option, or fails for an unknown one.
guest_option() {
    case $1 in
        -k | --kernel) kernel=$2 ;;
        -r | --root) root=$2 ;;
        -i | --image) image=$2 ;;
        -R) release=$2 ;;
        -m | --memory) memory=$2 ;;
        -c | --cpus) cpus=$2 ;;
        -t | --tunable)
            case $2 in
                # A setting cannot contain the separators of a kernel's command line.
                *[!A-Za-z0-9_.:/%+=-]*) die "$1 $2: letters, digits and _.:/%+=- only" ;;
                ?*=?*) tunables="$tunables${tunables:+ }$2" ;;
                *) die "$1 $2: a tunable is NAME=VALUE, as in kern.hz=1000" ;;
            esac
            ;;
        -T | --timeout) payload_limit=$2 ;;
        -B | --boot-timeout) boot_limit=$2 ;;
        *) return 1 ;;
    esac
}

# Takes settings without an option from the environment, and checks that they are enough to start a guest.
# Sets $hypervisor, and $kernel with $root, or $image, or $release.
choose_guest() {
    if [ -z "$kernel$image$release" ]; then
        kernel=${JAILWIRE_VM_KERNEL:-}
        [ -n "$kernel" ] || image=${JAILWIRE_VM_IMAGE:-}
        [ -n "$kernel$image" ] || release=${JAILWIRE_VM_RELEASE:-}
    fi
    if [ -n "${JAILWIRE_VM_HYPERVISOR:-}" ]; then
        hypervisor=$JAILWIRE_VM_HYPERVISOR
    elif on_freebsd; then
        hypervisor=bhyve
    else
        hypervisor=qemu
    fi
    case $hypervisor in
        bhyve | qemu) "check_$hypervisor" ;;
        *) die "JAILWIRE_VM_HYPERVISOR is $hypervisor; bhyve and qemu are known" ;;
    esac
    if [ -n "$kernel" ]; then
        [ -r "$kernel" ] || die "cannot read the kernel $kernel"
        [ -n "$root" ] || die "a kernel needs a root file system: -r FILE or JAILWIRE_VM_ROOT"
        [ -r "$root" ] || die "cannot read the root file system $root"
    elif [ -z "$image$release" ]; then
        die "no guest: set JAILWIRE_VM_RELEASE (15.1: downloads FreeBSD's image), JAILWIRE_VM_IMAGE, or JAILWIRE_VM_KERNEL and JAILWIRE_VM_ROOT"
    fi
}
