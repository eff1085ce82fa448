#!/bin/sh
act() {
    case "$1" in
        stop|halt) systemctl stop app ;;
        start*) systemctl start app ;;
        *) systemctl kill app ;;
    esac
}
act stop
act start-slowly
