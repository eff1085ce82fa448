#!/bin/sh
if needs-restarting -r; then :; else exit 3010; fi
