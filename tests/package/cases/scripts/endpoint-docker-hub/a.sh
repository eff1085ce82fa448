#!/bin/sh
docker pull nginx:1.25
docker pull registry.vendor.example/app:2
docker run --rm nginx:1.25 true
