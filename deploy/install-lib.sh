# shellcheck shell=bash
# What deploy/run and tests/run share: Debian packages, a Python, the environment .venv at the locked versions.
# Sourced. Everything it says goes to standard error: standard output belongs to the program that follows.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
venv=$root/.venv
unfinished=$venv/.install-unfinished
install_log=$venv/install.log
also=()

# pip reads the machine's own settings (mirror, proxy, certificates); these few would break an environment of our own.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0
unset PYTHONHOME PIP_TARGET PIP_PREFIX

say() { printf '%s\n' "$*" >&2; }
die() {
    say "${0##*/}: $*"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; } # Debian keeps daemons off a user's PATH

step() { # text: names a step and starts its clock
    step_started=$SECONDS
    say "==> $*"
}
finished() { say "    done in $((SECONDS - step_started)) s"; }

ask() { # question: true on yes; false where nobody can answer
    local answer=''
    [ -t 0 ] && [ -t 2 ] && [ "${CI:-}" != true ] || return 1
    read -r -p "$1 [y/N] " answer || true
    [[ $answer =~ ^[Yy] ]]
}

# --- Debian packages ---------------------------------------------------------------------------------------------

can_become_root() { # without asking for a password
    [ "$(id -u)" = 0 ] || { has sudo && sudo -n true 2>/dev/null; }
}

