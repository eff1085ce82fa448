#!/bin/sh
curl -fsSLo agent https://get.vendor.example/agent
sha256sum -c agent.sha256
sh ./agent
