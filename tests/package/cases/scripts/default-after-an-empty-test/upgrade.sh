#!/bin/sh
CONF=
. /etc/default/ledger
if [ -z "$CONF" ]; then
  CONF=/etc/ledger
fi
rm -rf "$CONF/old"
