#!/bin/bash
exec 4< ./four.txt
. /dev/fd/4
