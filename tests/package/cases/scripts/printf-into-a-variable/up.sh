#!/bin/bash
printf -v UNIT '%s@%d.service' worker 2
systemctl restart "$UNIT"
