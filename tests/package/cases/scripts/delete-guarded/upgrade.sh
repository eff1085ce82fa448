#!/bin/sh
if [ -n "$DIR" ]; then rm -rf "$DIR"/; fi
[ -z "$B" ] && exit 1
rm -rf "$B/"
set -u
rm -rf "$C/"
