#!/bin/sh
echo '/sbin/shutdown -r now' | at now + 10 minutes
