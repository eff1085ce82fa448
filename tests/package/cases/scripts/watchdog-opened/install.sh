#!/bin/bash
exec 7>/dev/watchdog0
