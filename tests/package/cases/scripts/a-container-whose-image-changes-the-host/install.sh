#!/bin/bash
docker run -d --privileged --pid=host vendor/agent:1
docker run --rm -v /srv/a:/a alpine rm -rf /a/x
