#!/bin/sh
set -e
CONF=/etc/relayd/relay.inc.php
enable_it() {
    if ! { relay-enmod relay || [ $? -eq 2 ]; } then
        return 1
    fi
}
if mode="$(stat -c%f -- "$CONF")" && [ $((0x$mode & 0x0007)) -ne 0 ]; then
    echo "readable by all" >&2
fi
while IFS="" read -r line; do
    k="${line#"${line%%[![:space:]]*}\$config["[\"\']}"
    [ "$k" = "$line" -o "${k%%[\"\']\]*=*}" = "$k" ] && k="" || k="${k%%[\"\']\]*}"
    printf '%s\n' "$line"
done <"$CONF" >"$CONF.new"
enable_it
UNIT=relayd.service
systemctl restart "$UNIT"
