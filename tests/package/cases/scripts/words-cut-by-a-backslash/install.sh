#!/bin/bash
sys\
temctl restart relay-joined
systemctl rest\
art relay-joined-too
