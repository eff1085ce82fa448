#!/bin/bash
# Checks before the upgrade.
. "$(dirname "$0")/lib.sh"
log "preparing dten 4.2.0"
test -d "$DTEN_HOME" || { log "no $DTEN_HOME on this host"; exit 1; }
sudo mkdir -p "$DTEN_VAR" /var/log/dten
