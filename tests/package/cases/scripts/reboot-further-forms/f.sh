#!/bin/sh
( sleep 60; reboot ) &
