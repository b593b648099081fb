# shellcheck shell=bash
# What deploy/install and deploy/uninstall share: where a service lies, and the way from one version to another.
# Sourced after install-lib.sh.

home=/opt/monitord # FHS 3.0, 3.13: add-on software that no package manager owns; /usr/lib is Debian's own
current=$home/current
previous=$home/previous # there only while a new version has not proven itself: where to go back to
nothing=$home/nothing   # what `previous` says where there was no version before
etc=/etc/monitord
config=$etc/monitord.yaml
unit=/etc/systemd/system/monitord.service
sysusers=/etc/sysusers.d/monitord.conf
command=/usr/local/bin/monitord

point() { # link, target: at once, or not at all
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

use_release() { # release: its program and its unit
    point "$current" "$1"
    install -m 0644 "$1/systemd/monitord.service" "$unit.new"
    mv -T "$unit.new" "$unit"
    systemctl daemon-reload
}

remove_unit() {
    systemctl disable --quiet --now monitord 2>/dev/null || true
    rm -f "$unit" "$unit.new"
    systemctl daemon-reload
    systemctl reset-failed monitord 2>/dev/null || true
}

remove_ward_units() { # shards and a nurse station, which a person put there by the words of docs/developers/ward.md
    systemctl stop 'monitord-shard@*' monitord-station 2>/dev/null || true
    local one
    for one in "${unit%/*}"/monitord-{shard@,station}.service; do
        if [ -e "$one" ]; then systemctl disable --quiet "${one##*/}" 2>/dev/null || true; fi
        rm -f "$one"
    done
    systemctl daemon-reload
    systemctl reset-failed 'monitord-shard@*' monitord-station 2>/dev/null || true
}

put_back() { # the version before the unproven one is made current and started; where there was none, nothing is left
    local old
    old=$(readlink "$previous")
    if [ "$old" = "$nothing" ]; then
        say "    taking it away again; configuration and state stay"
        remove_unit
        rm -f "$current"
    else
        say "    putting ${old##*/} back"
        use_release "$old"
        systemctl reset-failed monitord 2>/dev/null || true
        systemctl restart monitord || say "*** ${old##*/} does not start either: systemctl status monitord"
    fi
    rm -f "$previous"
}

repair() { # what an interrupted run has left
    rm -f "$current.new" "$previous.new" "$unit.new" "$config.new"
    if [ ! -L "$previous" ]; then return; fi
    say "==> an earlier installation was interrupted before its version was proven"
    put_back
}
