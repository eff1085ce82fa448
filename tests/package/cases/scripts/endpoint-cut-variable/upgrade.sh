#!/bin/sh
U=https://cut.vendor.example/path/file.tgz
B=${U%/*}
curl -O "$B/other"
