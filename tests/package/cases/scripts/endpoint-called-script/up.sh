#!/bin/sh
./lib/push.sh logs.vendor.example
