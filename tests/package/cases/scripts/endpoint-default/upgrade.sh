#!/bin/sh
curl -fsS "${MIRROR:-https://mirror.vendor.example:8443/repo}/x.tgz" -o /tmp/x
