#!/bin/sh
sh -c "rm -rf $DIR/"
T=$(mktemp -d)
sh -c "rm -rf $T/x"
xmessage "see https://bugs.vendor.example"
