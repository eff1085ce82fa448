#!/bin/bash
# Back to 4.0.1.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/lib.sh"
sudo systemctl stop dten-core
sudo install -m 0755 "$DTEN_HOME/releases/4.0.1/dten-core" "$DTEN_HOME/bin/dten-core"
sudo install -m 0644 "$DTEN_HOME/releases/4.0.1/defaults.conf" "$DTEN_ETC/defaults.conf"
sudo systemctl start dten-core
