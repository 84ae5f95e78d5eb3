# Finds, downloads, checks and unpacks FreeBSD's official disk images. Read with `.`.
# shellcheck shell=sh

mirror=${JAILWIRE_VM_MIRROR:-https://download.freebsd.org/releases}

# download URL FILE: downloads all of the file or nothing. On a terminal, it shows a progress bar.
download() {
    _bar=
    if have fetch; then
        [ -t 2 ] || _bar=-q
        # shellcheck disable=SC2086
        fetch $_bar -o "$2.part" "$1" >&2
    elif have curl; then
        if [ -t 2 ]; then _bar=--progress-bar; else _bar='-sS'; fi
        curl -fL --retry 5 $_bar -o "$2.part" "$1"
    elif have wget; then
        [ -t 2 ] && _bar='-q --show-progress' || _bar=-nv
        # shellcheck disable=SC2086
        wget $_bar -O "$2.part" "$1"
    else
        die "install curl: an image has to be downloaded"
    fi || {
        rm -f "$2.part"
        return 1
    }
    mv "$2.part" "$2"
}

sha512_of() {
    if have sha512sum; then
        sha512sum <"$1" | cut -d ' ' -f 1
    elif have sha512; then
        sha512 -q "$1"
    else
        shasum -a 512 <"$1" | cut -d ' ' -f 1
    fi
}

# format_of FILE: the format, by the file's first bytes. 'QFI\373' is qcow2, '\375' '7zXZ' xz.
format_of() {
    case $(od -A n -t x1 -N 6 "$1" | tr -d ' \n') in
        514649fb*) echo qcow2 ;;
        fd377a585a00) echo xz ;;
        *) echo raw ;;
    esac
}

# release_image RELEASE: downloads the image of a release such as 15.1 unless it is at hand; sets $image.
release_image() {
    case $1 in
        *-*) _release=$1 ;;
        *) _release=$1-RELEASE ;;
    esac
    _images=$(cache_dir)/images/$_release
    _from=$mirror/VM-IMAGES/$_release/amd64/Latest
    mkdir -p "$_images" || die "cannot write to $_images (set JAILWIRE_CACHE)"
    if [ ! -e "$_images/CHECKSUM.SHA512" ]; then
        download "$_from/CHECKSUM.SHA512" "$_images/CHECKSUM.SHA512" ||
            die "cannot download $_from/CHECKSUM.SHA512 (JAILWIRE_VM_MIRROR names another place)"
    fi
    # Names of 14.1 and older have a dot before the file system. The qcow2 image is smaller, but only QEMU reads it.
    for _format in qcow2 raw; do
        [ "$hypervisor-$_format" != bhyve-qcow2 ] || continue
        _line=$(grep "BASIC-CLOUDINIT[-.]ufs\\.$_format\\.xz)" "$_images/CHECKSUM.SHA512" | head -n 1)
        [ -z "$_line" ] || break
    done
    [ -n "$_line" ] || die "FreeBSD $_release has no BASIC-CLOUDINIT image for ufs in $_from"
    _name=$(printf '%s\n' "$_line" | sed 's/.*(\(.*\)).*/\1/')
    image=$_images/${_name%.xz}
    [ ! -e "$image" ] || return 0

    note "downloading $_name"
    download "$_from/$_name" "$_images/$_name" || die "cannot download $_from/$_name"
    if [ "$(sha512_of "$_images/$_name")" != "${_line##* }" ]; then
        rm -f "$_images/$_name" "$_images/CHECKSUM.SHA512"
        die "$_name is not what its CHECKSUM.SHA512 says: deleted"
    fi
    unpack "$_images/$_name" "$image"
    rm -f "$_images/$_name"
}

# unpack XZ FILE: unpacks all of the file or nothing.
unpack() {
    have xz || die "install xz-utils: the image $1 is packed"
    note "unpacking ${1##*/}"
    if ! xz -dc "$1" >"$2.part" || ! mv "$2.part" "$2"; then
        rm -f "$2.part"
        die "cannot unpack $1"
    fi
}

# use_image FILE: sets $disk and $disk_format. A packed image is unpacked into the cache, once.
use_image() {
    [ -r "$1" ] || die "cannot read the image $1"
    disk=$1
    disk_format=$(format_of "$disk")
    [ "$disk_format" = xz ] || return 0
    # The name in the cache has the size and a checksum, to tell files of the same name apart.
    disk=$(cache_dir)/images/unpacked/$(cksum <"$1" | tr ' ' -)-$(basename "$1" .xz)
    mkdir -p "${disk%/*}" || die "cannot write to ${disk%/*} (set JAILWIRE_CACHE)"
    [ -e "$disk" ] || unpack "$1" "$disk"
    disk_format=$(format_of "$disk")
}
