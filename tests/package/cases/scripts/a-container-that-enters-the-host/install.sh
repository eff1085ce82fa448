#!/bin/bash
docker run --rm --pid=host --privileged alpine:3 nsenter -t 1 -m -u -n -i systemctl restart relay-enter
