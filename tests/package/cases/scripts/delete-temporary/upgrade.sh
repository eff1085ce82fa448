#!/bin/sh
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
rm -rf "$T" /tmp/x
