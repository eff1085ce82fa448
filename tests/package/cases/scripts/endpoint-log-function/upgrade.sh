#!/bin/sh
log() { echo "$(date) $*"; }
log "license: https://licence.vendor.example/apache"
