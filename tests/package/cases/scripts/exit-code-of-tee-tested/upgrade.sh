#!/bin/sh
tar xzf ledger.tgz -C /opt/ledger | tee log || exit 1
if ! dpkg -i ledger.deb | tee log; then exit 1; fi
