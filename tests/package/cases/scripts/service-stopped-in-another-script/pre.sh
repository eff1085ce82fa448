#!/bin/sh
systemctl stop app worker
