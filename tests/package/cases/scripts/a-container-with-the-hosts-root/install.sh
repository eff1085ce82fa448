#!/bin/bash
podman run -v /:/h img sh -c 'rm -rf /h/srv/x'
