#!/bin/sh
echo b | tee /proc/sysrq-trigger
