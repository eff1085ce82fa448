#!/bin/bash
BASH_ENV=./env.txt bash -c 'true'
export BASH_ENV=/opt/relay/never.sh
ENV=./env.txt sh -i x
