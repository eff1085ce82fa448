#!/bin/sh
systemctl isolate reboot.target
