#!/bin/sh
sh lib/ctl.sh stop
