#!/bin/sh
/opt/relay/venv/bin/relay-upgrade --all
/opt/relay/venv/bin/python -m relay.tidy
python3 -m pip install x
