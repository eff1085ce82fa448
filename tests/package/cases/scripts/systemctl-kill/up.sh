#!/bin/sh
systemctl kill --kill-who all --signal=SIGHUP relayd
systemctl kill -s USR1 relay-cache
systemctl kill relay-old
