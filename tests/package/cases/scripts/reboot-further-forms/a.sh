#!/bin/sh
grub2-reboot 1