become_root() { # why, what an administrator would run: asks for the password once, or ends with that sentence
    [ "$(id -u)" != 0 ] || return 0
    has sudo || die "$1 and there is no sudo here. Let an administrator run: $2"
    if can_become_root; then return; fi
    say "    sudo asks for your password, once:"
    sudo -v || die "$1 and you cannot use sudo here (its words are above). Let an administrator run: $2"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() { # packages...: prints those that are not installed
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
}

apt_was_interrupted() { # whether packages lie there that are unpacked and not set up
    has dpkg-query && dpkg-query -W -f='${db:Status-Status}\n' 2>/dev/null | grep -qE '^(unpacked|half-configured|half-installed)$'
}

apt_options=(-y -q -o Dpkg::Use-Pty=0 --no-install-recommends --no-remove)
# --no-remove: on a desktop, pulseaudio would push out PipeWire's ALSA part. Nothing of the family's is removed.

install_packages() { # packages... (none: only what was interrupted): returns 1 where apt could not, $apt_words say why
    has apt-get || die "needs these Debian packages, or what your system calls them: $*"
    local administrator="apt-get install $*"
    [ $# -gt 0 ] || administrator="dpkg --configure -a"
    become_root "Debian packages are missing" "$administrator"
    step "Debian packages: ${*:-those of an interrupted installation}"
    apt_log=$(mktemp) apt_words="apt-get could not install $* (its words are above)"
    local status=0
    if apt_was_interrupted; then
        say "    an earlier installation of packages was interrupted; it goes on"
        patiently dpkg --configure -a || status=1
    fi
    if [ $status = 0 ] && [ $# -gt 0 ]; then
        patiently apt-get update -q || say "    apt-get update failed; trying with the package lists at hand"
        case " $* " in *" mosquitto "*) keep_broker_private ;; esac
        apt_plan "$@"
        patiently apt-get install "${apt_options[@]}" "$@" || status=1
    fi
    [ $status = 0 ] || explain_apt
    rm -f "$apt_log"
    [ $status != 0 ] || finished
    return $status
}

apt_wait_s=${MONITORD_APT_WAIT_S:-300} # seconds; the first upgrade of a new machine by itself takes minutes

patiently() { # command...: as root; while another program holds apt's lock it is tried again, $apt_wait_s at most
    local end=$((SECONDS + apt_wait_s)) said='' status now
    now=$(mktemp)
    while :; do
        status=0
        as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" </dev/null 2>&1 | tee "$now" | show_apt || status=$?
        if [ $status = 0 ] || ! is_lock_held "$now" || [ $SECONDS -ge $end ]; then break; fi
        [ -n "$said" ] || said=$(sed -nE 's/.*(held by process|with pid) ([0-9]+( \([^)]*\))?).*/process \2/p' "$now" | head -n 1)
        [ -n "$said" ] || said="another program"
        if [ "$said" != told ]; then say "    $said installs packages just now; waiting for it, $apt_wait_s s at most"; fi
        said=told
        sleep 2
    done
    cat "$now" >>"$apt_log"
    rm -f "$now"
    return $status
}

is_lock_held() { # file with apt's words
    grep -qE 'Could not get lock|Unable to lock|Unable to acquire the dpkg frontend lock|locked by another process' "$1"
}

apt_plan() { # packages...: says how many, how large, in apt's own words (2.x, 3.x)
    as_root env LC_ALL=C apt-get install --assume-no "${apt_options[@]:1}" "$@" </dev/null 2>/dev/null | sed -nE \
        's/^([0-9]+ upgraded, [0-9]+ newly installed).*/    \1/p; s/^(Need to get .*|After this operation, .*)$/    \1/p
         s/^ *(Installing: [0-9]+|Upgrading: .*Installing: [0-9]+|Download size: .*|Space needed: .*)$/    \1/p' >&2 || true
}

explain_apt() { # shows apt's last words, and puts what they mean into $apt_words
    tail -n 15 "$apt_log" >&2
    if tail -n 5 "$apt_log" >"$apt_log.end" && is_lock_held "$apt_log.end"; then
        apt_words="another program has installed packages for more than $apt_wait_s s (above). Run it again when that is done."
    elif grep -qE 'enough free space|No space left' "$apt_log"; then
        apt_words="the disk is too full for the Debian packages (above)"
    elif grep -qE 'Temporary failure resolving|Could not resolve|[Cc]ould not connect|Unable to connect|Network is unreachable|Failed to fetch' "$apt_log"; then
        apt_words="could not download the Debian packages. Is this machine online? Run it again then: what was fetched is kept."
    fi
    rm -f "$apt_log.end"
}

show_apt() { # one line that is redrawn on a terminal; elsewhere nothing
    local line
    while IFS= read -r line; do
        case $line in
        "Get:"* | "Unpacking "* | "Setting up "*) redraw "$line" ;;
        esac
    done
    redraw ''
}

redraw() { # text: replaces the last such line; empty takes it away
    if [ -t 2 ]; then printf '\r\033[K%.75s' "${1:+    $1}" >&2; fi
}

keep_broker_private() {
    # Debian starts a broker of its own with the package, on 1883. Only the program is wanted here; the daemon runs it
    # as its child. A mask set before the first installation keeps the service from being enabled and started.
    local unit=/etc/systemd/system/mosquitto.service
    if [ -z "$(missing_packages mosquitto)" ] || [ -e "$unit" ] || [ -L "$unit" ]; then return; fi
    if ! { as_root mkdir -p "${unit%/*}" && as_root ln -s /dev/null "$unit"; }; then
        die "cannot switch Debian's service mosquitto off in $unit (above)"
    fi
    say "    mosquitto: Debian's service of that name stays off (masked), monitord starts a private broker itself."
    say "    If you want Debian's service: sudo systemctl unmask mosquitto && sudo systemctl enable --now mosquitto"
}

# --- Python ------------------------------------------------------------------------------------------------------

is_suitable() { # python: 3.11 to 3.13
    has "$1" && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

is_complete() { # python: makes environments and has its C headers
    "$1" -c 'import ensurepip, os, sys, sysconfig, venv
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' >/dev/null 2>&1
}

find_python() { # prints $MONITORD_PYTHON, else the newest complete one, else the newest; nothing where there is none
    local candidate first=''
    for candidate in ${MONITORD_PYTHON:-python3.13 python3.12 python3.11 python3}; do
        is_suitable "$candidate" || continue
        if is_complete "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
        first=${first:-$candidate}
    done
    printf '%s\n' "$first"
}

lacking_packages() { # prints what apt must get: for Python, a compiler, PortAudio's headers, and the packages in $also
    local python version
    [ ${#also[@]} = 0 ] || printf '%s\n' "${also[@]}"
    python=$(find_python)
    if [ -z "$python" ]; then
        printf '%s\n' python3 python3-venv python3-dev
    elif ! is_complete "$python"; then
        version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        printf '%s\n' "$version-venv" "$version-dev"
    fi
    has gcc || printf '%s\n' gcc libc6-dev
    has pkg-config || printf '%s\n' pkg-config
    [ -e /usr/include/portaudio.h ] || printf '%s\n' portaudio19-dev
}

may_install() { true; } # packages...: tests/run asks first

choose_python() { # sets $python; apt gets what is lacking, and goes on where it was interrupted
    local wanted
    mapfile -t wanted < <(lacking_packages)
    if [ ${#wanted[@]} -gt 0 ] || apt_was_interrupted; then
        may_install "${wanted[@]}" || die "cannot go on without these Debian packages: ${wanted[*]}"
        install_packages "${wanted[@]}" || die "$apt_words"
    fi
    python=$(find_python)
    [ -n "$python" ] || die "needs Python 3.11, 3.12 or 3.13; found $(python3 --version 2>&1 || true). Debian 12, Debian 13 and Ubuntu 24.04 have one"
}

# --- the environment ---------------------------------------------------------------------------------------------

fingerprint() { # lock file: changes when what is installed must change
    cat "$root/pyproject.toml" "$1" | sha256sum | cut -c1-16
}

is_installed() { # name, lock file, ...: whether one of these is in place; quick, for it runs before every start
    while [ $# -gt 0 ]; do
        if has_stamp "$1" "$2"; then return 0; fi
        shift 2
    done
    return 1
}
has_stamp() { # name, lock file
    [ ! -e "$unfinished" ] && [ -x "$venv/bin/python" ] && [ -e "$venv/.installed-$1" ] &&
        [ "$(cat "$venv/.installed-$1")" = "$(fingerprint "$2") $root" ]
}

mark_installed() { printf '%s %s\n' "$(fingerprint "$2")" "$root" >"$venv/.installed-$1"; }

hold_install_lock() { # two starts at once: the second waits and then finds everything done
    exec 9<"$root/pyproject.toml"
    flock -n 9 || { say "another installation into $venv is at work; waiting for it" && flock 9; }
}
release_install_lock() { exec 9<&-; }

make_environment() { # keeps a sound one; an interrupted or moved one, or one whose Python is gone, is made anew
    if [ -e "$unfinished" ]; then
        say "    an earlier installation was interrupted; starting over"
        rm -rf "$venv"
    elif [ -e "$venv" ] && ! is_sound_environment; then
        say "    the environment in $venv does not work here (moved, or its Python is gone); starting over"
        rm -rf "$venv"
    fi
    if [ ! -e "$venv" ]; then
        mkdir "$venv" 2>/dev/null || die "cannot write in $root; run it as the owner of this checkout"
        touch "$unfinished"
        "$python" -m venv "$venv" >"$install_log" 2>&1 || {
            tail -n 5 "$install_log" >&2
            die "$python cannot make an environment in $venv"
        }
    fi
    [ -w "$venv" ] || die "cannot write in $venv; run it as its owner"
    touch "$unfinished"
}

is_sound_environment() {
    is_suitable "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 &&
        grep -qF "$venv" "$venv/bin/activate"
}

install_project() { # name, lock file: the locked versions, each file checked against its hash, then this checkout
    local name=$1 lock=$2
    step "Python packages ($("$python" --version), $(grep -c '==' "$lock") locked) into ${venv/#$HOME\//\~/}"
    make_environment
    : >"$install_log"
    # Environments are filled file by file, so only a finished one loses the mark.
    pip_install --require-hashes --no-deps --requirement "$lock"
    pip_install --no-deps --editable "$root"
    mark_installed "$name" "$lock"
    rm -f "$unfinished"
    finished
}

pip_install() {
    local status=0
    "$venv/bin/python" -m pip install --retries 2 --timeout 20 --progress-bar off "$@" </dev/null 2>&1 |
        tee -a "$install_log" | show_pip || status=$?
    [ $status = 0 ] || explain_pip
}

show_pip() { # one line that is redrawn on a terminal; elsewhere downloads and builds, a line each
    local line count=0
    while IFS= read -r line; do
        case $line in
        Collecting*)
            count=$((count + 1))
            redraw "$count ${line#Collecting }"
            continue
            ;;
        *Downloading*) line="downloading ${line##*Downloading }" ;;
        *"Building wheel"*started*) line="building ${line#*for }" && line=${line%% (*} ;;
        Installing\ collected*) line=installing ;;
        *) continue ;;
        esac
        if [ -t 2 ]; then redraw "$line"; else say "    $line"; fi
    done
    redraw ''
}

explain_pip() {
    say ""
    grep -E '^ *(ERROR|error)|WARNING: Retrying' "$install_log" | tail -n 6 >&2 || true
    if grep -q CERTIFICATE_VERIFY_FAILED "$install_log"; then
        die "could not download the Python packages: a certificate is not trusted. Is this machine's clock right ($(date))? Behind a proxy, give pip its certificate: PIP_CERT."
    fi
    if grep -qE 'Retrying|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|from versions: none' "$install_log"; then
        die "could not download the Python packages. Is this machine online? Run it again then: what was fetched is kept."
    fi
    if grep -qi 'No space left' "$install_log"; then die "the disk is full"; fi
    die "could not install the Python packages; the whole story is in $install_log"
}
