#!/bin/bash
bash < /opt/relay/steps.txt
su - relay < /opt/relay/x
