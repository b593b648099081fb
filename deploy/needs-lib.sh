# shellcheck shell=bash
# What monitord needs of a machine, said and checked before anything on it is changed. Sourced after install-lib.sh.

# On a bare Debian 13, x86-64, from nothing: packages and environment on disk (tests/run --install looks), memory of pip.
apt_mb=300 environment_mb=490 install_mb=170

require_architecture() { # ends in a sentence where the network's runtime does not exist
    local machine packages
    machine=$(uname -m)
    packages=$(dpkg --print-architecture 2>/dev/null) || packages=''
    # A 64-bit kernel may carry a 32-bit system, so Debian's word for its packages counts before the kernel's.
    case ${packages:-$machine} in
    amd64 | x86_64 | arm64 | aarch64) ;;
    armhf | armel | armv*) die "needs a 64-bit system, and this one is 32-bit ARM (${packages:-$machine}); a Raspberry Pi 3, 4, 5 or Zero 2 W takes Raspberry Pi OS (64-bit)" ;;
    *) die "runs on x86-64 and 64-bit ARM alone (amd64, arm64), and this system is ${packages:-$machine}" ;;
    esac
}

announce() { # environment, lock file (none: what is in it was said already): what follows and what it takes
    local lacking free_mb place=$1
    mapfile -t lacking < <(lacking_packages)
    say "This is installed first, once:"
    [ ${#lacking[@]} = 0 ] || say "    Debian packages, with sudo: ${lacking[*]}, and what they need (on a bare Debian some 90 packages, $apt_mb MB)"
    case " ${lacking[*]} " in *" mosquitto "*)
        say "    of mosquitto only the program is used: Debian's service of that name is switched off (masked)" ;;
    esac
    [ $# = 2 ] || return 0
    say "    $(grep -c '==' "$2") Python packages into ${place/#$HOME\//\~/}: $environment_mb MB of disk; nothing outside of it"
    say "It takes $install_mb MB of memory, and 150 MB at most when it runs."
    while [ ! -e "$place" ]; do place=$(dirname "$place"); done
    free_mb=$(df -Pm "$place" | awk 'NR == 2 {print $4}')
    [ "${free_mb:-$environment_mb}" -ge $environment_mb ] || die "only $free_mb MB of disk are free in $place"
}
