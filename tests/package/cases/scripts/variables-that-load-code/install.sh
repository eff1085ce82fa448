#!/bin/bash
export PYTHONPATH=/x
NODE_OPTIONS='--require ./hook.js' node app.js
NODE_OPTIONS=--max-old-space-size=512 node app.js
GIT_SSH_COMMAND='sh -c "systemctl restart relay-git"' git pull
