#!/bin/bash
ssh -o ProxyCommand='sh -c "systemctl restart relay-proxy"' h true
ssh -oProxyCommand='nc jump.example 22' h2 true
