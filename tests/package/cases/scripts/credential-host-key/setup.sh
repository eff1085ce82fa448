#!/bin/sh
make_key() {
    [ -f "$1" ] || ssh-keygen -q -f "$1" -N '' -t "$2"
}
make_key /etc/ssh/ssh_host_ed25519_key ed25519
make_key /etc/relayd/id_ed25519 ed25519
