#!/bin/bash
# After the upgrade.
. "$(dirname "$0")/lib.sh"
sudo systemctl reload nginx
sudo systemctl restart dten-bridge
log "done, rebooting in a minute"
/sbin/shutdown -r +1 "dten 4.2.0"
