#!/bin/sh
useradd -r app
useradd -m -s /bin/bash -G sudo ops
groupadd -r appdata
groupadd -g 990 spool
