#!/bin/bash
set -e
apt-get install -y ledger 2>&1 | tee -a /var/log/ledger-upgrade.log
ls /opt/ledger | tee -a /var/log/ledger-upgrade.log
set -o pipefail
apt-get install -y ledger-plugins 2>&1 | tee -a /var/log/ledger-upgrade.log
