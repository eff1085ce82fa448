#!/bin/sh
git clone git@git.vendor.example:x/y.git
docker pull registry.vendor.example:5000/x/y:1
docker pull library/nginx
