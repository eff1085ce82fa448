#!/bin/bash
dpkg -i ledger.deb | tee log
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1
